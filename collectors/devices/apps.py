"""An installed app: what the device says of it, and how a tool can be put around it.

There are three ways, and `choose_way` says which and why: a `wrap.` property set as root, a
wrap.sh that the app brought in its APK, and, where neither is possible, none: then only
samplers can watch it. See docs/devices.md.
"""

import re
import shlex
from dataclasses import dataclass
from enum import StrEnum

from collectors.devices.adb import AdbDevice
from collectors.errors import DeviceError, UsageError

_PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+")
_LONGEST_NAME = 31  # of a property, before Android 8
_LONGEST_VALUE = 91
_NAMES_ARE_FREE_SINCE = 26
_WRAP_SH_SINCE = 27


class Way(StrEnum):
    """How a tool gets around an app."""

    PROPERTY = "wrap property"
    WRAP_SH = "wrap.sh"
    NONE = "samplers only"


@dataclass(frozen=True, slots=True)
class App:
    """An installed app. `folder` is its data directory, `libraries` where its code lies."""

    package: str
    activity: str
    debuggable: bool
    abi: str | None
    folder: str
    libraries: str | None
    has_wrap_sh: bool

    @property
    def wrap_property(self) -> str:
        return f"wrap.{self.package}"


def parse_app(word: str, where: str = "--app ") -> tuple[str, str | None]:
    """`PACKAGE[/ACTIVITY]` in its parts. Raises `UsageError` for anything else.

    `where` says in the message what it was given to.
    """
    package, slash, activity = word.partition("/")
    if not _PACKAGE.fullmatch(package) or (slash and not activity):
        raise UsageError(
            f"{where}{word}: write PACKAGE or PACKAGE/ACTIVITY, such as com.example.app"
        )
    return package, activity or None


def read_app(device: AdbDevice, package: str, activity: str | None = None) -> App:
    """Raises `UsageError` when there is no such app, or nothing in it that can be started."""
    if device.shell(f"pm path {shlex.quote(package)}").status:
        raise UsageError(
            f"{package} is not installed on {device.serial}: `adb shell pm list packages` "
            "lists what is"
        )
    said = device.shell(f"dumpsys package {shlex.quote(package)}").text
    libraries = _field(said, "legacyNativeLibraryDir") or _field(said, "nativeLibraryPath")
    abi = _field(said, "primaryCpuAbi")
    if libraries is not None and abi not in {None, "null"}:
        below = {"arm64-v8a": "arm64", "armeabi-v7a": "arm"}.get(abi or "", abi or "")
        if not libraries.endswith(f"/{below}"):
            libraries = f"{libraries}/{below}"
    has_wrap_sh = libraries is not None and device.exists(f"{libraries}/wrap.sh")
    return App(
        package=package,
        activity=_activity(device, package, activity),
        debuggable=device.shell(f"run-as {shlex.quote(package)} true").status == 0,
        abi=None if abi in {None, "null"} else abi,
        folder=f"/data/data/{package}",
        libraries=libraries,
        has_wrap_sh=has_wrap_sh,
    )


def _field(text: str, name: str) -> str | None:
    match = re.search(rf"^\s*{name}=(\S+)", text, re.MULTILINE)
    return match[1] if match else None


def _activity(device: AdbDevice, package: str, activity: str | None) -> str:
    if activity is not None:
        return f"{package}/{activity}"
    answer = device.shell(
        "cmd package resolve-activity --brief -a android.intent.action.MAIN "
        f"-c android.intent.category.LAUNCHER {shlex.quote(package)}"
    )
    last = answer.text.splitlines()[-1] if answer.text else ""
    if "/" not in last:
        raise UsageError(
            f"{package} has no activity that a launcher would start: name one, as in "
            f"--app {package}/.MainActivity"
        )
    return last


def choose_way(device: AdbDevice, app: App, sdk: int | None) -> tuple[Way, str]:
    """How to put a tool around the app, and the reason, as a person is told it."""
    if app.has_wrap_sh and app.debuggable and (sdk or 0) >= _WRAP_SH_SINCE:
        return Way.WRAP_SH, "its APK brings a wrap.sh, which needs no root"
    way = device.root.way
    if way is not None:
        too_long = _name_trouble(app, sdk)
        if too_long is None:
            return Way.PROPERTY, f"commands can be root's here ({way})"
        return Way.NONE, too_long
    rootless = f"{device.serial} {device.root.refusal}"
    if not app.debuggable:
        return Way.NONE, (
            f"{app.package} is not debuggable and {rootless}: install a "
            "debuggable build that brings a wrap.sh (`droidgrind wrap-sh`), or use a rooted "
            "device or emulator"
        )
    if (sdk or 0) < _WRAP_SH_SINCE:
        return Way.NONE, (
            f"{rootless}, and wrap.sh works from Android 8.1 on: use a newer or a rooted device"
        )
    return Way.NONE, (
        f"{rootless}, and the APK of {app.package} brings no wrap.sh: add one with "
        "`droidgrind wrap-sh`"
    )


def _name_trouble(app: App, sdk: int | None) -> str | None:
    name = app.wrap_property
    if (sdk or 0) < _NAMES_ARE_FREE_SINCE and len(name) > _LONGEST_NAME:
        return (
            f"the property {name} has {len(name)} characters, and before Android 8 a name has "
            f"at most {_LONGEST_NAME}: build the app under a shorter package name"
        )
    return None


def check_value(value: str) -> str:
    """Raises `DeviceError` for a property's value that Android would cut or refuse."""
    if len(value.encode()) > _LONGEST_VALUE:
        raise DeviceError(
            f"the wrap property would have {len(value)} characters, of {_LONGEST_VALUE} that "
            f"are possible: {value}"
        )
    return value
