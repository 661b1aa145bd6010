"""schedstat: what the scheduler does to each thread of the target, at 10 Hz."""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from collectors.devices.device import Device
from collectors.errors import ToolError
from collectors.readers.proc import MAGIC, parse_schedstat
from collectors.records.samples import SampleProfile
from collectors.records.shared import Shape
from collectors.tools.tool import RunningSampler, Subject, ToolSettings

_FILE = "schedstat.txt"
_RESCAN_SECONDS = 0.5
_SWITCHES_SECONDS = 0.5  # /proc/…/status costs as much as stat and schedstat together
_SYSTEM_LINES = (b"cpu", b"ctxt", b"procs_")


class Schedstat:
    """Running, waiting for a CPU, context switches and last CPU, thread by thread."""

    name = "schedstat"
    shape = Shape.SAMPLES
    default_interval = 0.1

    def recognises(self, head: bytes) -> bool:
        return head.startswith(MAGIC)

    def is_output(self, name: str) -> bool:
        return name == _FILE

    def read(self, file: Path) -> SampleProfile:
        return parse_schedstat(file)

    def start(
        self, device: Device, subject: Subject, folder: Path, settings: ToolSettings
    ) -> RunningSampler:
        if device.serial != "local":
            raise ToolError(f"schedstat cannot sample {device.serial} yet")
        interval = settings.interval_seconds or self.default_interval
        return _LocalSampler(subject.pid, folder / _FILE, interval)


class _Thread:
    """A thread's files in /proc, kept open: reading them again is one system call each."""

    def __init__(self, pid: int, tid: int) -> None:
        folder = f"/proc/{pid}/task/{tid}"
        self.key = b"%d %d " % (pid, tid)
        self.descriptors: list[int] = []
        try:
            for name in ("stat", "schedstat", "status"):
                self.descriptors.append(os.open(f"{folder}/{name}", os.O_RDONLY | os.O_CLOEXEC))
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.descriptors = []


class _LocalSampler:
    """A thread of droidgrind's own that reads /proc and writes what it read."""

    def __init__(self, pid: int | None, file: Path, interval: float) -> None:
        self._pid = pid
        self._file = file
        self._interval = interval
        self._threads: dict[tuple[int, int], _Thread] = {}
        self._gone: set[tuple[int, int]] = set()
        self._stop = threading.Event()
        self._sink: BinaryIO = file.open("wb")
        self._rescanned = -1.0
        self._switches_read = -1.0
        self._sink.write(
            MAGIC
            + b"\n# way local\n# clock_ticks %d\n# interval_seconds %.6g\n# started_unix %.3f\n"
            % (os.sysconf("SC_CLK_TCK"), interval, time.time())
        )
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
        self._sink.close()

    def _run(self) -> None:
        due = time.monotonic()
        while True:
            self._sample()
            due += self._interval
            now = time.monotonic()
            if due < now:  # late: keep the rhythm, the reader counts what was missed
                due += self._interval * ((now - due) // self._interval + 1)
            if self._stop.wait(due - now):
                break
        self._sample()
        self._sink.write(b"# cost_seconds %.3f\n" % time.thread_time())
        for thread in self._threads.values():
            thread.close()

    def _sample(self) -> None:
        now = time.monotonic()
        parts = [b"S %.6f\n" % now]
        with open("/proc/stat", "rb") as stat:  # noqa: PTH123  # ten times a second
            for line in stat:
                if line.startswith(_SYSTEM_LINES):
                    parts.append(line)
                elif line.startswith(b"intr"):
                    parts.append(b" ".join(line.split(b" ", 2)[:2]) + b"\n")
        parts.extend(_frequencies())
        if self._pid is not None:
            if now - self._rescanned >= _RESCAN_SECONDS:
                self._rescanned = now
                self._rescan()
            else:
                self._find_new_threads()
            switches = now - self._switches_read >= _SWITCHES_SECONDS or self._stop.is_set()
            if switches:
                self._switches_read = now
            for key in list(self._threads):
                parts.extend(self._read(key, switches=switches))
        parts.append(b"E\n")
        self._sink.write(b"".join(parts))
        self._sink.flush()

    def _read(self, key: tuple[int, int], *, switches: bool) -> Iterator[bytes]:
        thread = self._threads[key]
        try:
            stat, schedstat, status = thread.descriptors
            # A newline in a thread's name would break the line.
            line = os.pread(stat, 1024, 0).rstrip(b"\n").replace(b"\n", b" ")
            times = os.pread(schedstat, 128, 0)
            counts = os.pread(status, 4096, 0) if switches else b""
        except OSError:  # the thread has ended
            thread.close()
            del self._threads[key]
            self._gone.add(key)
            return
        yield b"T " + thread.key + line + b"\n"
        yield b"R " + thread.key + times
        if counts:
            entries = (line.partition(b":") for line in counts.split(b"\n"))
            found = {name: value for name, _, value in entries if b"ctxt_switches" in name}
            yield b"V %s%d %d\n" % (
                thread.key,
                int(found.get(b"voluntary_ctxt_switches", b"0")),
                int(found.get(b"nonvoluntary_ctxt_switches", b"0")),
            )

    def _rescan(self) -> None:
        """Look for descendants and their threads."""
        assert self._pid is not None  # noqa: S101  # only called with one
        waiting = [self._pid]
        while waiting:
            pid = waiting.pop()
            for tid in self._look_for_threads(pid):
                try:
                    with open(f"/proc/{pid}/task/{tid}/children", "rb") as children:  # noqa: PTH123
                        waiting.extend(map(int, children.read().split()))
                except (OSError, ValueError):
                    continue

    def _find_new_threads(self) -> None:
        for pid in {pid for pid, _ in self._threads}:
            self._look_for_threads(pid)

    def _look_for_threads(self, pid: int) -> list[int]:
        try:
            tids = [int(name) for name in os.listdir(f"/proc/{pid}/task")]  # noqa: PTH208
        except OSError:
            return []
        for tid in tids:
            key = (pid, tid)
            if key not in self._threads and key not in self._gone:
                try:
                    self._threads[key] = _Thread(pid, tid)
                except OSError:
                    self._gone.add(key)
        return tids


def _frequencies() -> Iterator[bytes]:
    """`F cpu kHz` for every CPU whose frequency can be read; none on most virtual machines."""
    for number, descriptor in _frequency_files().items():
        try:
            yield b"F %d %d\n" % (number, int(os.pread(descriptor, 32, 0)))
        except (OSError, ValueError):
            continue


_open_frequency_files: dict[int, int] | None = None


def _frequency_files() -> dict[int, int]:
    global _open_frequency_files  # opened once a process
    if _open_frequency_files is None:
        found: dict[int, int] = {}
        for folder in Path("/sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq"):
            try:
                number = int(folder.parent.name[3:])
                found[number] = os.open(folder / "scaling_cur_freq", os.O_RDONLY | os.O_CLOEXEC)
            except (OSError, ValueError):
                continue
        _open_frequency_files = found
    return _open_frequency_files


TOOL = Schedstat()
