"""The sampler's lines, one by one, as they come: each sample once it is whole."""

import math
from collections.abc import Iterator

from collectors.readers.proc.sample import CpuSample, Sample, ThreadSample
from collectors.records.shared import Damage

_MOST_DAMAGE = 20
_MOST_DIGITS = 20  # of a 64-bit counter
_STAT_FIELDS = 37  # of a thread's stat line behind its name, up to the last CPU
_NAME_BYTES = 15
_CLOCK_SLACK_SECONDS = 0.05  # uptime's 10 ms, and the time between reading the two clocks


class SampleParser:
    """Takes the bytes of a growing file and gives each sample once it is whole."""

    def __init__(self, source: str, *, most_carried: int | None = None) -> None:
        self._source = source
        self._carry_left = most_carried
        self._rest = b""
        self._number = 0
        self._sample: Sample | None = None
        self._ticks = 100.0
        self._wall_offset = math.nan
        self._known: dict[tuple[int, int], ThreadSample] = {}
        self._live: dict[int, tuple[int, ...]] = {}
        self._khz: dict[int, float] = {}
        self._policies: dict[int, tuple[int, ...]] = {}
        self._celsius: dict[int, float] = {}
        self._seldom = False  # threads are in some of the samples only
        self._looked = False  # and they are in the one at hand
        self._stat: list[bytes] = []
        self.facts: dict[str, str] = {}
        self.cpus: dict[int, tuple[bool, int | None, int | None]] = {}
        self.cost_seconds: float | None = None
        self.damage: list[Damage] = []

    def feed(self, content: bytes) -> list[Sample]:
        """The samples that `content` completes."""
        return list(self.iter_samples(content))

    def iter_samples(self, content: bytes) -> Iterator[Sample]:
        """The same, one by one."""
        *lines, self._rest = (self._rest + content).split(b"\n")
        for line in lines:
            self._number += 1
            try:
                sample = self._line(line)
            except (ValueError, IndexError, OverflowError):
                self._complain("a line that is not as it should be", "the line is left out")
                continue
            if sample is not None:
                yield sample

    def close(self) -> None:
        """The file has ended: say what was not whole."""
        if self._sample is not None or self._rest:
            self._complain("the file ends inside a sample", "the sample is left out")

    def _complain(self, what: str, effect: str) -> None:
        if len(self.damage) < _MOST_DAMAGE:
            self.damage.append(Damage(self._source, what, effect, line=self._number))

    def _line(self, line: bytes) -> Sample | None:
        if self._stat:  # a thread's name had a newline in it
            self._thread(b" ".join((*self._stat, line)))
            return None
        kind, _, rest = line.partition(b" ")
        if kind == b"#":
            self._fact(rest.decode("utf-8", "replace"))
        elif kind == b"S":
            if self._sample is not None:
                self._complain("a sample without its end", "the sample is left out")
            self._sample = None
            uptime, *wall = map(_finite, rest.split())
            self._sample = Sample(self._clock(uptime, *wall[:1]))
        elif self._sample is None:
            return None
        elif kind == b"T":
            self._thread(rest)
        elif kind == b"R":
            pid, tid, run, wait, *_ = map(_count, rest.split())
            thread = self._changed(pid, tid)
            thread.run_seconds, thread.wait_seconds = run / 1e9, wait / 1e9
        elif kind == b"V":
            pid, tid, voluntary, involuntary = map(_count, rest.split())
            thread = self._changed(pid, tid)
            thread.voluntary, thread.involuntary = float(voluntary), float(involuntary)
        elif kind == b"L":
            pid, *tids = map(_count, rest.split())
            self._live[pid] = tuple(tids)
            self._looked = True
        elif kind == b"G":
            self._live.pop(_count(rest), None)
        elif kind == b"F":
            policy, khz = map(_count, rest.split())
            for number in self._policies.get(policy, (policy,)):
                self._khz[number] = float(khz)
        elif kind == b"Z":
            zone, value = rest.split()
            self._celsius[_count(zone)] = _finite(value) / 1000
        elif kind == b"C":
            self.cost_seconds = _count(rest) / 1e9
        elif kind == b"E":
            return self._end()
        else:
            self._system(self._sample, kind, rest)
        return None

    def _fact(self, text: str) -> None:
        name, _, value = text.partition(" ")
        if name == "cpu":
            number, online, khz, capacity = value.split()
            self.cpus[_count(number)] = (online != "0", _known(khz), _known(capacity))
        elif name == "policy":
            policy, *members = map(_count, value.split())
            self._policies[policy] = tuple(members) or (policy,)
        else:
            self.facts[name] = value
        if name == "threads_interval_seconds":
            self._seldom = True
        if name == "clock_ticks":
            self._ticks = max(1.0, _finite(value))

    def _clock(self, uptime: float, wall: float = math.nan) -> float:
        """The finer wall clock on uptime's scale, unless somebody has set it meanwhile."""
        if math.isnan(wall):
            return uptime
        if not abs(wall - self._wall_offset - uptime) <= _CLOCK_SLACK_SECONDS:
            self._wall_offset = wall - uptime
        return wall - self._wall_offset

    def _changed(self, pid: int, tid: int) -> ThreadSample:
        """The thread in the sample at hand, not shared with the sample before."""
        assert self._sample is not None  # noqa: S101  # only called inside a sample
        thread = self._sample.threads.get((pid, tid))
        if thread is None:
            before = self._known.get((pid, tid))
            thread = before.copy() if before is not None else ThreadSample(pid, tid)
            self._sample.threads[pid, tid] = thread
        return thread

    def _thread(self, rest: bytes) -> None:
        pid, tid, stat = rest.split(b" ", 2)
        name_end = stat.rfind(b")")
        fields = stat[name_end + 2 :].split() if name_end >= 0 else []
        self._stat = []
        if len(fields) < _STAT_FIELDS:
            if len(stat) - stat.index(b"(") > _NAME_BYTES + 1:
                raise ValueError
            self._stat = [rest]  # a newline in the name: the next line goes on with it
            return
        name = stat[stat.index(b"(") + 1 : name_end].decode("utf-8", "replace")
        started = _count(fields[19]) / self._ticks
        thread = self._changed(_count(pid), _count(tid))
        if started != thread.started and not math.isnan(thread.started):
            # Another thread with a number that was used before.
            self._known.pop((thread.pid, thread.tid), None)
            assert self._sample is not None  # noqa: S101
            thread = ThreadSample(thread.pid, thread.tid)
            self._sample.threads[thread.pid, thread.tid] = thread
        thread.name, thread.started = name, started
        thread.user_seconds = _count(fields[11]) / self._ticks
        thread.system_seconds = _count(fields[12]) / self._ticks
        thread.cpu = float(_count(fields[36]))

    def _end(self) -> Sample | None:
        sample, self._sample = self._sample, None
        assert sample is not None  # noqa: S101
        looked, self._looked = self._looked, False
        if self._seldom and not looked:
            self._known.update(sample.threads)
        elif self._carry_left is None or self._carry_left > 0:
            self._carry(sample)
        else:  # more would be out of proportion to the file
            self._known.update(sample.threads)
        for number, khz in self._khz.items():
            if number in sample.cpus:
                sample.cpus[number].khz = khz
        sample.celsius = max(self._celsius.values(), default=math.nan)
        return sample

    def _carry(self, sample: Sample) -> None:
        """Put the threads that live but did not run into the sample."""
        changed, sample.threads = sample.threads, {}
        self._known.update(changed)
        for pid, tids in self._live.items():
            for tid in tids:
                thread = self._known.get((pid, tid))
                if thread is not None:
                    sample.threads[pid, tid] = thread
        for (pid, tid), thread in changed.items():
            if pid not in self._live:
                sample.threads[pid, tid] = thread
        self._known = dict(sample.threads)
        if self._carry_left is not None:
            self._carry_left -= max(0, len(sample.threads) - len(changed))
            if self._carry_left <= 0:
                self._complain(
                    "very many threads that do not run", "they have no rows from here on"
                )

    def _system(self, sample: Sample, kind: bytes, rest: bytes) -> None:
        if kind.startswith(b"cpu") and kind != b"cpu":
            user, nice, system, idle, wait, irq, soft, steal, *_ = [
                _count(word) / self._ticks for word in rest.split()
            ] + [0.0] * 8
            number = _count(kind[3:])
            sample.cpus[number] = CpuSample(
                number, user + nice, system + irq + soft, idle, wait, steal
            )
        elif kind == b"intr":
            sample.interrupts = float(_count(rest.split(None, 1)[0]))
        elif kind == b"ctxt":
            sample.context_switches = float(_count(rest.strip()))
        elif kind == b"procs_running":
            sample.running = float(_count(rest.strip()))
        elif kind == b"procs_blocked":
            sample.blocked = float(_count(rest.strip()))


def _finite(word: bytes | str) -> float:
    value = float(word)
    if not math.isfinite(value):
        raise ValueError
    return value


def _count(word: bytes | str) -> int:
    """A number as the kernel writes it: ASCII digits and nothing else."""
    if not word.isdigit() or len(word) > _MOST_DIGITS:
        raise ValueError
    return int(word)


def _known(word: str) -> int | None:
    return None if word == "-" else _count(word)
