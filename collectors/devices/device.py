"""The protocol of a device: how to run and fetch things somewhere.

Paths on a device are `str`, paths on this machine are `pathlib.Path`; the local device
accepts its own paths as both. Commands are argument lists, quoted where they must be by
the device alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from collectors.errors import DeviceUnavailable

STDOUT_FILE = "stdout"
STDERR_FILE = "stderr"


@dataclass(frozen=True, slots=True)
class CommandResult:
    """A command that ended: its true exit status, and its two streams apart."""

    argv: tuple[str, ...]
    status: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        """Standard output as text without surrounding white space."""
        return self.stdout.decode("utf-8", "replace").strip()


@dataclass(frozen=True, slots=True)
class Cpu:
    """One CPU: its greatest frequency and relative capacity tell big cores from little."""

    number: int
    online: bool = True
    max_khz: int | None = None
    capacity: int | None = None


@dataclass(frozen=True, slots=True)
class CacheGeometry:
    """A cache as Cachegrind wants it: size, associativity, line size (bytes)."""

    size_bytes: int
    associativity: int
    line_bytes: int

    def __str__(self) -> str:
        return f"{self.size_bytes},{self.associativity},{self.line_bytes}"


@dataclass(frozen=True, slots=True)
class Caches:
    """The caches that Cachegrind can simulate, and where their geometry comes from."""

    instruction: CacheGeometry | None
    data: CacheGeometry | None
    last_level: CacheGeometry | None
    source: str


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What a recording keeps of the device it was made on. None means: could not be read."""

    serial: str
    model: str | None = None
    abi: str | None = None
    abis: tuple[str, ...] = ()
    android: str | None = None
    sdk: int | None = None
    kernel: str | None = None
    page_bytes: int | None = None
    memory_bytes: int | None = None
    cpus: tuple[Cpu, ...] = ()
    caches: Caches | None = None


@dataclass(frozen=True, slots=True)
class ExitStatus:
    """How a process ended: one of `code` and `signal` is set, or neither: nobody saw it."""

    code: int | None = None
    signal: int | None = None

    @classmethod
    def from_shell(cls, status: int) -> "ExitStatus":
        """A shell's view: 128 + n stands for signal n."""
        return cls(signal=status - 128) if 128 < status < 192 else cls(code=status)

    @property
    def is_known(self) -> bool:
        return self.code is not None or self.signal is not None

    @property
    def shell_status(self) -> int:
        return 128 + self.signal if self.signal is not None else (self.code or 0)


@dataclass(frozen=True, slots=True)
class Job:
    """A long-running command on a device.

    Its standard output and error go to the files `stdout` and `stderr` in `output_dir` (a
    device path), beside whatever the command writes there itself. `name` is unique in a
    session. A `held` job has its pid but waits for `release`, so that samplers can begin
    before it does.
    """

    name: str
    argv: tuple[str, ...]
    output_dir: str
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    cwd: str | None = None
    held: bool = False


@dataclass(frozen=True, slots=True)
class Preferred:
    """A program of this machine that does what a command does, where the device can run it.

    `file --try` prints `ok` there; `words` are its arguments otherwise.
    """

    file: Path
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResourceUsage:
    """What a job that ended had used; None where the device could not tell.

    `storage_left` is how many bytes were free at its end where it had written.
    """

    wall_seconds: float
    cpu_seconds: float | None = None
    max_rss_bytes: int | None = None
    storage_left: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One change: `kind` is a key of `changes.UNDO`, `details` what undoing it needs."""

    kind: str
    details: Mapping[str, str] = field(default_factory=dict[str, str])

    def __str__(self) -> str:
        return " ".join([self.kind, *(f"{k}={v}" for k, v in self.details.items())])


class ChangeLog(Protocol):
    """Where changes are written down before they are made."""

    def add(self, change: Change) -> int:
        """Write the change down, durably; its number."""
        ...

    def undone(self, number: int) -> None: ...


class RunningJob(Protocol):
    """A started job. All calls return at once unless their name says otherwise."""

    @property
    def job(self) -> Job: ...

    @property
    def pid(self) -> int:
        """The pid on the device of the job's first process."""
        ...

    @property
    def usage(self) -> ResourceUsage | None:
        """What the job used, once it has ended."""
        ...

    def release(self) -> None:
        """Let a held job go on; nothing for any other."""
        ...

    def wait(self, seconds: float) -> ExitStatus | None:
        """Wait up to `seconds` for the end; like `poll` otherwise."""
        ...

    def poll(self) -> ExitStatus | None:
        """How the job ended, or None while it runs.

        Raises `DeviceUnavailable` while the device cannot be reached; the job goes on.
        """
        ...

    def signal(self, number: int) -> None:
        """Send a signal to the job's first process and its descendants."""
        ...

    def fetch(self, destination: Path) -> None:
        """Bring what is new in the output directory to `destination`, files growing in place.

        After `poll` has given a status, one more call leaves `destination` equal to the
        device's directory, verified by size and hash.
        """
        ...

    def discard(self) -> None:
        """Remove from the device what `start` and the job left there."""
        ...


class RunningStream(Protocol):
    """A command whose standard output is copied to a file of this machine as it comes."""

    @property
    def cpu_seconds(self) -> float | None:
        """CPU time that the command used, once it has ended; None where nobody knows."""
        ...

    def poll(self) -> ExitStatus | None: ...

    def stop(self) -> ExitStatus:
        """End the command and return when its output is complete in the sink."""
        ...


class Device(Protocol):
    """Somewhere a target can run."""

    @property
    def serial(self) -> str: ...

    def facts(self) -> DeviceFacts: ...

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        stdin: bytes | None = None,
    ) -> CommandResult:
        """Run a short command to its end; twice, perhaps, where the link was lost meanwhile.

        Raises `DeviceUnavailable` when the device cannot be reached or the time is over.
        """
        ...

    def begin(
        self, run: str, log: ChangeLog, on_absence: Callable[[DeviceUnavailable], None]
    ) -> None:
        """Prepare for a recording called `run`, a name that no other one has.

        While the device is away it is waited for, and `on_absence` is called again and
        again; it ends the waiting by raising.

        From now on what is changed on the device is written to `log` before; files,
        jobs and streams go to a folder of the run's own.
        """
        ...

    def output_dir(self, session_id: str, name: str, destination: Path) -> str:
        """A fresh, writable directory on the device for the job `name` of a session.

        `destination` is where its files will be on this machine: the local device uses
        it itself.
        """
        ...

    def undo(self, change: Change) -> None:
        """Undo what was written to a change log. Raises `DeviceError` when it cannot."""
        ...

    @property
    def work_dir(self) -> str | None:
        """Where a target runs unless told otherwise; None means: where droidgrind does."""
        ...

    def place(self, file: Path, *, executable: bool = False, path: str | None = None) -> str:
        """Make a file of this machine available on the device; return its device path.

        `path` asks for a place: absolute, or relative to the run's own folder.
        """
        ...

    def exists(self, path: str) -> bool: ...

    def read_bytes(self, path: str) -> bytes:
        """The content of a small file. Raises `DeviceError` when it cannot be read."""
        ...

    def start(self, job: Job) -> RunningJob: ...

    def attach(self, job: Job) -> RunningJob:
        """Find a job again that `start` started, perhaps in another process."""
        ...

    def stream(
        self,
        argv: Sequence[str],
        sink: BinaryIO,
        *,
        name: str,
        preferred: Preferred | None = None,
    ) -> RunningStream:
        """Start a command beside the target; its output goes to `sink` as it comes.

        Where `preferred` can be brought to the device and runs there, it runs instead.
        In a run that was begun the command outlives a lost link, and the same `name` finds
        it again from another process; its output then comes from its beginning.
        """
        ...
