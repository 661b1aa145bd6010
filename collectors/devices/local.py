"""The Linux machine at hand as a device: subprocess for the running, psutil for the facts."""

import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import BinaryIO

from collectors.devices.caches import read_caches
from collectors.devices.device import (
    STDERR_FILE,
    STDOUT_FILE,
    Change,
    ChangeLog,
    CommandResult,
    Cpu,
    DeviceFacts,
    ExitStatus,
    Job,
    Preferred,
    ResourceUsage,
)
from collectors.errors import DeviceError, DeviceUnavailable

LOCAL_SERIAL = "local"
_PR_SET_PDEATHSIG = 1
_CPUS = Path("/sys/devices/system/cpu")
_ABIS = {"x86_64": "x86_64", "aarch64": "arm64-v8a", "armv7l": "armeabi-v7a", "i686": "x86"}


class LocalDevice:
    """The machine at hand. Output directories are the session's own: nothing is copied."""

    @property
    def serial(self) -> str:
        return LOCAL_SERIAL

    def facts(self) -> DeviceFacts:
        import psutil  # costs more than most commands need

        uname = os.uname()
        abi = _ABIS.get(uname.machine, uname.machine)
        return DeviceFacts(
            serial=LOCAL_SERIAL,
            model=_cpu_model() or uname.nodename,
            abi=abi,
            abis=(abi,),
            kernel=f"{uname.sysname} {uname.release}",
            page_bytes=os.sysconf("SC_PAGE_SIZE"),
            memory_bytes=psutil.virtual_memory().total,
            cpus=read_cpus(_CPUS),
            caches=read_caches(lambda path: Path(path).read_text(encoding="ascii")),
        )

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        stdin: bytes | None = None,
    ) -> CommandResult:
        try:
            done = subprocess.run(
                argv,
                capture_output=True,
                timeout=timeout,
                env={**os.environ, **(env or {})},
                cwd=cwd,
                input=stdin,
                stdin=subprocess.DEVNULL if stdin is None else None,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise DeviceUnavailable(
                f"{' '.join(argv)}: no answer within {timeout:g} s"
            ) from error
        except OSError as error:
            raise DeviceError(f"{argv[0]}: {error.strerror}") from error
        status = done.returncode if done.returncode >= 0 else 128 - done.returncode
        return CommandResult(tuple(argv), status, done.stdout, done.stderr)

    def begin(
        self, run: str, log: ChangeLog, on_absence: Callable[[DeviceUnavailable], None]
    ) -> None:
        """Nothing to prepare, and nothing changes: what is written is in the session."""

    def output_dir(self, session_id: str, name: str, destination: Path) -> str:
        destination.mkdir(parents=True, exist_ok=True)
        return str(destination.resolve())

    def undo(self, change: Change) -> None:
        raise DeviceError(f"{change}: droidgrind changes nothing on this machine")

    @property
    def work_dir(self) -> str | None:
        return None

    def place(self, file: Path, *, executable: bool = False, path: str | None = None) -> str:
        if executable and not os.access(file, os.X_OK):
            raise DeviceError(f"{file} is not executable: chmod +x it")
        return str(file.absolute())

    def exists(self, path: str) -> bool:
        return os.path.exists(path)  # noqa: PTH110  # a device path is a str

    def read_bytes(self, path: str) -> bytes:
        try:
            return Path(path).read_bytes()
        except OSError as error:
            raise DeviceError(f"{path}: {error.strerror}") from error

    def start(self, job: Job) -> "LocalJob":
        return LocalJob(job)

    def attach(self, job: Job) -> "LocalJob":
        raise DeviceError(
            f"{job.name} ran as a child of a droidgrind that is gone: record it again"
        )

    def stream(
        self,
        argv: Sequence[str],
        sink: BinaryIO,
        *,
        name: str = "stream",
        preferred: Preferred | None = None,
    ) -> "LocalStream":
        if preferred is not None and runs_here(preferred.file):
            return LocalStream([str(preferred.file), *preferred.words], sink)
        return LocalStream(argv, sink)


class LocalJob:
    """A child process in a process group of its own, its output in files.

    When droidgrind dies, even by SIGKILL, the kernel sends the child SIGTERM, so that no
    target goes on unseen and Valgrind still writes what it has.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._status: ExitStatus | None = None
        self._usage: ResourceUsage | None = None
        directory = Path(job.output_dir)
        try:
            with (
                (directory / STDOUT_FILE).open("wb") as stdout,
                (directory / STDERR_FILE).open("wb") as stderr,
            ):
                self._started = time.monotonic()
                self._process = subprocess.Popen(
                    job.argv,
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=stderr,
                    env={**os.environ, **job.env},
                    cwd=job.cwd,
                    start_new_session=True,
                    preexec_fn=die_with_parent,  # one system call
                )
        except OSError as error:
            culprit = error.filename or job.argv[0]
            raise DeviceError(f"cannot start {culprit}: {error.strerror}") from error
        self._reaper = threading.Thread(target=self._reap, name=f"reap-{job.name}", daemon=True)
        self._reaper.start()

    @property
    def job(self) -> Job:
        return self._job

    @property
    def pid(self) -> int:
        return self._process.pid

    def _reap(self) -> None:
        """Wait in the kernel: the true end and the child's own resource use."""
        _, status, usage = os.wait4(self._process.pid, 0)
        self._usage = ResourceUsage(
            wall_seconds=time.monotonic() - self._started,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            # ru_maxrss would be that of the fork of droidgrind, if the target used less
            max_rss_bytes=None,
        )
        code = os.waitstatus_to_exitcode(status)
        self._process.returncode = code  # Popen must not wait for it again
        self._status = ExitStatus(code=code) if code >= 0 else ExitStatus(signal=-code)

    def poll(self) -> ExitStatus | None:
        return self._status

    @property
    def usage(self) -> ResourceUsage | None:
        return self._usage

    def release(self) -> None:
        """Samplers of this machine begin at once: nothing is held."""

    def wait(self, seconds: float) -> ExitStatus | None:
        """Wait up to `seconds` for the end."""
        self._reaper.join(seconds)
        return self._status

    def signal(self, number: int) -> None:
        if self._status is not None:
            return
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return

    def fetch(self, destination: Path) -> None:
        """Nothing to bring: the output directory is the destination."""

    def discard(self) -> None:
        """End what the target left running in its process group."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


class LocalStream:
    """A child whose standard output is a file of this machine."""

    def __init__(self, argv: Sequence[str], sink: BinaryIO) -> None:
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=sink,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=die_with_parent,  # one system call
            )
        except OSError as error:
            raise DeviceError(f"cannot start {argv[0]}: {error.strerror}") from error

        self._cpu_seconds: float | None = None

    @property
    def cpu_seconds(self) -> float | None:
        return self._cpu_seconds

    def poll(self) -> ExitStatus | None:
        code = self._process.poll()
        if code is None:
            return None
        return ExitStatus(code=code) if code >= 0 else ExitStatus(signal=-code)

    def stop(self) -> ExitStatus:
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self._process.poll() is None:  # later it has no /proc
            self._cpu_seconds = _ran_seconds(self._process.pid)
        self._process.terminate()
        try:
            code = self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        return ExitStatus(code=code) if code >= 0 else ExitStatus(signal=-code)


@cache
def runs_here(program: Path) -> bool:
    """Whether this machine can run one of the programs shipped for devices (`--try`)."""
    try:
        answer = subprocess.run(
            [program, "--try"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.stdout == b"ok\n"


def _ran_seconds(pid: int) -> float | None:
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_bytes().split()[0]) / 1e9
    except (OSError, ValueError, IndexError):
        return None


_libc = ctypes.CDLL(None)


def die_with_parent() -> None:
    """For `preexec_fn`: the kernel sends the child SIGTERM when its maker dies."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _cpu_model() -> str | None:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return None


def read_cpus(root: Path) -> tuple[Cpu, ...]:
    """The CPUs that /sys/devices/system/cpu (`root`) names."""
    import psutil

    numbers = sorted(
        int(entry.name[3:]) for entry in root.glob("cpu[0-9]*") if entry.name[3:].isdigit()
    )
    if not numbers:  # a container without /sys still knows how many there are
        return tuple(Cpu(number, True) for number in range(psutil.cpu_count() or 0))
    return tuple(
        Cpu(
            number,
            _number(root / f"cpu{number}/online") != 0,  # CPU 0 often has no such file
            _number(root / f"cpu{number}/cpufreq/cpuinfo_max_freq"),
            _number(root / f"cpu{number}/cpu_capacity"),
        )
        for number in numbers
    )


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
