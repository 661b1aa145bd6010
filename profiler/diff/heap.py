"""Heaps of two sessions: peak, growth, and which stacks hold more or less."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from collectors.records.heap import HeapProfile, HeapSnapshot
from collectors.records.shared import Frame
from profiler.aggregate.heap import top_stacks
from profiler.diff.matching import canonical_name

MOST_STACKS = 200
_ALL = 1 << 30


@dataclass(frozen=True, slots=True)
class StackDelta:
    """Bytes of one stack before and after; None: below Massif's threshold, or not there.

    `frames` are the session's, or the baseline's where it has none; the stack is the same
    in both when its functions are.
    """

    frames: tuple[Frame, ...]
    before: int | None
    after: int | None

    @property
    def delta(self) -> int:
        return (self.after or 0) - (self.before or 0)


@dataclass(frozen=True, slots=True)
class HeapFigures:
    """One side. `held` are the bytes of the last snapshot; `growth` is how much more the last
    third of all snapshots holds than the first, by their medians.
    """

    peak: HeapSnapshot
    held: int
    growth: int


@dataclass(frozen=True, slots=True)
class HeapDiff:
    """The largest process of each side. `stacks` changed the most, those first.

    `trees` are the snapshots that the stacks are of: the largest with an allocation tree.
    """

    before: HeapFigures
    after: HeapFigures
    stacks: Sequence[StackDelta]
    trees: tuple[int, int] | None


def largest(profiles: Sequence[HeapProfile]) -> HeapProfile | None:
    """The process with the largest peak; None where none has a snapshot."""
    known = [profile for profile in profiles if profile.peak is not None]
    return max(known, key=lambda p: p.peak.total_bytes if p.peak else 0, default=None)


def heap_diff(baseline: HeapProfile, profile: HeapProfile) -> HeapDiff:
    """Compare two processes, each with at least one snapshot."""
    figures = [_figures(side) for side in (baseline, profile)]
    tops = [top_stacks(side, _ALL) for side in (baseline, profile)]
    sums: dict[tuple[str, ...], list[int | None]] = {}
    frames: dict[tuple[str, ...], tuple[Frame, ...]] = {}
    for which, top in enumerate(tops):
        for stack in top.stacks if top else ():
            key = tuple(canonical_name(f.fn or f"{f.obj}") for f in stack.frames)
            frames[key] = stack.frames
            row = sums.setdefault(key, [None, None])
            row[which] = (row[which] or 0) + stack.bytes
    deltas = [StackDelta(frames[key], *row) for key, row in sums.items()]
    changed = sorted((d for d in deltas if d.delta), key=lambda d: -abs(d.delta))
    trees = None
    if tops[0] is not None and tops[1] is not None:
        trees = tops[0].snapshot.index, tops[1].snapshot.index
    return HeapDiff(figures[0], figures[1], changed[:MOST_STACKS], trees)


def _figures(profile: HeapProfile) -> HeapFigures:
    peak = profile.peak
    assert peak is not None  # noqa: S101  # `largest` chose it by its peak
    totals = [snapshot.total_bytes for snapshot in profile.snapshots]
    third = max(1, len(totals) // 3)
    growth = median(totals[-third:]) - median(totals[:third])
    return HeapFigures(peak, totals[-1], int(growth))
