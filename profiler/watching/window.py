"""A window of time into a track: rates by slot for plots and strips, and a row a thread."""

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from profiler.waiting import wait_share
from profiler.watching.track import Key, ThreadTrack, Track

Numbers = Sequence[float]
_FEW_TICKS = 0.05  # seconds: of five ticks of 10 ms, one is a fifth of all time


class ThreadRow(NamedTuple):
    """A thread over a window; times in seconds, None: the kernel does not count it.

    `share` is the part of the window (or, live, of the last second) that it ran.
    """

    key: Key
    name: str
    share: float
    run: float
    wait: float | None
    voluntary: int | None
    involuntary: int | None
    last_cpu: int | None
    ended: bool
    active: bool

    @property
    def wait_share(self) -> float | None:
        return wait_share(self.run, self.wait)


class Slots:
    """Equal spans of time, `count` of them, that begin at multiples of their width.

    Each is measured between the samples around it, so that a slot shorter than the time
    between two samples has a value too. A slot without samples on both sides has none.
    What does not change any more is taken over from the slots `before`.
    """

    def __init__(
        self, track: Track, start: float, end: float, count: int, before: "Slots | None" = None
    ) -> None:
        self.track = track
        self.count = max(1, count)
        self.width = max(1e-6, round((end - start) / self.count, 9))
        # An end that is a slot's own edge may have been rounded up.
        self.first = math.ceil(end / self.width - 1e-6) - self.count
        self.thinnings = track.thinnings
        self.pairs: list[tuple[int, int, float] | None] = []
        self._kept: dict[int, list[float | None]] = {}
        self._taken = 0  # leading slots that are as they were in `before`
        self._shift = 0
        self._kept_before: dict[int, list[float | None]] = {}
        self.settled: int = 0  # leading slots that will not change any more
        times = track.times
        if (
            before is not None
            and before.track is track
            and before.thinnings == track.thinnings
            and (before.count, before.width) == (self.count, self.width)
            and 0 <= self.first - before.first < self.count
        ):
            self._shift = self.first - before.first
            self._taken = max(0, before.settled - self._shift)
            self.pairs = before.pairs[self._shift : self._shift + self._taken]
            self._kept_before = before._kept
        self._fill()
        newest = times[-1] if times else 0.0
        self.settled = max(0, min(self.count, math.floor(newest / self.width) - self.first))

    def _fill(self) -> None:
        """The pairs of samples around the slots that are new."""
        times = self.track.times
        last = len(times) - 1
        after = bisect_right(times, (self.first + self._taken) * self.width)
        for slot in range(self.first + self._taken, self.first + self.count):
            edge = (slot + 1) * self.width
            low = max(0, after - 1)
            high = min(last, bisect_left(times, edge, low))
            after = bisect_right(times, edge, max(high, 0))
            if high <= low or times[high] <= slot * self.width:
                self.pairs.append(None)
            else:
                self.pairs.append((low, high, 1 / (times[high] - times[low])))

    @property
    def start(self) -> float:
        return self.first * self.width

    @property
    def end(self) -> float:
        return (self.first + self.count) * self.width

    def _known(self, column: "array[float]") -> list[float | None]:
        """The values of the slots taken over, where they were asked for before."""
        values = self._kept_before.get(id(column))
        return values[self._shift : self._shift + self._taken] if values else []

    def rates(self, counter: "array[float]") -> list[float | None]:
        """How fast a counter grew, a second, by slot."""
        kept = self._kept.get(id(counter))
        if kept is not None:
            return kept
        found = self._known(counter)
        for pair in self.pairs[len(found) :]:
            if pair is None:
                found.append(None)
                continue
            low, high, per = pair
            rate = (counter[high] - counter[low]) * per
            found.append(rate if rate >= 0 else None if math.isnan(rate) else 0.0)
        self._kept[id(counter)] = found
        return found

    def largest(self, level: "array[float]") -> list[float | None]:
        """The largest value of a level in each slot, the track's first sample's included."""
        kept = self._kept.get(id(level))
        if kept is not None:
            return kept
        found = self._known(level)
        for pair in self.pairs[len(found) :]:
            if pair is None:
                found.append(None)
            elif pair[1] - pair[0] == 1:
                found.append(level[pair[1]])
            else:
                found.append(max(level[pair[0] + 1 : pair[1] + 1]))
        self._add_first(level, found)
        self._kept[id(level)] = found
        return found

    def _add_first(self, level: "array[float]", found: list[float | None]) -> None:
        """Levels are of a moment: the first, which ends no span, is in the slot it begins."""
        place = next((i for i, pair in enumerate(self.pairs) if pair is not None), None)
        if place is None or place < self._taken:
            return
        begins = self._slot_start(place) - self.width < self.track.times[0]
        first = level[0]
        if begins and first == first:  # not NaN
            value = found[place]
            found[place] = first if value is None else max(value, first)

    def _slot_start(self, place: int) -> float:
        return (self.first + place) * self.width

    def latest(self, level: "array[float]") -> list[float | None]:
        """The last value of a level in each slot; None where it is not known."""
        found: list[float | None] = []
        for pair in self.pairs:
            value = math.nan if pair is None else level[pair[1]]
            found.append(None if math.isnan(value) else value)
        return found


class ThreadWindow:
    """The threads of a track over a window, worked out one by one as they are asked for.

    Threads that ended without doing anything in it are left out. With `recent`, the share
    is that of the last so many seconds before `end`. What a thread did between its start and
    the track's first sample is counted where the window begins with that sample: so it is
    in all other figures of a session.
    """

    def __init__(
        self,
        track: Track,
        start: float,
        end: float,
        *,
        recent: float | None = None,
        everyone: bool = True,
    ) -> None:
        self._low = low = max(0, track.place(start))
        self._high = high = max(0, track.place(end))
        if high <= low:
            self._low = low = max(0, high - 1)
        self._from_start = bool(track.times) and start <= track.times[0] + 1e-6
        near = (
            low
            if recent is None or not track.times
            else max(low, track.place(track.times[high] - recent))
        )
        self._near = near = max(0, high - 1) if near >= high else near
        self._end = track.times[high] if track.times else 0.0
        self._span = (self._end - track.times[near] if track.times else 0.0) or 1.0
        self.tracks: list[ThreadTrack] = []
        self._growth: dict[str, list[float]] = {}
        if len(track) < 2:
            return
        for thread in track.threads.values():
            # Who is still there is shown even when it slept.
            if (
                everyone and (thread.ended is None or thread.ended > self._end)
            ) or self._did_anything(thread):
                self.tracks.append(thread)

    def __len__(self) -> int:
        return len(self.tracks)

    def _did_anything(self, thread: ThreadTrack) -> bool:
        low, high = self._low, self._high
        if self._from_start and thread.born_here:
            return thread.run[-1] > 0 or thread.wait[-1] > 0
        return _grown(thread.run, low, high) > 0 or _grown(thread.wait, low, high) > 0

    def growth(self, column: str) -> list[float]:
        """How much `run`, `wait`, `voluntary` or `involuntary` grew, by thread."""
        found = self._growth.get(column)
        if found is None:
            low, high = self._low, self._high
            found = self._growth[column] = []
            for thread in self.tracks:
                counter: array[float] = getattr(thread, column)
                if self._from_start and thread.born_here:
                    found.append(counter[min(high, len(counter) - 1)])
                    continue
                last = len(counter) - 1  # as `_grown`, whose call would cost as much again
                found.append(0.0 if low >= last else counter[min(last, high)] - counter[low])
        return found

    def shares(self) -> list[float]:
        """The part of the (recent) time that each thread ran."""
        high, near, span = self._high, self._near, self._span
        return [_grown(t.run, near, high) / span for t in self.tracks]

    def last_cpus(self) -> list[int]:
        high = self._high
        return [t.cpu[min(high, len(t.cpu) - 1)] for t in self.tracks]

    def row(self, number: int) -> ThreadRow:
        thread = self.tracks[number]
        last = len(thread.run) - 1  # what is there holds since then
        low, high, near = min(self._low, last), min(self._high, last), min(self._near, last)
        newborn = self._from_start and thread.born_here
        ran, waited, voluntary, involuntary = (
            counter[high] - (0.0 if newborn else counter[low])
            for counter in (thread.run, thread.wait, thread.voluntary, thread.involuntary)
        )
        cpu = thread.cpu[high]
        known = thread.switches_known
        return ThreadRow(
            (thread.pid, thread.tid),
            thread.name,
            min(1.0, (thread.run[high] - thread.run[near]) / self._span),
            ran,
            waited if thread.waits_known else None,
            round(voluntary) if known else None,
            round(involuntary) if known else None,
            cpu if cpu >= 0 else None,
            thread.ended is not None and thread.ended <= self._end,
            ran > 0 or waited > 0,
        )

    def rows(self) -> list[ThreadRow]:
        return [self.row(number) for number in range(len(self.tracks))]


def _grown(counter: "array[float]", low: int, high: int) -> float:
    """How much a counter grew between two samples; its last value holds on."""
    last = len(counter) - 1
    if low >= last:
        return 0.0
    return counter[min(last, high)] - counter[low]


def thread_rows(
    track: Track, start: float, end: float, *, recent: float | None = None
) -> list[ThreadRow]:
    """A row for each thread, over the samples from `start` to `end`."""
    return ThreadWindow(track, start, end, recent=recent).rows()


def levels_between(
    track: Track, level: "array[float]", start: float, end: float
) -> list[float]:
    """What a level was in the samples after one time up to another; from the track's start
    on, its first sample's is among them. What is not known is left out.
    """
    low = 0 if start <= track.start + 1e-6 else track.place(start) + 1
    return [value for value in level[low : track.place(end) + 1] if value == value]  # not NaN


def tells_shares(track: Track, start: float, end: float) -> bool:
    """Whether the CPU time between two times is enough to divide: it is counted in ticks."""
    low, high = max(0, track.place(start)), track.place(end)
    low = high - 1 if high <= low else low
    if low < 0 or track.times[high] - track.times[low] < _FEW_TICKS:
        return False
    system = track.system
    parts = (system.user, system.system, system.iowait, system.idle, system.steal)
    return any(part[high] > part[low] for part in parts)


def mean_rate(track: Track, counter: "array[float]", start: float, end: float) -> float | None:
    """How fast a counter grew between two times, a second; None without two samples."""
    low, high = max(0, track.place(start)), track.place(end)
    if high <= low:
        low = high - 1
    if low < 0:
        return None
    rate = (counter[high] - counter[low]) / (track.times[high] - track.times[low])
    return None if math.isnan(rate) else max(0.0, rate)
