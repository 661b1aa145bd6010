"""The threads of a device's busiest processes, looked at once a second by a shell there.

For who watches a whole machine: reading every thread ten times a second would cost more
than what is looked for. Each look gives a sample of its own, in the sampler's format.
"""

import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from collectors.devices.device import Device
from collectors.errors import DeviceError
from collectors.readers.proc import Sample, SampleParser
from profiler.watching.processes import Process, parse_processes

INTERVAL_SECONDS = 1.0
_FIRST_SECONDS = 0.5  # between the first two looks, which tell who is busy
_EVERY = 3  # looks: in one of them all processes are looked at, in another switches
_MOST_PROCESSES = 8
_MOST_THREADS = 250
_FADING = 0.5  # what a process did three looks ago counts half
# A random word parts the two halves: names come from programs, and could say anything.
_ASK = """
word=$0
echo "# clock_ticks $(getconf CLK_TCK 2>/dev/null || echo 100)"
also=$1
[ "$also" = everybody ] && cat /proc/[0-9]*/stat
shift
echo "$word"
read -r up rest </proc/uptime
echo "S $up"
for p in "$@"; do
  l="L $p"
  echo "P $p"
  cat /proc/$p/task/*/stat
  for t in /proc/$p/task/[0-9]*; do
    read -r s <"$t/schedstat" && echo "R $p ${t##*/} $s" && l="$l ${t##*/}"
  done
  echo "$l"
  [ "$also" = switches ] && grep -H ctxt_switches: /proc/$p/task/*/status
done
true
"""
_SWITCHES = re.compile(
    rb"/proc/(\d+)/task/(\d+)/status:(non)?voluntary_ctxt_switches:\s*(\d+)"
).fullmatch
_Thread = tuple[bytes, bytes]  # pid and tid


class BusiestThreads:
    """Looks again and again until stopped; tells `show` each sample, from its own thread.

    What it read goes to `file` as well, as the sampler would write it.
    """

    def __init__(self, device: Device, show: Callable[[Sample], None], file: Path) -> None:
        self._device = device
        self._show = show
        self._file = file
        self._before_of: dict[bytes, dict[_Thread, bytes]] = {}  # R and V lines, by thread
        self._parser = SampleParser("busiest")
        self._before: dict[int, Process] = {}
        self._busy: dict[int, float] = {}
        self._chosen: list[int] = []
        self._ended: set[int] = set()
        self._looks = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="busiest", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end; a look that is under way ends by itself."""
        self._stop.set()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stop.is_set():
            try:
                sample = self.look()
            except (DeviceError, OSError):
                return  # who follows the sampler, beside this file, notices and says so
            if sample is not None and not self._stop.is_set():
                self._show(sample)
            due += _FIRST_SECONDS if self._looks < 2 else INTERVAL_SECONDS
            due = max(due, time.monotonic())
            self._stop.wait(due - time.monotonic())

    def look(self) -> Sample | None:
        """One look; None as long as nobody is known to be busy. Raises `DeviceError`."""
        turn = self._looks % _EVERY
        everybody = self._looks < 2 or turn == 0
        also = "everybody" if everybody else "switches" if turn == 2 else "-"
        self._looks += 1
        word = secrets.token_hex(8)
        pids = [str(pid) for pid in self._chosen]
        answer = self._device.run(["sh", "-c", _ASK, word, also, *pids], timeout=20).stdout
        head, _, tail = answer.partition(word.encode() + b"\n")
        if everybody:
            self._choose(parse_processes(head.splitlines()))
        if not pids:
            return None
        facts = head.partition(b"\n")[0]
        ended = [b"G %d" % pid for pid in self._ended]
        self._ended.clear()
        names = {b"%d" % pid: process.name.encode() for pid, process in self._before.items()}
        lines = self._changed(sampler_lines(tail, names))
        content = b"\n".join([facts, *lines, *ended, b"E", b""])
        with self._file.open("ab") as out:
            out.write(content)
        samples = self._parser.feed(content)
        return samples[-1] if samples else None

    def _changed(self, lines: Iterable[bytes]) -> list[bytes]:
        """The lines, without what is as it was in the look before: threads that did not run."""
        lines = list(lines)
        for kind in (b"R ", b"V "):
            now = {_thread(line): line for line in lines if line.startswith(kind)}
            before = self._before_of.get(kind, {})
            same = {thread for thread, line in now.items() if before.get(thread) == line}
            kinds = (b"T ", b"R ") if kind == b"R " else (kind,)
            lines = [ln for ln in lines if ln[:2] not in kinds or _thread(ln) not in same]
            if now:
                self._before_of[kind] = now
        return lines

    def _choose(self, now: dict[int, Process]) -> None:
        """Take the processes that used the CPUs most since the look before."""
        before, self._before = self._before, now
        self._ended.update(before.keys() - now.keys())
        if not before:
            return
        busy = {
            pid: max(0, process.ticks - before[pid].ticks) + _FADING * self._busy.get(pid, 0)
            for pid, process in now.items()
            if pid in before
        }
        self._busy = {pid: ticks for pid, ticks in busy.items() if ticks > 0.1}
        chosen: list[int] = []
        threads = 0
        for pid in sorted(self._busy, key=lambda pid: (-self._busy[pid], pid)):
            threads += now[pid].threads
            if len(chosen) >= _MOST_PROCESSES or (chosen and threads > _MOST_THREADS):
                break
            chosen.append(pid)
        self._chosen = chosen


def _thread(line: bytes) -> _Thread:
    """The thread that a line of the sampler is about."""
    _, pid, tid, *_ = line.split(b" ", 3)
    return pid, tid


def sampler_lines(content: bytes, names: Mapping[bytes, bytes]) -> Iterator[bytes]:
    """The sampler's lines out of what the shell printed, and of it what is as expected.

    `names` are the processes', which threads that are called otherwise get behind their own.
    """
    later: list[bytes] = []  # of threads that must have been named before
    voluntary: dict[_Thread, bytes] = {}
    pid = b""
    for line in content.split(b"\n"):
        kind, _, rest = line.partition(b" ")
        if kind == b"S":
            yield line
        elif kind == b"P" and rest.isdigit():
            pid = rest
        elif kind == b"R" and len(rest.split()) > 3:
            later.append(line)
        elif kind == b"L" and len(rest.split()) > 1:
            yield line
        elif kind.isdigit() and b"(" in rest and pid:
            yield b"T %s %s %s" % (pid, kind, _of_process(line, names.get(pid, b"")))
        elif (found := _SWITCHES(line)) is not None:
            *thread, by_force, count = found.groups()
            key = (thread[0], thread[1])
            if by_force is None:
                voluntary[key] = count
            elif key in voluntary:
                later.append(b"V %s %s %s %s" % (*key, voluntary.pop(key), count))
    yield from later


def _of_process(stat: bytes, process: bytes) -> bytes:
    """The line of a thread, its name followed by its process's where that is another."""
    start, end = stat.find(b"("), stat.rfind(b")")
    if end < start or not process or stat[start + 1 : end] == process:
        return stat
    return b"%s \xc2\xb7 %s%s" % (stat[:end], process, stat[end:])
