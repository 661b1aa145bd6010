"""A Valgrind on a device: where it is, which version, how its tools are started."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from collectors.devices.device import Device
from collectors.devices.toolchain_layout import LAUNCHER_PATH, PLATFORMS, installed_parts
from collectors.errors import DeviceError, ToolError

VALGRIND_VARIABLE = "DROIDGRIND_VALGRIND"
OLDEST = (3, 15)
NEWEST_TRIED = (3, 28)
_ANSWER_SECONDS = 60.0
# Where an unpacked package or an NDK build keeps its tools, below its own root.
_TOOL_FOLDERS = (
    "",
    "libexec/valgrind",
    "lib/valgrind",
    "usr/libexec/valgrind",
    "usr/lib/valgrind",
    "usr/lib/x86_64-linux-gnu/valgrind",
    "usr/lib/aarch64-linux-gnu/valgrind",
)


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A Valgrind that can be started.

    `launcher` is the `valgrind` program, or the script that `install` leaves on a device.
    Where it is None, the tools in `lib_dir` are started directly: they are static and need
    nothing of the system.
    """

    version: tuple[int, ...]
    version_text: str
    origin: str
    platform: str
    launcher: str | None = None
    lib_dir: str | None = None
    env: Mapping[str, str] = field(default_factory=dict[str, str])

    def command(self, tool: str) -> list[str]:
        """The beginning of the command line that runs Valgrind's `tool`."""
        program = self.launcher or f"{self.lib_dir}/{tool}-{self.platform}"
        return [program, f"--tool={tool}"]


def find_toolchain(
    device: Device, chosen: str | None = None, *, abi: str | None = None
) -> Toolchain:
    """The Valgrind to use: `chosen` (a program, or a folder with its tools), else the one
    that `droidgrind install` left on the device, else PATH's.

    `abi` is the target's, where it is not the device's own. Raises `ToolError` that says what
    to do when there is none, or it does not run.
    """
    facts = device.facts()
    wanted = abi or facts.abi or "unknown"
    platform = PLATFORMS.get(wanted)
    if platform is None:
        raise ToolError(f"Valgrind has no port to {wanted}")
    if chosen is None:
        return _from_install(device, wanted) or _from_path(
            device, platform, android=facts.sdk is not None
        )
    folder = _tool_folder(device, chosen, platform)
    if folder is not None:
        return _from_folder(device, folder, platform)
    if device.exists(chosen) and not device.exists(f"{chosen}/."):
        return _from_program(device, chosen, platform)
    raise ToolError(
        f"{chosen}: neither a valgrind program nor a folder with memcheck-{platform}"
    )


def _from_install(device: Device, abi: str) -> Toolchain | None:
    part = installed_parts(device).get(abi)
    if part is None:
        return None
    return Toolchain(
        parse_version(part.version),
        part.version,
        part.origin,
        part.platform,
        launcher=LAUNCHER_PATH,
        lib_dir=part.folder,
    )


def _from_path(device: Device, platform: str, *, android: bool) -> Toolchain:
    found = device.run(["sh", "-c", "command -v valgrind"], timeout=_ANSWER_SECONDS)
    if found.status == 0 and found.text:
        return _from_program(device, found.text, platform)
    if android:
        raise ToolError(
            f"there is no Valgrind for {platform} on {device.serial}: put one there with "
            f"`droidgrind install --from-apt -s {device.serial}`, or name one with --valgrind"
        )
    raise ToolError(
        "Valgrind is not installed: `sudo apt install valgrind` (or your system's word for "
        f"it), or name one with --valgrind or {VALGRIND_VARIABLE}"
    )


def _from_program(device: Device, program: str, platform: str) -> Toolchain:
    text = _version_answer(device, [program, "--version"], {})
    return Toolchain(parse_version(text), text, program, platform, launcher=program)


def _from_folder(device: Device, folder: str, platform: str) -> Toolchain:
    tool = f"{folder}/memcheck-{platform}"
    # The tools refuse to start without a launcher's name; it is used for children only.
    env = {"VALGRIND_LIB": folder, "VALGRIND_LAUNCHER": tool}
    text = _version_answer(device, [tool, "--tool=memcheck", "--version"], env)
    return Toolchain(parse_version(text), text, folder, platform, lib_dir=folder, env=env)


def _tool_folder(device: Device, root: str, platform: str) -> str | None:
    for below in _TOOL_FOLDERS:
        folder = str(PurePosixPath(root) / below)
        if device.exists(f"{folder}/memcheck-{platform}"):
            return folder
    return None


def _version_answer(device: Device, argv: list[str], env: Mapping[str, str]) -> str:
    try:
        answer = device.run(argv, timeout=_ANSWER_SECONDS, env=env)
    except DeviceError as error:
        raise ToolError(f"Valgrind does not start: {error}") from error
    if answer.status != 0 or not answer.text:
        said = answer.stderr.decode("utf-8", "replace").strip().splitlines()
        raise ToolError(
            f"{argv[0]} does not run (exit status {answer.status}"
            f"{': ' + said[-1] if said else ''}): install it again"
        )
    return answer.text.splitlines()[0].removeprefix("valgrind-")


def parse_version(text: str) -> tuple[int, ...]:
    """`3.19.0` and `3.28.0.GIT` as numbers. Raises `ToolError` for anything else."""
    match = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    if match is None:
        raise ToolError(f"this is no version of Valgrind: {text!r}")
    return tuple(int(part) for part in match.groups(default="0"))
