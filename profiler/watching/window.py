"""A window of time into a track: rates by slot for plots and strips, and a row a thread."""

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from profiler.watching.track import Key, Track

Numbers = Sequence[float]


@dataclass(frozen=True, slots=True)
class ThreadRow:
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
        """The part of run and wait that it waited."""
        if self.wait is None:
            return None
        both = self.run + self.wait
        return self.wait / both if both else 0.0


class Slots:
    """Equal spans of time, `count` of them, that begin at multiples of their width.

    Each is measured between the samples around it, so that a slot shorter than the time
    between two samples has a value too. A slot without samples on both sides has none.
    """

    def __init__(self, track: Track, start: float, end: float, count: int) -> None:
        self.track = track
        self.count = max(1, count)
        self.width = max(1e-6, (end - start) / self.count)
        self.first = math.floor(end / self.width) - self.count
        if end / self.width > math.floor(end / self.width):
            self.first += 1
        times = track.times
        self.pairs: list[tuple[int, int, float] | None] = []
        last = len(times) - 1
        edge = self.first * self.width
        after = bisect_right(times, edge)
        for slot in range(self.first, self.first + self.count):
            edge = (slot + 1) * self.width
            low = after - 1
            high = bisect_left(times, edge, max(low, 0))
            after = bisect_right(times, edge, max(high, 0))
            high = min(high, last)
            if low < 0:
                low = 0
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

    def rates(self, counter: "array[float]", scale: float = 1.0) -> list[float | None]:
        """How fast a counter grew, a second, by slot."""
        found: list[float | None] = []
        for pair in self.pairs:
            if pair is None:
                found.append(None)
                continue
            low, high, per = pair
            rate = (counter[high] - counter[low]) * per * scale
            found.append(rate if rate >= 0 else 0.0 if rate == rate else None)
        return found

    def largest(self, level: "array[float]") -> list[float | None]:
        """The largest value of a level in each slot."""
        found: list[float | None] = []
        for pair in self.pairs:
            if pair is None:
                found.append(None)
            elif pair[1] - pair[0] == 1:
                found.append(level[pair[1]])
            else:
                found.append(max(level[pair[0] + 1 : pair[1] + 1]))
        return found

    def latest(self, level: "array[float]") -> list[float | None]:
        """The last value of a level in each slot; None where it is not known."""
        found: list[float | None] = []
        for pair in self.pairs:
            value = math.nan if pair is None else level[pair[1]]
            found.append(None if math.isnan(value) else value)
        return found


def thread_rows(
    track: Track, start: float, end: float, *, recent: float | None = None
) -> list[ThreadRow]:
    """A row for each thread, over the samples from `start` to `end`.

    With `recent`, the share is that of the last so many seconds before `end`.
    """
    if len(track) < 2:
        return []
    low = max(0, track.place(start))
    high = max(0, track.place(end))
    if high <= low:
        low = max(0, high - 1)
    near = low if recent is None else max(low, track.place(track.times[high] - recent))
    if near >= high:
        near = max(0, high - 1)
    span = (track.times[high] - track.times[near]) or 1.0
    rows: list[ThreadRow] = []
    for key, thread in track.threads.items():
        run, wait = thread.run, thread.wait
        ran = run[high] - run[low]
        waited = wait[high] - wait[low]
        ended = thread.ended is not None and thread.ended <= track.times[high]
        active = ran > 0 or waited > 0
        if ended and not active:
            continue
        cpu = thread.cpu[high]
        rows.append(
            ThreadRow(
                key,
                thread.name,
                min(1.0, (run[high] - run[near]) / span),
                ran,
                waited if thread.waits_known else None,
                round(thread.voluntary[high] - thread.voluntary[low])
                if thread.switches_known
                else None,
                round(thread.involuntary[high] - thread.involuntary[low])
                if thread.switches_known
                else None,
                cpu if cpu >= 0 else None,
                ended,
                active,
            )
        )
    return rows


def mean_rate(track: Track, counter: "array[float]", start: float, end: float) -> float | None:
    """How fast a counter grew between two times, a second; None without two samples."""
    low, high = max(0, track.place(start)), track.place(end)
    if high <= low:
        low = high - 1
    if low < 0:
        return None
    rate = (counter[high] - counter[low]) / (track.times[high] - track.times[low])
    return None if math.isnan(rate) else max(0.0, rate)
