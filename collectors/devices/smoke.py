"""Try each tool of a Valgrind on a device, on programs that do nothing."""

from collections.abc import Sequence

from collectors.devices.device import CommandResult, Device, DeviceFacts
from collectors.devices.known_failures import explain_log
from collectors.devices.toolchain_layout import SHIM_FILE, SMOKE_FILE, InstalledPart
from collectors.errors import DeviceUnavailable, ToolError

# Minutes, since an emulated phone is twenty times slower.
_SECONDS = 240.0
# Tools that would leave a file where they run.
_WITH_OUT_FILE = frozenset({"massif", "cachegrind", "callgrind", "dhat"})
# A program of the system: dynamic, so that linker and libc are tried as well.
DEVICE_PROGRAM = "/system/bin/true"


def smoke_test(device: Device, part: InstalledPart, folder: str, facts: DeviceFacts) -> str:
    """Try the tools that lie in `folder`; return the version they tell.

    Raises `ToolError` that says which tool fails, why and what to do.
    """
    version = tool_version(device, part, folder)
    programs = [f"{folder}/{SMOKE_FILE}"]
    if part.abi == facts.abi and device.exists(DEVICE_PROGRAM):
        programs.append(DEVICE_PROGRAM)
    for tool in part.tools:
        for program in programs:
            try_tool(device, part, folder, tool, program)
    return version


def tool_version(device: Device, part: InstalledPart, folder: str) -> str:
    """What Memcheck itself says of its version. Raises `ToolError` when it does not run."""
    answer = _run_tool(device, part, folder, "memcheck", ["--version"])
    if answer.status == 139:
        raise ToolError(
            f"{part.origin}: `valgrind --version` itself crashes on {device.serial}: an old "
            "build: install a newer package (--from-apt)"
        )
    if answer.status or not answer.text:
        raise _failure(device, part, "memcheck", "--version", answer)
    return answer.text.splitlines()[0].removeprefix("valgrind-")


def quiet_options(tool: str) -> list[str]:
    """Options with which a tool leaves no file."""
    out = [f"--{tool}-out-file=/dev/null"] if tool in _WITH_OUT_FILE else []
    return ["--vgdb=no", *out]


def try_tool(device: Device, part: InstalledPart, folder: str, tool: str, program: str) -> None:
    """Run one program under one tool. Raises `ToolError` when that fails."""
    words = [*quiet_options(tool), program]
    answer = _run_tool(device, part, folder, tool, words)
    if answer.status:
        raise _failure(device, part, tool, program, answer)


def _run_tool(
    device: Device, part: InstalledPart, folder: str, tool: str, words: Sequence[str]
) -> CommandResult:
    """Start a tool as the launcher does; `folder` may be one that is not in place yet."""
    program = f"{folder}/{tool}-{part.platform}"
    env = {"VALGRIND_LIB": folder, "VALGRIND_LAUNCHER": program, "TMPDIR": folder}
    dynamic = words[-1] == DEVICE_PROGRAM
    linker = "/system/bin/linker64" if "64" in part.abi else "/system/bin/linker"
    if dynamic and device.exists(linker):
        env["LD_PRELOAD"] = f"{folder}/{SHIM_FILE}"
    try:
        return device.run(
            [program, f"--tool={tool}", *words], timeout=_SECONDS, env=env, cwd=folder
        )
    except DeviceUnavailable as error:
        raise ToolError(f"{tool} on {words[-1]}: {error}") from error


def _failure(
    device: Device, part: InstalledPart, tool: str, program: str, answer: CommandResult
) -> ToolError:
    said = answer.stderr.decode("utf-8", "replace").strip().splitlines()
    reason = explain_log(answer.stderr) or (said[-1] if said else "it says nothing")
    return ToolError(
        f"{part.origin} does not work on {device.serial}: {tool} {program}: exit status "
        f"{answer.status}: {reason}"
    )
