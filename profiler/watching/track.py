"""Everything sampled, against one axis of time, thinned so that hours take no more room.

Counters only grow, so that leaving a sample out loses resolution and nothing else. Levels
(the run queue) keep the larger of two samples that become one.
"""

import math
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from collectors.readers.proc import Sample, ThreadSample

MOST_SAMPLES = 6000
_MOST_ENDED_THREADS = 1000
Key = tuple[int, int]  # pid and tid


def _doubles() -> "array[float]":
    return array("d")


def _floats() -> "array[float]":
    return array("f")


@dataclass(slots=True)
class ThreadTrack:
    """One thread's counters (seconds, switches) and the CPU it ran on last, by sample.

    The columns end with the last sample in which the thread ran or waited: what is there
    holds since then. `fill` makes them as long as the track, for who reads them by place.
    `waits_known`: whether the kernel counts them at all. `switches_known`: also that they have
    grown since they were first read, or are known from the thread's start: they are read in
    turns, and what was read once says nothing of the time shown.
    """

    pid: int
    tid: int
    name: str
    run: "array[float]" = field(default_factory=_doubles)
    wait: "array[float]" = field(default_factory=_doubles)
    voluntary: "array[float]" = field(default_factory=_floats)
    involuntary: "array[float]" = field(default_factory=_floats)
    cpu: "array[int]" = field(default_factory=lambda: array("h"))
    waits_known: bool = False
    switches_known: bool = False
    switches_read: bool = False
    ended: float | None = None
    born_here: bool = False

    def columns(self) -> Iterator["array[float] | array[int]"]:
        yield from (self.run, self.wait, self.voluntary, self.involuntary, self.cpu)

    def fill(self, samples: int) -> None:
        """Carry the last values on, to so many samples."""
        missing = samples - len(self.run)
        if missing > 0 and self.run:
            for column in self.columns():
                column.extend(column[-1:] * missing)  # type: ignore[arg-type]


@dataclass(slots=True)
class CpuTrack:
    """One CPU: seconds that it was busy, and its frequency (NaN where it is not known)."""

    number: int
    max_khz: int | None = None
    capacity: int | None = None
    busy: "array[float]" = field(default_factory=_doubles)
    khz: "array[float]" = field(default_factory=_floats)


@dataclass(slots=True)
class SystemTrack:
    """The machine: levels, then counters (switches, and seconds as means over its CPUs)."""

    running: "array[float]" = field(default_factory=_floats)
    blocked: "array[float]" = field(default_factory=_floats)
    switches: "array[float]" = field(default_factory=_doubles)
    interrupts: "array[float]" = field(default_factory=_doubles)
    user: "array[float]" = field(default_factory=_doubles)
    system: "array[float]" = field(default_factory=_doubles)
    iowait: "array[float]" = field(default_factory=_doubles)
    idle: "array[float]" = field(default_factory=_doubles)
    steal: "array[float]" = field(default_factory=_doubles)

    def counters(self) -> tuple["array[float]", ...]:
        return (
            self.switches,
            self.interrupts,
            self.user,
            self.system,
            self.iowait,
            self.idle,
            self.steal,
        )


class Track:
    """All samples so far. `times` are seconds on the device's clock, since its boot."""

    def __init__(self, interval: float | None = None, *, most: int = MOST_SAMPLES) -> None:
        self.times: array[float] = array("d")
        self.system = SystemTrack()
        self.cpus: dict[int, CpuTrack] = {}
        self.threads: dict[Key, ThreadTrack] = {}
        self.interval = interval
        self.samples = 0
        self.late = 0
        self.missed = 0
        self.thinned = False
        self.thinnings = 0
        self.forgotten = 0
        self._most = most
        self._old = 0  # samples at the beginning that were thinned, to one in `_stride`
        self._stride = 2
        self._known: dict[Key, ThreadSample] = {}

    def __len__(self) -> int:
        return len(self.times)

    @property
    def start(self) -> float:
        return self.times[0] if self.times else 0.0

    @property
    def end(self) -> float:
        return self.times[-1] if self.times else 0.0

    @property
    def knows_frequency(self) -> bool:
        return any(khz == khz for cpu in self.cpus.values() for khz in cpu.khz[-1:])  # not NaN

    def place(self, seconds: float) -> int:
        """The number of the last sample at or before `seconds`; -1 before the first."""
        return bisect_right(self.times, seconds) - 1

    def add(self, sample: Sample) -> None:
        """Append a sample; one that is not later than the last is left out."""
        if self.times and sample.seconds <= self.times[-1]:
            return
        if self.times and self.interval:
            gap = sample.seconds - self.times[-1]
            if gap > 1.5 * self.interval:
                self.late += 1
                self.missed += max(0, round(gap / self.interval) - 1)
        self.times.append(sample.seconds)
        self.samples += 1
        self._add_system(sample)
        self._add_threads(sample)
        if len(self.times) > self._most:
            self._thin()

    def _add_system(self, sample: Sample) -> None:
        system = self.system
        system.running.append(sample.running)
        system.blocked.append(sample.blocked)
        system.switches.append(sample.context_switches)
        system.interrupts.append(sample.interrupts)
        cpus = sample.cpus
        count = len(cpus) or 1
        user = kernel = wait = idle = steal = 0.0
        before = len(self.times) - 1
        for number, cpu in cpus.items():
            user += cpu.user_seconds
            kernel += cpu.system_seconds
            wait += cpu.iowait_seconds
            idle += cpu.idle_seconds
            steal += cpu.steal_seconds
            track = self.cpus.get(number)
            if track is None:
                track = self.cpus[number] = CpuTrack(number)
            busy = cpu.user_seconds + cpu.system_seconds
            if len(track.busy) < before:
                missing = before - len(track.busy)
                track.busy.extend([track.busy[-1] if track.busy else busy] * missing)
                track.khz.extend([math.nan] * missing)
            track.busy.append(busy)
            track.khz.append(cpu.khz)
        for values, total in (
            (system.user, user),
            (system.system, kernel),
            (system.iowait, wait),
            (system.idle, idle),
            (system.steal, steal),
        ):
            values.append(total / count)

    def _add_threads(self, sample: Sample) -> None:
        before = len(self.times) - 1
        threads, known = self.threads, self._known
        for key, thread in sample.threads.items():
            track = threads.get(key)
            if track is None:
                track = threads[key] = self._new_thread(thread, before)
            if known.get(key) is not thread:  # else it has not run since
                track.fill(before)
                _append(track, thread, before)
        self._known = sample.threads
        if len(sample.threads) < len(threads):
            self._note_ended(sample)

    def _new_thread(self, thread: ThreadSample, before: int) -> ThreadTrack:
        track = ThreadTrack(thread.pid, thread.tid, thread.name)
        born_here = track.born_here = bool(self.times) and thread.started >= self.times[0] - 1.0
        run, wait = _times(thread)
        first = (
            (0.0, 0.0, 0.0, 0.0)
            if born_here
            else (run, wait, _or_zero(thread.voluntary), _or_zero(thread.involuntary))
        )
        for column, value in zip(
            (track.run, track.wait, track.voluntary, track.involuntary), first, strict=True
        ):
            column.extend([value] * before)
        track.cpu.extend([-1] * before)
        return track

    def _note_ended(self, sample: Sample) -> None:
        """Note which threads are gone; of very many the first gone is forgotten."""
        ended: list[tuple[float, Key]] = []
        for key, track in self.threads.items():
            if key in sample.threads:
                continue
            if track.ended is None:
                track.ended = sample.seconds
            ended.append((track.ended, key))
        if len(ended) > _MOST_ENDED_THREADS:
            ended.sort()
            for _, key in ended[: len(ended) - _MOST_ENDED_THREADS // 2]:
                del self.threads[key]
                self.forgotten += 1

    def _thin(self) -> None:
        """Thin what is older than the newest half, to one sample in `_stride`.

        When those grow to a quarter of all, they are thinned to one in twice as many: old
        time has one resolution all over, which gets coarser the longer it is.
        """
        stride = self._stride
        block = (len(self.times) - self._most // 2 - self._old) // stride * stride
        if block < max(stride, self._most // 8):
            return
        self.thinned = True
        self.thinnings += 1
        for thread in self.threads.values():
            thread.fill(len(self.times))
        end = self._old + block
        for level in (self.system.running, self.system.blocked):
            groups = zip(
                *(level[self._old + i : end : stride] for i in range(stride)), strict=True
            )
            level[self._old : end] = array(level.typecode, map(max, groups))
        for column in self._counters():
            column[self._old : end] = column[self._old + stride - 1 : end : stride]  # type: ignore[assignment]
        self._old += block // stride
        if self._old > self._most // 4:
            even = self._old & ~1
            for level in (self.system.running, self.system.blocked):
                level[:even] = array(level.typecode, map(max, level[0:even:2], level[1:even:2]))
            for column in self._counters():
                column[:even] = column[1:even:2]  # type: ignore[assignment]
            self._old -= even // 2
            self._stride *= 2

    def _counters(self) -> Iterator["array[float] | array[int]"]:
        yield self.times
        yield from self.system.counters()
        for cpu in self.cpus.values():
            yield cpu.busy
            yield cpu.khz
        for thread in self.threads.values():
            yield from thread.columns()


def _or_zero(value: float) -> float:
    return 0.0 if math.isnan(value) else value


def _times(thread: ThreadSample) -> tuple[float, float]:
    """Run and wait; where the kernel has no schedstat, the clock ticks of stat."""
    run = thread.run_seconds
    if math.isnan(run):
        run = _or_zero(thread.user_seconds) + _or_zero(thread.system_seconds)
    return run, _or_zero(thread.wait_seconds)


def _append(track: ThreadTrack, thread: ThreadSample, before: int) -> None:
    run, wait = _times(thread)
    if before and track.run and run < track.run[-1]:  # a number used again by another thread
        for column in (track.run, track.wait, track.voluntary, track.involuntary):
            column[:] = array(column.typecode, [0.0]) * before
    track.name = thread.name or track.name
    track.ended = None
    track.run.append(run)
    track.wait.append(wait)
    track.waits_known = track.waits_known or not math.isnan(thread.wait_seconds)
    last = track.voluntary[-1] if track.voluntary else 0.0
    track.voluntary.append(last if math.isnan(thread.voluntary) else thread.voluntary)
    last = track.involuntary[-1] if track.involuntary else 0.0
    track.involuntary.append(last if math.isnan(thread.involuntary) else thread.involuntary)
    if not track.switches_known and not math.isnan(thread.voluntary):
        _note_switches(track, before)
    track.cpu.append(-1 if math.isnan(thread.cpu) else int(thread.cpu))


def _note_switches(track: ThreadTrack, before: int) -> None:
    """Switches came with the newest sample, that has `before` others before it."""
    columns = (track.voluntary, track.involuntary)
    if track.born_here:
        track.switches_known = True
    elif not track.switches_read:  # counts of before: what is seen begins with them
        track.switches_read = True
        for column in columns:
            column[:-1] = array("f", [column[-1]]) * before
    elif before:
        track.switches_known = any(column[-1] != column[-2] for column in columns)
