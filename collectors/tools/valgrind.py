"""What all Valgrind tools share: the command line, and how a run's end is to be understood."""

import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from collectors.devices.device import STDERR_FILE, DeviceFacts, ExitStatus
from collectors.devices.known_failures import explain_log, find_failure
from collectors.devices.toolchain import Toolchain
from collectors.tools.tool import ToolSettings, Wrapper

LOG_PATTERN = "valgrind.%p.log"
# The log then says where each file was loaded, so that symbols can be looked up later.
SAY_LOADS = ("-v", "-v")
TRACE_CHILDREN = "--trace-children=yes"
_LOG_GLOB = "valgrind.*.log"
_MOST_LOG_BYTES = 1 << 20


class Outcome(Enum):
    """Whose end it was."""

    TARGET_EXITED = "exited"
    TARGET_CRASHED = "crashed"
    STOPPED = "stopped"
    KILLED = "killed"
    VALGRIND_FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a run under Valgrind ended; `reason` is one sentence, None for a plain exit."""

    outcome: Outcome
    reason: str | None = None


_FATAL = re.compile(rb"Process terminating with default action of signal (\d+) \((\w+)\)")


def command(
    toolchain: Toolchain,
    wrapper: Wrapper,
    output_dir: str,
    settings: ToolSettings,
    facts: DeviceFacts,
    target: Sequence[str],
    *,
    pipes: str | None = None,
) -> tuple[str, ...]:
    """The whole command line that runs `target` under `wrapper`.

    `pipes` is how the names of the pipes begin by which vgdb reaches the run; None: it cannot.

    Valgrind's own words go to a log file of their own, so that the target's standard error
    stays the target's.
    """
    return (
        *toolchain.command(wrapper.valgrind_tool),
        f"--log-file={output_dir}/{LOG_PATTERN}",
        *(("--vgdb=no",) if pipes is None else ("--vgdb=yes", f"--vgdb-prefix={pipes}")),
        *wrapper.options(toolchain.version, output_dir, settings, facts),
        *settings.arguments,
        *target,
    )


def read_logs(folder: Path) -> bytes:
    """Valgrind's own words in a run."""
    return b"\n".join(_head(file) for file in sorted(folder.glob(_LOG_GLOB)))


def _head(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(_MOST_LOG_BYTES)
    except FileNotFoundError:
        return b""


def judge(
    status: ExitStatus | None, folder: Path, *, has_output: bool, stopped: str | None
) -> Verdict:
    """Tell the target's end from Valgrind's own.

    `status` is None when nobody saw the end; `has_output` says whether the tool left a file
    with results; `stopped` is why droidgrind ended the run, if it did.
    """
    if status is None or status.signal == 9:  # SIGKILL: no process can write anything then
        reason = stopped or "it was killed (SIGKILL): Valgrind could not write its results"
        return Verdict(Outcome.KILLED, reason)
    if stopped is not None:
        return Verdict(Outcome.STOPPED, stopped)
    log = read_logs(folder)
    fatal = _FATAL.search(log)
    ended_badly = status.signal is not None or status.code not in {0, None}
    if ended_badly and not has_output and fatal is None:
        # Before it has a log, Valgrind writes to standard error, as the target does.
        return Verdict(
            Outcome.VALGRIND_FAILED, explain_failure(log + _head(folder / STDERR_FILE), status)
        )
    known = find_failure(log) if ended_badly else None
    if status.signal is not None or fatal is not None:
        name = fatal[2].decode("ascii") if fatal else signal_name(status.signal or 0)
        because = f"; {known.cause}: {known.remedy}" if known else ""
        return Verdict(
            Outcome.TARGET_CRASHED, f"the target crashed ({name}), results are kept{because}"
        )
    if known is not None:
        return Verdict(Outcome.TARGET_CRASHED, f"{known.cause}: {known.remedy}")
    return Verdict(Outcome.TARGET_EXITED)


def signal_name(number: int) -> str:
    """`SIGSEGV`; Linux numbers its signals alike on all of Android's architectures."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def explain_failure(log: bytes, status: ExitStatus) -> str:
    """Why Valgrind left no results, as far as its log tells."""
    known = explain_log(log)
    if known is not None:
        return known
    return f"Valgrind ended with status {status.shell_status} and left no results: see its log"
