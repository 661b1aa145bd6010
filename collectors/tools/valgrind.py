"""What all Valgrind tools share: the command line, and how a run's end is to be understood."""

import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from collectors.devices.device import STDERR_FILE, DeviceFacts, ExitStatus
from collectors.devices.toolchain import Toolchain
from collectors.tools.tool import ToolSettings, Wrapper

LOG_PATTERN = "valgrind.%p.log"
# The log then says where each file was loaded, so that symbols can be looked up later.
SAY_LOADS = ("-v", "-v")
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


@dataclass(frozen=True, slots=True)
class Signature:
    """A known way in which Valgrind itself fails: how its log looks, why, and the remedy."""

    pattern: re.Pattern[bytes]
    cause: str
    remedy: str


SIGNATURES = (
    Signature(
        re.compile(rb"Can't create client cmdline file in (\S+)"),
        "Valgrind could not write its temporary files",
        "set TMPDIR to a writable directory",
    ),
    Signature(
        re.compile(rb"failed to start tool '[^']*' for platform"),
        "the folder of Valgrind's tools is wrong, or they are not executable",
        "install Valgrind again, or check VALGRIND_LIB",
    ),
    Signature(
        re.compile(rb"unhandled instruction 0x38BFC\w+", re.IGNORECASE),
        "this Valgrind does not know LDAPRB, which Android 14's linker uses",
        "use Valgrind 3.26 or later",
    ),
    Signature(
        re.compile(rb"unhandled instruction 0x[46]E8\w+", re.IGNORECASE),
        "this Valgrind does not know the dot-product instructions",
        "use Valgrind 3.23 or later, or build the target without +dotprod",
    ),
    Signature(
        re.compile(rb"unhandled instruction|Unrecognised instruction at address"),
        "the target uses an instruction that this Valgrind does not know",
        "use a newer Valgrind, or build the target for an older CPU (-march)",
    ),
    Signature(
        re.compile(rb"Unsupported clone\(\) flags"),
        "the system's crash handler starts a process in a way that Valgrind refuses",
        "the target crashed: fix the crash first, its place is in the log",
    ),
    Signature(
        re.compile(rb"executable's TLS segment is underaligned"),
        "this Valgrind was not linked for Android",
        "install one from a distribution's package",
    ),
    Signature(
        re.compile(
            rb"A must-be-redirected function|Fatal error at startup: a function redirection"
        ),
        "Valgrind needs the symbols of the dynamic loader",
        "install the C library's debug symbols (Debian: libc6-dbg)",
    ),
    Signature(
        re.compile(rb"the 'impossible' happened"),
        "Valgrind has a bug that this target meets",
        "try another version of Valgrind",
    ),
    Signature(
        re.compile(
            rb"Valgrind's memory management: out of memory|mmap\(0x[0-9a-f]+, \d+\) failed"
        ),
        "Valgrind ran out of memory",
        "make the target's work smaller",
    ),
    Signature(
        re.compile(rb"valgrind: (?:unknown|Bad) option|Unknown option: "),
        "Valgrind refused an option",
        "check --tool-arg",
    ),
    Signature(
        re.compile(rb"^valgrind: (?!warning)(.+)", re.MULTILINE),
        "Valgrind gave up before the target started",
        "see its log in the session",
    ),
)

_FATAL = re.compile(rb"Process terminating with default action of signal (\d+) \((\w+)\)")


def command(
    toolchain: Toolchain,
    wrapper: Wrapper,
    output_dir: str,
    settings: ToolSettings,
    facts: DeviceFacts,
    target: Sequence[str],
) -> tuple[str, ...]:
    """The whole command line that runs `target` under `wrapper`.

    Valgrind's own words go to a log file of their own, so that the target's standard error
    stays the target's.
    """
    return (
        *toolchain.command(wrapper.valgrind_tool),
        f"--log-file={output_dir}/{LOG_PATTERN}",
        "--vgdb=no",
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
    ended_badly = status.signal is not None or status.code != 0
    if ended_badly and not has_output and fatal is None:
        # Before it has a log, Valgrind writes to standard error, as the target does.
        return Verdict(
            Outcome.VALGRIND_FAILED, explain_failure(log + _head(folder / STDERR_FILE), status)
        )
    known = _known_failure(log) if ended_badly else None
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
    known = _known_failure(log)
    if known is not None:
        match = known.pattern.search(log)
        line = b"" if match is None else log[match.start() :].split(b"\n", 1)[0]
        said = line.decode("utf-8", "replace").strip()
        return f"{known.cause} ({said}): {known.remedy}"
    return f"Valgrind ended with status {status.shell_status} and left no results: see its log"


def _known_failure(log: bytes) -> Signature | None:
    return next((known for known in SIGNATURES if known.pattern.search(log)), None)
