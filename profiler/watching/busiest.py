"""The threads of a device's busiest processes, looked at once a second by a shell there.

For who watches a whole machine: reading every thread ten times a second would cost more
than what is looked for. Each look gives a sample of its own, in the sampler's format.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator

from collectors.devices.device import Device
from collectors.errors import DeviceError
from collectors.readers.proc import Sample, SampleParser
from profiler.watching.processes import Process, parse_processes

INTERVAL_SECONDS = 1.0
_FIRST_SECONDS = 0.5  # between the first two looks, which tell who is busy
_PROCESSES_EVERY = 3  # looks
_MOST_PROCESSES = 8
_MOST_THREADS = 250
_FADING = 0.5  # what a process did three looks ago counts half
# A random word parts the two halves: names come from programs, and could say anything.
_ASK = """
word=$0
echo "# clock_ticks $(getconf CLK_TCK 2>/dev/null || echo 100)"
[ "$1" = all ] && cat /proc/[0-9]*/stat
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
done
true
"""


class BusiestThreads:
    """Looks again and again until stopped; tells `show` each sample, from its own thread."""

    def __init__(self, device: Device, show: Callable[[Sample], None]) -> None:
        self._device = device
        self._show = show
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
            except DeviceError:  # who follows the sampler notices, says so and starts anew
                return
            if sample is not None and not self._stop.is_set():
                self._show(sample)
            due += _FIRST_SECONDS if self._looks < 2 else INTERVAL_SECONDS
            due = max(due, time.monotonic())
            self._stop.wait(due - time.monotonic())

    def look(self) -> Sample | None:
        """One look; None as long as nobody is known to be busy. Raises `DeviceError`."""
        everybody = self._looks < 2 or self._looks % _PROCESSES_EVERY == 0
        self._looks += 1
        word = secrets.token_hex(8)
        pids = [str(pid) for pid in self._chosen]
        answer = self._device.run(
            ["sh", "-c", _ASK, word, "all" if everybody else "-", *pids], timeout=20
        ).stdout
        head, _, tail = answer.partition(word.encode() + b"\n")
        if everybody:
            self._choose(parse_processes(head.splitlines()))
        if not pids:
            return None
        facts = head.partition(b"\n")[0]
        ended = [b"G %d" % pid for pid in self._ended]
        self._ended.clear()
        lines = [facts, *sampler_lines(tail), *ended, b"E", b""]
        samples = self._parser.feed(b"\n".join(lines))
        if not samples:
            return None
        sample = samples[-1]
        for (pid, _tid), thread in sample.threads.items():
            process = self._before.get(pid)
            if process is None or thread.name == process.name:
                continue
            of = f" · {process.name}"
            if not thread.name.endswith(of):  # one that was not read again has it
                thread.name += of
        return sample

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


def sampler_lines(content: bytes) -> Iterator[bytes]:
    """The sampler's lines out of what the shell printed, and of it what is as expected."""
    times: list[bytes] = []
    pid = b""
    for line in content.split(b"\n"):
        kind, _, rest = line.partition(b" ")
        if kind == b"S":
            yield line
        elif kind == b"P" and rest.isdigit():
            pid = rest
        elif kind == b"R":
            times.append(line)
        elif kind == b"L" and len(rest.split()) > 1:
            yield line
        elif kind.isdigit() and b"(" in rest and pid:
            yield b"T %s %s %s" % (pid, kind, line)
    yield from times
