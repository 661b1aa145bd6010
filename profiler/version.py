"""The droidgrind that is installed: its version, and where it is at home."""

from importlib.metadata import PackageNotFoundError, metadata, version

_URLS = ("homepage", "repository", "source", "documentation")  # the best first


def installed_version() -> str:
    try:
        return version("droidgrind")
    except PackageNotFoundError:
        return "unknown"


def project_url() -> str | None:
    """The web page that the package names; None where it names none."""
    try:
        known = metadata("droidgrind")
    except PackageNotFoundError:
        return None
    pairs = (line.partition(",") for line in known.get_all("Project-URL") or ())
    urls = {label.strip().casefold(): url.strip() for label, _, url in pairs}
    return next((urls[label] for label in _URLS if urls.get(label)), None)
