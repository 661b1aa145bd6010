"""Launch an installed app for a recording: look at it, choose the way, make it ready."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from collectors.devices.adb import AdbDevice
from collectors.devices.app_job import AppHost
from collectors.devices.apps import App, Way, choose_way, parse_app, read_app
from collectors.devices.device import Change, ChangeLog, Device, RunningJob
from collectors.devices.toolchain_layout import PLATFORMS
from collectors.errors import DeviceError, UsageError
from profiler.recording.plan import Plan
from profiler.recording.progress import Observer

# The managed runtime writes code at run time; Valgrind must look for that everywhere.
_OPTIONS = ("--smc-check=all-non-file",)


@dataclass(frozen=True, slots=True)
class AppPlace:
    """An app as it was found, and how a tool gets around it. `may_root`: adbd can be asked."""

    device: AdbDevice
    app: App
    sdk: int | None
    way: Way
    reason: str
    may_root: bool

    @property
    def own_valgrind(self) -> str | None:
        """Where the app brought a Valgrind: an app may not execute one of its data folder."""
        folder = self.app.libraries
        if self.way is not Way.WRAP_SH or folder is None:
            return None
        platform = PLATFORMS.get(self.app.abi or "", "none")
        return folder if self.device.exists(f"{folder}/memcheck-{platform}") else None

    @property
    def doubt(self) -> str | None:
        """Why a way that there is may still lead nowhere, and what to do; None: no doubt."""
        if self.way is not Way.WRAP_SH or self.own_valgrind is not None:
            return None
        return (
            f"the APK of {self.app.package} brings a wrap.sh but no Valgrind, and an app may "
            "not execute the one in /data/local/tmp where SELinux is enforcing: add its files "
            "with `droidgrind wrap-sh`"
        )


def look_at_app(word: str, device: Device) -> AppPlace:
    """Raises `UsageError` and `DeviceError` for what cannot be started."""
    package, activity = parse_app(word)
    if not isinstance(device, AdbDevice):
        raise UsageError(f"--app {word}: apps are on Android devices: choose one with -s")
    app = read_app(device, package, activity)
    sdk = device.facts().sdk
    way, reason = choose_way(device, app, sdk)
    engineering = device.shell("getprop ro.debuggable").text == "1"
    may_root = way is Way.NONE and engineering and device.root.way is None
    return AppPlace(device, app, sdk, way, reason, may_root)


def fit_plan(plan: Plan, place: AppPlace, observer: Observer, *, chosen: bool) -> Plan:
    """Leave out the tools that cannot get around the app, unless a person chose them."""
    if place.way is not Way.NONE or place.may_root or not plan.wrappers:
        return plan
    if chosen:
        raise DeviceError(f"{place.reason}; samplers alone work: -t {','.join(plan.samplers)}")
    observer.warning(f"only {' and '.join(plan.samplers)}: {place.reason}")
    return plan.only(plan.samplers)


class AppLauncher:
    """Starts the app, each time inside another tool."""

    def __init__(
        self, place: AppPlace, log: ChangeLog, run: str, observer: Observer, *, wrapped: bool
    ) -> None:
        device, way, reason = place.device, place.way, place.reason
        if wrapped and place.may_root:
            log.add(Change("adb-root"))
            said = device.root.ask_adbd()
            way, reason = choose_way(device, place.app, place.sdk)
            if way is Way.NONE:
                raise DeviceError(f"{reason} (`adb root`: {said or 'no answer'})")
        if not wrapped:
            way = Way.NONE
        else:
            observer.warning(f"{place.app.package}: {way}, since {reason}")
            if place.doubt is not None:
                observer.warning(place.doubt)
        self._app = place.app
        self._host = AppHost(device, place.app, way, log, run, observer.warning)
        self._host.prepare()

    @property
    def argv(self) -> tuple[str, ...]:
        return (self._app.activity,)

    @property
    def valgrind_options(self) -> tuple[str, ...]:
        return _OPTIONS

    @property
    def unmeasured(self) -> str | None:
        return None

    def output_dir(self, name: str, destination: Path) -> str:
        destination.mkdir(parents=True, exist_ok=True)
        return self._host.output_dir(name)

    def start(
        self,
        name: str,
        output_dir: str,
        prefix: tuple[str, ...],
        env: Mapping[str, str],
        *,
        held: bool = False,
    ) -> RunningJob:
        return self._host.start(name, output_dir, prefix, env)
