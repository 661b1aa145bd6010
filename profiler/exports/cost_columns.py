"""What the formats of costs have alike: one list of events for all profiles."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from collectors.records.cost import CostProfile

if TYPE_CHECKING:
    from profiler.exports.number_lines import Column


def union_of_events(profiles: Sequence[CostProfile]) -> tuple[tuple[str, ...], list[int]]:
    """The events that any of the profiles counted, and their sums."""
    totals: dict[str, int] = {}
    for profile in profiles:
        for event, count in profile.totals().items():
            totals[event] = totals.get(event, 0) + count
    return tuple(totals), list(totals.values())


def columns_of(
    events: Sequence[str],
    counted: Sequence[str],
    counts: "Sequence[memoryview[int]]",
    rows: int,
) -> "list[Column]":
    """A column for each of `events`, zeros for what is not among those that were counted."""
    import numpy as np

    known = dict(zip(counted, counts, strict=True))
    return [known[e] if e in known else np.zeros(rows, dtype=np.int64) for e in events]
