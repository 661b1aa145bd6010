"""The sampler of this machine where no native one runs on it: a thread that reads /proc."""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from collectors.errors import ToolError
from collectors.readers.proc import MAGIC
from collectors.tools.tool import Subject

_TURNS = 5  # threads a sample whose switches and children are read
_SEARCH_SECONDS = 1.0
_SLOW_SECONDS = 10.0
_MOST_ZONES = 16
_MOST_OPEN_THREADS = 250  # two descriptors each, of the 1024 that are usual
_SYSTEM_LINES = (b"cpu", b"ctxt", b"procs_")
_CPUS = Path("/sys/devices/system/cpu")


class _Thread:
    """A thread's files in /proc; kept open, reading them again is one system call each."""

    def __init__(self, pid: int, tid: int, *, keep_open: bool) -> None:
        self._folder = f"/proc/{pid}/task/{tid}"
        self.key = b"%d %d " % (pid, tid)
        self.times = b""
        self.times_of_switches = b""
        self._open: dict[str, int] = {}
        if keep_open:
            try:
                for name in ("stat", "schedstat"):
                    self._open[name] = _open(f"{self._folder}/{name}")
            except OSError:
                self.close()
                raise

    def read(self, name: str) -> bytes:
        kept = self._open.get(name)
        if kept is not None:
            return os.pread(kept, 1024, 0)
        descriptor = _open(f"{self._folder}/{name}")
        try:
            return os.read(descriptor, 1024)
        finally:
            os.close(descriptor)

    def close(self) -> None:
        for descriptor in self._open.values():
            os.close(descriptor)
        self._open = {}


def _open(path: str) -> int:
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


class PythonSampler:
    """A thread of droidgrind's own that reads /proc and writes what it read."""

    def __init__(self, subject: Subject, file: Path, interval: float) -> None:
        self._name = subject.name
        self._file = file
        self._interval = interval
        self._threads: dict[int, dict[int, _Thread]] = {}
        self._turn: dict[int, int] = {}
        if subject.pid is not None:
            self._threads[subject.pid] = {}
        self._searched = self._slow = -1e9
        self._stop = threading.Event()
        self._error: OSError | None = None
        self._frequencies = _frequency_files()
        self._zones = _zone_files()
        self._sink: BinaryIO = file.open("wb")
        self._sink.write(_head(interval, self._frequencies, self._zones))
        self._worker = threading.Thread(target=self._run, name="schedstat", daemon=True)
        self._worker.start()

    @property
    def files(self) -> Sequence[Path]:
        return (self._file,)

    def stop(self) -> None:
        if self._sink.closed:
            return
        self._stop.set()
        self._worker.join()
        try:
            self._sink.close()
        except OSError as error:
            self._error = self._error or error
        if self._error is not None:
            raise ToolError(f"schedstat: {self._file}: {self._error.strerror}")

    def _run(self) -> None:
        due = time.monotonic()
        try:
            while True:
                self._sample()
                due += self._interval
                now = time.monotonic()
                if due < now:  # late: keep the rhythm, the reader counts what was missed
                    due += self._interval * ((now - due) // self._interval + 1)
                if self._stop.wait(due - now):
                    break
            self._sample()
        except OSError as error:  # a full disk: the sampling ends, the target goes on
            self._error = error
        finally:
            for descriptor in (*self._frequencies.values(), *self._zones.values()):
                os.close(descriptor)
            for threads in self._threads.values():
                for thread in threads.values():
                    thread.close()

    def _sample(self) -> None:
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        parts = [b"S %.6f\n" % now]
        with open("/proc/stat", "rb") as stat:  # noqa: PTH123  # ten times a second
            for line in stat:
                if line.startswith(_SYSTEM_LINES):
                    parts.append(line)
                elif line.startswith(b"intr"):
                    parts.append(b" ".join(line.split(b" ", 2)[:2]) + b"\n")
        parts.extend(_numbers(b"F", self._frequencies))
        if now - self._slow >= _SLOW_SECONDS:
            self._slow = now
            parts.extend(_numbers(b"Z", self._zones))
        if self._name is not None and now - self._searched >= _SEARCH_SECONDS:
            self._searched = now
            self._search(self._name)
        waiting = list(self._threads)
        while waiting:
            children = list(self._process(waiting.pop(), parts))
            waiting.extend(children)
        parts.append(b"C %d\nE\n" % time.thread_time_ns())
        self._sink.write(b"".join(parts))
        self._sink.flush()

    def _may_keep(self) -> bool:
        """Whether a thread's files may stay open: droidgrind has to open others as well."""
        return sum(map(len, self._threads.values())) < _MOST_OPEN_THREADS

    def _search(self, name: str) -> None:
        for entry in os.listdir("/proc"):  # noqa: PTH208
            if not entry.isdigit() or int(entry) in self._threads or int(entry) == os.getpid():
                continue
            try:
                comm = Path(f"/proc/{entry}/comm").read_bytes().rstrip(b"\n")
                argv0 = Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0", 1)[0]
            except OSError:  # it has ended
                continue
            wanted = os.fsencode(name)
            if comm == wanted[:15] or argv0 == wanted or argv0.startswith(wanted + b":"):
                self._threads[int(entry)] = {}

    def _process(self, pid: int, parts: list[bytes]) -> Iterator[int]:
        """Read a process's threads; gives the pids of children not seen before."""
        threads = self._threads[pid]
        try:
            tids = [int(name) for name in os.listdir(f"/proc/{pid}/task")]  # noqa: PTH208
        except OSError:
            for thread in threads.values():
                thread.close()
            del self._threads[pid]
            self._turn.pop(pid, None)
            parts.append(b"G %d\n" % pid)
            return
        if threads.keys() != set(tids):
            for tid in threads.keys() - set(tids):
                threads.pop(tid).close()
            for tid in tids:
                if tid not in threads:
                    try:
                        threads[tid] = _Thread(pid, tid, keep_open=self._may_keep())
                    except OSError:  # it has ended meanwhile
                        continue
            parts.append(b"L %d %s\n" % (pid, b" ".join(b"%d" % tid for tid in threads)))
        for thread in threads.values():
            _read_times(thread, parts)
        everything = self._stop.is_set()
        order = list(threads.items())
        start = 0 if everything else self._turn.get(pid, 0) % max(1, len(order))
        done = 0
        for place, (tid, thread) in enumerate(order[start:], start=start + 1):
            self._turn[pid] = place
            if thread.times_of_switches == thread.times:
                continue  # who has not run has neither switched nor forked
            thread.times_of_switches = thread.times
            folder = f"/proc/{pid}/task/{tid}"
            try:
                parts.extend(_switches(thread.key, folder))
                with open(f"{folder}/children", "rb") as children:  # noqa: PTH123
                    for child in map(int, children.read().split()):
                        if child not in self._threads:
                            self._threads[child] = {}
                            yield child
            except OSError:  # it has ended
                continue
            done += 1
            if done >= _TURNS and not everything:
                return


def _read_times(thread: _Thread, parts: list[bytes]) -> None:
    try:
        times = thread.read("schedstat")
        if times == thread.times:
            return
        # A newline in a thread's name would break the line.
        stat = thread.read("stat").rstrip(b"\n").replace(b"\n", b" ")
    except OSError:  # the thread has ended
        return
    thread.times = times
    parts.append(b"T %s%s\nR %s%s" % (thread.key, stat, thread.key, times))


def _switches(key: bytes, folder: str) -> Iterator[bytes]:
    with open(f"{folder}/status", "rb") as status:  # noqa: PTH123
        _, found, counts = status.read().rpartition(b"\nvoluntary_ctxt_switches:")
    words = counts.split()
    if found and len(words) >= 3:
        yield b"V %s%d %d\n" % (key, int(words[0]), int(words[2]))


def _head(interval: float, policies: dict[int, int], zones: dict[int, int]) -> bytes:
    lines = [
        MAGIC,
        b"# way local",
        b"# clock_ticks %d" % os.sysconf("SC_CLK_TCK"),
        b"# page_bytes %d" % os.sysconf("SC_PAGE_SIZE"),
        b"# interval_seconds %.6g" % interval,
        b"# started_unix %.3f" % time.time(),
    ]
    for folder in sorted(_CPUS.glob("cpu[0-9]*")):
        online, khz, capacity = (
            _content(folder / name)
            for name in ("online", "cpufreq/cpuinfo_max_freq", "cpu_capacity")
        )
        words = (folder.name[3:].encode(), online or b"1", khz or b"-", capacity or b"-")
        lines.append(b"# cpu " + b" ".join(words))
    for number in policies:
        related = _content(_CPUS / f"cpufreq/policy{number}/related_cpus")
        lines.append(b"# policy %d %s" % (number, related))
    for number in zones:
        kind = _content(Path(f"/sys/class/thermal/thermal_zone{number}/type"))
        lines.append(b"# zone %d %s" % (number, kind))
    return b"\n".join(lines) + b"\n"


def _content(file: Path) -> bytes:
    """What a file of /sys holds; nothing where it cannot be read."""
    try:
        return file.read_bytes().strip()
    except OSError:
        return b""


def _numbers(kind: bytes, files: dict[int, int]) -> Iterator[bytes]:
    for number, descriptor in files.items():
        try:
            yield b"%s %d %d\n" % (kind, number, int(os.pread(descriptor, 32, 0)))
        except (OSError, ValueError):  # a zone or CPU that is switched off
            continue


def _frequency_files() -> dict[int, int]:
    """One file a policy: CPUs that share a clock; none on most virtual machines."""
    return _open_numbered(_CPUS.glob("cpufreq/policy[0-9]*/scaling_cur_freq"), "policy")


def _zone_files() -> dict[int, int]:
    zones = sorted(Path("/sys/class/thermal").glob("thermal_zone[0-9]*/temp"))
    return _open_numbered(iter(zones[:_MOST_ZONES]), "thermal_zone")


def _open_numbered(files: Iterator[Path], prefix: str) -> dict[int, int]:
    found: dict[int, int] = {}
    for file in files:
        try:
            found[int(file.parent.name.removeprefix(prefix))] = _open(str(file))
        except (OSError, ValueError):
            continue
    return found
