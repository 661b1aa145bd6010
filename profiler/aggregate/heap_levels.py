"""A heap's timeline in as many columns as a screen has."""

from collections.abc import Sequence
from dataclasses import dataclass

from collectors.records.heap import HeapSnapshot


@dataclass(frozen=True, slots=True)
class HeapColumn:
    """The largest snapshot of a column's span of time: its place and its bytes."""

    position: int
    useful: int
    extra: int
    stacks: int

    @property
    def total(self) -> int:
        return self.useful + self.extra + self.stacks


def column_of(time: int, first: int, last: int, columns: int) -> int:
    """The column in which a time lies."""
    if last <= first or columns < 2:
        return 0
    return max(0, min(columns - 1, (time - first) * (columns - 1) // (last - first)))


def heap_columns(
    snapshots: Sequence[HeapSnapshot],
    columns: int,
    span: tuple[int, int] | None = None,
    *,
    holds: bool = True,
) -> list[HeapColumn | None]:
    """The timeline in `columns` equal spans; one without a snapshot keeps the level before.

    Of several snapshots in one span the largest is shown, so that no peak is lost. `span`
    is the time that the columns cover (None: all of it). Without `holds` nothing is known
    between two snapshots, and nothing shown.
    """
    found: list[HeapColumn | None] = [None] * columns
    if not snapshots or columns < 1:
        return found
    first, last = span or (snapshots[0].time, snapshots[-1].time)
    before: HeapColumn | None = None
    held: list[HeapColumn | None] = [None] * columns  # the last of each span goes on
    for position, snapshot in enumerate(snapshots):
        if snapshot.time > last:
            break
        level = HeapColumn(
            position, snapshot.heap_bytes, snapshot.extra_bytes, snapshot.stacks_bytes
        )
        if snapshot.time < first:
            before = level
            continue
        place = column_of(snapshot.time, first, last, columns)
        held[place] = level
        seen = found[place]
        if seen is None or level.total > seen.total:
            found[place] = level
    for place in range(columns if holds else 0):
        if found[place] is None:
            found[place] = before
        else:
            before = held[place]
    return found
