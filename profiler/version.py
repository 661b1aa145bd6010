"""The version of droidgrind that is installed."""

from importlib.metadata import PackageNotFoundError, version


def installed_version() -> str:
    try:
        return version("droidgrind")
    except PackageNotFoundError:
        return "unknown"
