"""Bring a Valgrind from wherever it is onto a device."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from collectors import registry
from collectors.devices.device import Device, DeviceFacts
from collectors.devices.install import (
    Installed,
    choose_abis,
    device_abis,
    install_part,
    remove_toolchain,
)
from collectors.devices.local import LOCAL_SERIAL
from collectors.devices.package_sources import download, fetch_from_apt
from collectors.devices.toolchain_layout import PLATFORMS
from collectors.devices.valgrind_package import ValgrindPackage, read_package
from collectors.errors import DeviceError, UsageError
from profiler.version import installed_version

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class InstallRequest:
    """What a person asks to have installed.

    `sources` are files, folders or addresses; `release` is that of `--from-apt` (None: not
    given). Empty `abis` mean the device's own, empty `tools` all that droidgrind uses.
    """

    sources: tuple[str, ...] = ()
    release: str | None = None
    sha256: str | None = None
    abis: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.sources) == (self.release is not None):
            raise UsageError(
                "give one SOURCE (a .deb, .zip, .tar.*, folder or address), or --from-apt"
            )
        addresses = [source for source in self.sources if "://" in source]
        if addresses and self.sha256 is None:
            raise UsageError(f"{addresses[0]}: give the package's --sha256 with its address")
        if self.sha256 is not None and (len(self.sources) != 1 or not addresses):
            raise UsageError("--sha256 belongs to one SOURCE that is an address")
        for abi in self.abis:
            if abi not in PLATFORMS:
                raise UsageError(f"--abi {abi}: choose from {', '.join(PLATFORMS)}")


def install(request: InstallRequest, device: Device, say: Say) -> list[Installed]:
    """Install what is asked for; `say` gets a line a step.

    Raises `UsageError`, `InputError`, `DeviceError` or `ToolError` with the reason; what was
    installed before is then still there.
    """
    refuse_local(device)
    facts = device.facts()
    possible = device_abis(facts)
    for abi in request.abis:
        if abi not in possible:
            raise UsageError(
                f"--abi {abi}: {device.serial} runs Valgrind for {' and '.join(possible)}"
            )
    tools = ("memcheck", *request.tools) if request.tools else registry.valgrind_tools()
    with tempfile.TemporaryDirectory(prefix="droidgrind-install-") as work:
        plan = _plan(request, facts, possible, Path(work), say)
        return [
            install_part(
                device,
                facts,
                package,
                abi,
                tuple(dict.fromkeys(tools)),
                installed_version(),
                say,
            )
            for package, abi in plan
        ]


def as_json(installed: Installed) -> dict[str, Any]:
    """The record of one ABI's part, with `changed` and `pushed_bytes`."""
    return {
        **asdict(installed.part),
        "changed": installed.changed,
        "pushed_bytes": installed.pushed_bytes,
    }


def remove(device: Device) -> list[dict[str, Any]]:
    """Take the installed Valgrind away; return the records of what there was."""
    refuse_local(device)
    return [asdict(part) for part in remove_toolchain(device)]


def refuse_local(device: Device) -> None:
    if device.serial == LOCAL_SERIAL:
        raise DeviceError(
            "install is for Android devices (-s SERIAL): on this machine `sudo apt install "
            "valgrind` does it, and --valgrind PATH names another one"
        )


def _plan(
    request: InstallRequest, facts: DeviceFacts, possible: Sequence[str], work: Path, say: Say
) -> list[tuple[ValgrindPackage, str]]:
    if request.release is not None:
        plan: list[tuple[ValgrindPackage, str]] = []
        for abi in request.abis or possible[:1]:
            file, origin = fetch_from_apt(abi, request.release, work, say)
            package = read_package(file, origin)
            choose_abis(facts, package, (abi,))
            plan.append((package, abi))
        return plan
    packages = [_read(source, request.sha256, work, say) for source in request.sources]
    if len(packages) == 1:
        return [(packages[0], abi) for abi in choose_abis(facts, packages[0], request.abis)]
    plan = []
    for package in packages:
        wanted = [abi for abi in request.abis or possible if abi in package.abis]
        plan += [(package, abi) for abi in wanted or choose_abis(facts, package, ())]
    return plan


def _read(source: str, sha256: str | None, work: Path, say: Say) -> ValgrindPackage:
    if "://" in source:
        return read_package(download(source, sha256 or "", work, say), source)
    say(f"reading {source}")
    return read_package(Path(source))
