"""The Valgrind of a device: is it there, whole, recent enough, and does it run?"""

from collections.abc import Iterator

from collectors.devices.device import Device, DeviceFacts
from collectors.devices.install import launcher_is_ours, verify_part
from collectors.devices.known_failures import failures_of
from collectors.devices.smoke import DEVICE_PROGRAM, quiet_options, try_tool
from collectors.devices.toolchain import Toolchain, find_toolchain, parse_version
from collectors.devices.toolchain_layout import (
    SMOKE_FILE,
    TOOLCHAIN_DIR,
    InstalledPart,
    installed_parts,
)
from collectors.errors import DeviceError, ToolError
from profiler.doctor.check import Check, ok, problem, warning

INSTALL = "install"
NAME = "valgrind"


def installed_checks(device: Device, facts: DeviceFacts) -> Iterator[Check]:
    """What `droidgrind install` left on an Android device, or a Valgrind found otherwise."""
    again = f"droidgrind install --from-apt -s {device.serial}"
    parts = installed_parts(device)
    own = parts.get(facts.abi or "")
    if own is None:
        try:
            found = find_toolchain(device)
        except ToolError:
            yield problem(NAME, f"there is none for {facts.abi} on it", again, INSTALL)
        else:
            yield ok(NAME, f"{found.version_text} ({found.origin})")
            yield from version_checks(found.version, found.version_text, facts, again)
    if parts and not launcher_is_ours(device):
        yield problem("launcher", "it is missing or was changed", again, INSTALL)
    for part in parts.values():
        yield from _part_checks(device, part, facts, again)
    left = device.run(["sh", "-c", f"ls -d {TOOLCHAIN_DIR}/*.new {TOOLCHAIN_DIR}/*.old"])
    if left.text:
        yield warning("half an install", left.text, again, INSTALL)


def _part_checks(
    device: Device, part: InstalledPart, facts: DeviceFacts, again: str
) -> Iterator[Check]:
    if part.abi != facts.abi:
        again = f"{again} --abi {part.abi}"
    wrong = verify_part(device, part)
    if wrong:
        yield problem(
            NAME, f"{part.abi}: missing or damaged: {', '.join(wrong)}", again, INSTALL
        )
        return
    yield ok(NAME, f"{part.version} for {part.abi} ({part.origin})")
    yield from version_checks(parse_version(part.version), part.version, facts, again, part.abi)
    programs = [f"{part.folder}/{SMOKE_FILE}"]
    if part.abi == facts.abi and device.exists(DEVICE_PROGRAM):
        programs.append(DEVICE_PROGRAM)
    for tool in part.tools:
        try:
            for program in programs:
                try_tool(device, part, part.folder, tool, program)
        except ToolError as error:
            yield problem(f"valgrind {tool}", str(error), again, INSTALL)
        else:
            tried = " and ".join(program.rpartition("/")[2] for program in programs)
            yield ok(f"valgrind {tool}", f"runs {tried} ({part.abi})")


def version_checks(
    version: tuple[int, ...],
    text: str,
    facts: DeviceFacts,
    newer: str,
    abi: str | None = None,
) -> Iterator[Check]:
    """A version against the table of known failures."""
    for known in failures_of(version, abi or facts.abi or "", facts):
        if known.fatal:
            yield problem(f"{NAME} {text}", known.cause, f"{known.remedy}: {newer}", INSTALL)
        elif known.note is not None:
            remedy = newer if known.fixed_in else known.remedy
            yield warning(f"{NAME} {text}", known.note, remedy, INSTALL)


def local_checks(device: Device, facts: DeviceFacts) -> Iterator[Check]:
    """The Valgrind of this machine, tried on a program that does nothing."""
    try:
        found = find_toolchain(device)
    except (ToolError, DeviceError) as error:
        yield problem(NAME, "there is none that runs", str(error))
        return
    yield ok(NAME, f"{found.version_text} ({found.origin})")
    yield from version_checks(
        found.version, found.version_text, facts, "take a newer release of your distribution's"
    )
    yield from _local_tools(device, found)


def _local_tools(device: Device, found: Toolchain) -> Iterator[Check]:
    from collectors import registry
    from collectors.devices.known_failures import explain_log

    for tool in registry.valgrind_tools():
        words = [*found.command(tool), *quiet_options(tool), "/bin/true"]
        answer = device.run(words, timeout=120, env=found.env)
        if answer.status == 0:
            yield ok(f"valgrind {tool}", "runs true")
            continue
        said = explain_log(answer.stderr) or f"exit status {answer.status}"
        cause, _, remedy = said.rpartition(": ")
        yield problem(f"valgrind {tool}", cause or said, remedy or f"try: {' '.join(words)}")
