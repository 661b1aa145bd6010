"""Put a Valgrind on a device, try it there, and take it away again.

A part (the files of one ABI) is pushed beside its place, verified by hash, tried, and only
then moved there: an install that fails or is cut leaves what was there before.
"""

import hashlib
import posixpath
import shlex
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from collectors.devices.crash_shim import shim_bytes, smoke_bytes
from collectors.devices.device import Device, DeviceFacts
from collectors.devices.fitness import require_fit
from collectors.devices.smoke import smoke_test
from collectors.devices.toolchain_layout import (
    LAUNCHER,
    LAUNCHER_PATH,
    NARROW_ABIS,
    PLATFORMS,
    RECORD_FILE,
    SHIM_FILE,
    SMOKE_FILE,
    TOOLCHAIN_DIR,
    InstalledPart,
    installed_parts,
    part_folder,
)
from collectors.devices.valgrind_package import SUPPRESSIONS, ValgrindPackage, version_in
from collectors.errors import DeviceError, ToolError, UsageError

Say = Callable[[str], None]
_PUSH_SECONDS = 600.0
_DAMAGED = 7
_DATA_FILES = (SUPPRESSIONS, SHIM_FILE, RECORD_FILE)


@dataclass(frozen=True, slots=True)
class Installed:
    """One ABI's part after an install; `changed` is False when it was there already."""

    part: InstalledPart
    changed: bool
    pushed_bytes: int


def choose_abis(
    facts: DeviceFacts, package: ValgrindPackage, asked: Sequence[str]
) -> tuple[str, ...]:
    """The ABIs to install: those asked for, else the device's own.

    Raises `UsageError` for an ABI that the device does not run, `ToolError` for one that is
    not in the package.
    """
    possible = device_abis(facts)
    for abi in asked:
        if abi not in possible:
            raise UsageError(
                f"{abi}: {facts.serial} runs Valgrind for {' and '.join(possible)}"
            )
    chosen = tuple(dict.fromkeys(asked)) or possible[:1]
    for abi in chosen:
        if abi in package.abis:
            continue
        others = [other for other in package.abis if other in possible]
        hint = f": add --abi {others[0]} to install it for 32-bit targets" if others else ""
        raise ToolError(
            f"{package.origin} is for {', '.join(package.abis)}, not for {abi}{hint}"
        )
    return chosen


def device_abis(facts: DeviceFacts) -> tuple[str, ...]:
    """The ABIs whose code the CPU of a device runs itself, its own first.

    An emulator's list may name more, whose code it translates: Valgrind cannot.
    """
    own = facts.abi or "unknown"
    if own not in PLATFORMS:
        raise ToolError(f"{facts.serial}: Valgrind has no port to {own}")
    narrow = NARROW_ABIS.get(own)
    return (own, narrow) if narrow is not None and narrow in facts.abis else (own,)


def install_part(
    device: Device,
    facts: DeviceFacts,
    package: ValgrindPackage,
    abi: str,
    tools: Sequence[str],
    droidgrind: str,
    say: Say,
) -> Installed:
    """Install the files of one ABI, unless they are there.

    `tools` are Valgrind's names; those that the package lacks are left out, Memcheck must be
    there. Raises `ToolError` when the package does not fit the device or does not run on it.
    """
    platform = PLATFORMS[abi]
    needed = package.needed(platform, tools)
    missing = [tool for tool in tools if f"{tool}-{platform}" not in needed]
    if missing:
        say(f"{package.origin} has no {', '.join(missing)} for {abi}")
    version = package.version or version_in(needed[f"memcheck-{platform}"]) or ""
    require_fit(version, abi, facts, needed)
    files = {
        **needed,
        SHIM_FILE: shim_bytes(platform),
        SMOKE_FILE: smoke_bytes(platform),
    }
    part = InstalledPart(
        abi=abi,
        platform=platform,
        version=version,
        origin=package.origin,
        tools=tuple(tool for tool in tools if tool not in missing),
        files={name: _digest(content) for name, content in sorted(files.items())},
        installed=datetime.now(UTC).isoformat(timespec="seconds"),
        droidgrind=droidgrind,
    )
    if _is_there(device, part):
        _put_launcher(device)
        return Installed(installed_parts(device)[abi], changed=False, pushed_bytes=0)
    folder = f"{part_folder(platform)}.new"
    _shell(
        device,
        f"rm -rf {folder} && mkdir -p {folder} && chmod 755 {TOOLCHAIN_DIR} {folder}",
    )
    try:
        pushed = _push_all(device, folder, files, say)
        say(f"trying {', '.join(part.tools)} on {facts.serial}")
        part = replace(part, version=smoke_test(device, part, folder, facts))
        _put(device, f"{folder}/{RECORD_FILE}", part.as_json(), 0o644)
        final = part_folder(platform)
        # A line whose answer was lost with the link is run again: each must bear that.
        _shell(
            device,
            f"if [ -e {folder} ]; then rm -rf {final}.old; "
            f"if [ -e {final} ]; then mv {final} {final}.old; fi; mv {folder} {final}; fi; "
            f"rm -rf {final}.old; [ -e {final}/{RECORD_FILE} ]",
        )
    except BaseException:
        with suppress(DeviceError):  # the device is gone: the next install takes it away
            device.run(["rm", "-rf", folder], timeout=_PUSH_SECONDS)
        raise
    _put_launcher(device)
    return Installed(part, changed=True, pushed_bytes=pushed)


def remove_toolchain(device: Device) -> tuple[InstalledPart, ...]:
    """Take away all that `install_part` put there; return what that was."""
    parts = tuple(installed_parts(device).values())
    _shell(device, f"rm -rf {TOOLCHAIN_DIR}")
    return parts


def verify_part(device: Device, part: InstalledPart) -> tuple[str, ...]:
    """The names of a part's files that are missing or differ from its record."""
    folder = part_folder(part.platform)
    line = f"cd {folder} && sha256sum {shlex.join(part.files)}"
    answer = device.run(["sh", "-c", line], timeout=_PUSH_SECONDS)
    have: dict[str, str] = {}
    for said in answer.stdout.decode("utf-8", "replace").splitlines():
        digest, _, name = said.partition("  ")
        have[name] = digest
    return tuple(name for name, digest in part.files.items() if have.get(name) != digest)


def launcher_is_ours(device: Device) -> bool:
    if not device.exists(LAUNCHER_PATH):
        return False
    executable = device.run(["sh", "-c", f"[ -x {LAUNCHER_PATH} ]"], timeout=60).status == 0
    return executable and device.read_bytes(LAUNCHER_PATH) == LAUNCHER.encode()


def _is_there(device: Device, part: InstalledPart) -> bool:
    have = installed_parts(device).get(part.abi)
    return have is not None and have.files == part.files and not verify_part(device, part)


def _put_launcher(device: Device) -> None:
    if not launcher_is_ours(device):
        _put(device, f"{LAUNCHER_PATH}.new", LAUNCHER.encode(), 0o755)
        new = f"{LAUNCHER_PATH}.new"
        _shell(device, f"[ ! -e {new} ] || mv {new} {LAUNCHER_PATH}; [ -x {LAUNCHER_PATH} ]")


def _push_all(device: Device, folder: str, files: Mapping[str, bytes], say: Say) -> int:
    total = sum(map(len, files.values()))
    say(f"pushing {len(files)} files, {total / 1e6:.1f} MB")
    for name, content in files.items():
        mode = 0o644 if name in _DATA_FILES or name.endswith(".so") else 0o755
        _put(device, f"{folder}/{name}", content, mode)
    _shell(device, f"rm -f {folder}/*.part")
    return total


def _put(device: Device, path: str, content: bytes, mode: int) -> None:
    """Write a file, which is there only whole.

    Should the link be lost, the line runs again beside the first one, which ends when adbd
    notices: each writes to a file of its own.
    """
    digest, quoted = _digest(content), shlex.quote(path)
    line = (
        f"t={quoted}.$$.part; cat >$t && chmod {mode:o} $t || {{ rm -f $t; exit 1; }}; "
        f"case $(sha256sum <$t) in {digest}*) mv $t {quoted} ;; "
        "*) rm -f $t; exit 7 ;; esac"
    )
    answer = device.run(["sh", "-c", line], timeout=_PUSH_SECONDS, stdin=content)
    if answer.status == _DAMAGED:
        raise DeviceError(
            f"{path}: arrived damaged: is {posixpath.dirname(TOOLCHAIN_DIR)} full?"
        )
    if answer.status:
        said = answer.stderr.decode("utf-8", "replace").strip().splitlines()
        raise DeviceError(f"{path}: {said[-1] if said else f'exit status {answer.status}'}")


def _shell(device: Device, line: str) -> None:
    answer = device.run(["sh", "-c", line], timeout=_PUSH_SECONDS)
    if answer.status:
        said = answer.stderr.decode("utf-8", "replace").strip().splitlines()
        raise DeviceError(f"{device.serial}: {said[-1] if said else line}")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
