"""Every deliberate error of droidgrind.

    DroidgrindError            1  the check failed, or nothing more specific
    ├── UsageError             2  wrong words on the command line or in the configuration
    ├── InputError             3  a file or session that cannot be read
    │   └── ParseError            … with its file and its line or byte
    ├── DeviceError            4  no device, not reachable, not permitted, disk full
    │   ├── DeviceUnavailable     … it is offline, unauthorized, absent, or adb itself is
    │   ├── CommandFailed         … a command on it ended with a status that means failure
    │   └── JobLost               … a job on it was killed before it could say how it ended
    ├── ToolError              5  Valgrind (or another tool) is missing, too old, or crashed
    └── Interrupted          130  the person asked to stop

A message says what was wrong, where, and what to do next, in one line.
"""

from collections.abc import Iterable, Sequence


class DroidgrindError(Exception):
    """An error that a person can understand and mend; `exit_code` is the process's status."""

    exit_code = 1


class UsageError(DroidgrindError):
    """The command line or the configuration asks for something that does not exist."""

    exit_code = 2


class InputError(DroidgrindError):
    """A file or session that cannot be read at all."""

    exit_code = 3


class ParseError(InputError):
    """A tool's output of which nothing can be used; `SOURCE:LINE: reason`."""

    def __init__(
        self, source: str, reason: str, *, line: int | None = None, byte: int | None = None
    ) -> None:
        where = f":{line}" if line is not None else f": byte {byte}" if byte is not None else ""
        super().__init__(f"{source}{where}: {reason}")
        self.source = source
        self.reason = reason
        self.line = line
        self.byte = byte


class DeviceError(DroidgrindError):
    """Something is wrong with the device or the way to it."""

    exit_code = 4


class DeviceUnavailable(DeviceError):
    """The device is absent, offline or unauthorized, or adb is not to be reached."""


class CommandFailed(DeviceError):
    """A command on a device ended in a way that its caller cannot use."""

    def __init__(self, argv: Sequence[str], status: int, stderr: str) -> None:
        last = stderr.strip().rsplit("\n", 1)[-1] or "no message"
        super().__init__(f"{' '.join(argv)}: exit status {status}: {last}")
        self.argv = tuple(argv)
        self.status = status


class JobLost(DeviceError):
    """A job on a device is gone without a trace of its end; what it wrote is still there."""


class ToolError(DroidgrindError):
    """A profiling tool is missing, unfit or crashed."""

    exit_code = 5


class Interrupted(DroidgrindError):
    """The person stopped the work; what was there by then is kept."""

    exit_code = 130


def nearest(word: str, known: Iterable[str], cutoff: float = 0.5) -> str:
    """`; did you mean x?` for the end of a message, or nothing where no name is near."""
    from difflib import get_close_matches

    near = get_close_matches(word, sorted(known), n=1, cutoff=cutoff)
    return f"; did you mean {near[0]}?" if near else ""
