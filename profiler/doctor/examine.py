"""Examine a device, and mend what may be mended."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from collectors.devices.device import Device, DeviceFacts
from collectors.devices.discover import choose_device
from collectors.devices.local import LOCAL_SERIAL
from collectors.devices.package_sources import NEWEST
from collectors.errors import DeviceError, DroidgrindError
from profiler.doctor import android, machine, toolchain
from profiler.doctor.check import Check, Level, ok, problem, warning
from profiler.installing import InstallRequest, install
from profiler.recording.cleanup import cleanup

CLEANUP = "cleanup"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found; `facts` is None where the device could not be reached."""

    serial: str
    checks: tuple[Check, ...]
    facts: DeviceFacts | None = None

    @property
    def healthy(self) -> bool:
        return all(check.level is not Level.PROBLEM for check in self.checks)


def examine(serial: str | None, app: str | None = None) -> Examination:
    """Look at all that a recording on the device needs, and at `app` there."""
    checks = list(machine.adb_checks(serial))
    try:
        device = choose_device(serial)
    except DeviceError as error:
        cause, _, remedy = str(error).partition(": ")
        checks.append(problem("device", cause, remedy or "droidgrind devices"))
        return Examination(serial or "?", tuple(checks))
    try:
        facts = device.facts()
        checks += _device_checks(device, facts, app)
    except DeviceError as error:
        checks.append(problem("device", str(error), "droidgrind devices"))
        return Examination(device.serial, tuple(checks))
    return Examination(device.serial, tuple(checks), facts)


def _device_checks(device: Device, facts: DeviceFacts, app: str | None) -> Iterator[Check]:
    if device.serial == LOCAL_SERIAL:
        yield from machine.local_checks(device, facts)
        yield from toolchain.local_checks(device, facts)
        if app is not None:
            yield from android.app_checks(device, app)
        return
    yield ok("device", f"{device.serial}: {facts.model or 'model not known'}")
    known = facts.abi in android_abis()
    if known:
        yield ok("abi", ", ".join(facts.abis) or facts.abi or "")
    else:
        yield problem("abi", facts.abi or "not told", "Valgrind has no port to it")
    answers = android.ask(device)
    yield from android.system_checks(facts, answers)
    yield from android.place_checks(answers)
    yield from android.toybox_checks(answers)
    yield from android.readable_checks(answers, facts)
    if known:
        yield from toolchain.installed_checks(device, facts)
    yield from _leftovers(device)
    if app is not None:
        yield from android.app_checks(device, app)


def android_abis() -> frozenset[str]:
    from collectors.devices.toolchain_layout import PLATFORMS

    return frozenset(PLATFORMS)


def _leftovers(device: Device) -> Iterator[Check]:
    pending = [one for one in cleanup(device.serial, pretend=True) if not one.in_use]
    left = sum(len(one.left) for one in pending)
    if left:
        yield warning(
            "left over",
            f"{left} changes of recordings that were cut off",
            f"droidgrind cleanup -s {device.serial}",
            CLEANUP,
        )
    else:
        yield ok("left over", "nothing of earlier recordings")


def mend(found: Examination, say: Say) -> list[str]:
    """Do what can be done about the findings; return what could not be, and why."""
    wanted = {check.fix for check in found.checks if check.fix is not None}
    failed: list[str] = []
    if CLEANUP in wanted:
        say("undoing what earlier recordings left")
        for cleaned in cleanup(found.serial):
            failed += cleaned.left
    if toolchain.INSTALL in wanted:
        try:
            from collectors.devices.toolchain_layout import installed_parts

            device = choose_device(found.serial)
            # The newest for each ABI there is; a device with none gets its own.
            request = InstallRequest(release=NEWEST, abis=tuple(installed_parts(device)))
            for one in install(request, device, say):
                say(f"Valgrind {one.part.version} is installed for {one.part.abi}")
        except DroidgrindError as error:
            failed.append(str(error))
    return failed
