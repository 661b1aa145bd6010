"""Weighted stacks of a session: who holds the heap at its peak, what was leaked."""

from collections.abc import Iterator
from dataclasses import dataclass

from collectors.errors import UsageError
from collectors.records.shared import Frame
from profiler.aggregate.heap import leaf_stacks
from profiler.exports.content import error_profiles, heap_profiles
from profiler.store import Session


@dataclass(frozen=True, slots=True)
class WeightedStack:
    """`frames` from the innermost to the outermost; `bytes` that it holds, in `blocks`."""

    frames: tuple[Frame, ...]
    bytes: int
    blocks: int | None = None


@dataclass(frozen=True, slots=True)
class StackSet:
    """Stacks of one question, such as `heap at its peak`."""

    name: str
    stacks: tuple[WeightedStack, ...]

    @property
    def total(self) -> int:
        return sum(stack.bytes for stack in self.stacks)


def stack_sets(session: Session) -> list[StackSet]:
    """The heap of each process at its largest snapshot that has a tree, and the leaks.

    Raises `UsageError` where there is neither.
    """
    found = [*_heaps(session), *_leaks(session)]
    if not found:
        raise UsageError(
            f"{session.id} has no allocation stacks: record with -t massif (or memcheck: leaks)"
        )
    return found


def _heaps(session: Session) -> Iterator[StackSet]:
    for profile in heap_profiles(session):
        sizes = [snapshot.total_bytes for snapshot in profile.snapshots]
        for place in sorted(range(len(sizes)), key=lambda i: -sizes[i]):
            tree = profile.load_tree(place)
            if tree is None:
                continue
            index = profile.snapshots[place].index
            what = "mapped pages" if profile.pages else "heap"
            stacks = tuple(WeightedStack(s.frames, s.bytes) for s in leaf_stacks(tree))
            yield StackSet(f"{what} at snapshot {index}", stacks)
            break


def _leaks(session: Session) -> Iterator[StackSet]:
    stacks = tuple(
        WeightedStack(record.frames, record.leaked_bytes or 0, record.leaked_blocks)
        for _, profile in error_profiles(session)
        for record in profile.records
        if record.is_leak and record.kind != "Leak_StillReachable"
    )
    if stacks:
        yield StackSet("leaked", stacks)
