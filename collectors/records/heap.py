"""HeapProfile: heap size over time, with allocation trees for some of its snapshots.

The words are Massif's: snapshot, detailed, peak; useful bytes (`mem_heap_B`), extra bytes
(`mem_heap_extra_B`, the allocator's own and alignment) and stack bytes (`mem_stacks_B`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from collectors.records.shared import Damage, Frame


class TreeKind(StrEnum):
    """What Massif says of a snapshot's allocation tree (`heap_tree=`)."""

    EMPTY = "empty"
    DETAILED = "detailed"
    PEAK = "peak"


@dataclass(frozen=True, slots=True)
class HeapSnapshot:
    """Sizes in bytes at one `time` (in the profile's `time_unit`)."""

    index: int
    time: int
    heap_bytes: int
    extra_bytes: int
    stacks_bytes: int
    tree: TreeKind = TreeKind.EMPTY

    @property
    def total_bytes(self) -> int:
        return self.heap_bytes + self.extra_bytes + self.stacks_bytes


@dataclass(frozen=True, slots=True)
class AllocPoint:
    """A node's label: a place in the code, or why there is none.

    `frame` is None for the root and for "in N places, all below massif's threshold"; there
    `text` holds the label, and `places` the N.
    """

    text: str
    frame: Frame | None = None
    places: int | None = None


@dataclass(frozen=True, slots=True)
class AllocTree:
    """An allocation tree as columns in the file's order (depth first, root at 0).

    `depth[i]` and `bytes[i]` are of node i, `point[i]` indexes `points`, which many trees
    share. A node's parent is the nearest earlier node one less deep. Stacks read from the
    allocation function (depth 1) to its callers.
    """

    depth: "memoryview[int]"
    bytes: "memoryview[int]"
    point: "memoryview[int]"
    points: Sequence[AllocPoint]

    def __len__(self) -> int:
        return len(self.depth)


@dataclass(frozen=True, slots=True)
class AllocSites:
    """What is known of each stack that allocates (DHAT, `--xtree-memory`), as columns.

    `columns[name][i]` is of stack i. A name that is not there was not measured. Names:
    `total_bytes`, `total_blocks` (ever allocated), `lifetime` (of all its blocks together, in
    the profile's time unit), `max_bytes`, `max_blocks` (most at one time), `peak_bytes`,
    `peak_blocks` (at the program's peak), `end_bytes`, `end_blocks` (at its end),
    `read_bytes`, `written_bytes` (accesses, in bytes), `freed_bytes`, `freed_blocks` (by the
    stack that frees).

    Stack i is `stack_points[stack_starts[i]:stack_starts[i + 1]]`, which index `points`; its
    runs of accesses are those of `run_bytes` and `run_accesses` that `run_starts` tells
    likewise.
    """

    columns: "Mapping[str, memoryview[int]]"
    points: Sequence[AllocPoint]
    stack_starts: "memoryview[int]"
    stack_points: "memoryview[int]"
    run_starts: "memoryview[int]"
    run_bytes: "memoryview[int]"
    run_accesses: "memoryview[int]"

    def __len__(self) -> int:
        return len(self.stack_starts) - 1

    def stack(self, site: int) -> tuple[Frame, ...]:
        """A stack, from the allocation function to its callers."""
        numbers = self.stack_points[self.stack_starts[site] : self.stack_starts[site + 1]]
        frames = (self.points[number].frame for number in numbers)
        return tuple(frame for frame in frames if frame is not None)

    def accesses(self, site: int) -> list[tuple[int, int]]:
        """How often each byte of the blocks was accessed: (number of bytes, accesses of each).

        Empty where that was not counted.
        """
        runs = slice(self.run_starts[site], self.run_starts[site + 1])
        return list(zip(self.run_bytes[runs], self.run_accesses[runs], strict=True))


TreeLoader = Callable[[int], AllocTree | None]


@dataclass(frozen=True, slots=True)
class HeapProcess:
    """What one output file says of itself."""

    pid: int | None = None
    command: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class HeapProfile:
    """The heap of one process over time. `time_unit` is `i` (instructions), `ms` or `B`.

    `pages` is True where Massif counted mapped pages (`--pages-as-heap=yes`): the sizes are
    then address space, not heap. `load_tree(i)` reads the tree of `snapshots[i]`
    when it is asked for; it returns None for a snapshot without one. `unchecked` finds what
    is damaged in trees that were not looked at, where reading them all would have been slow.
    `measures` says what was counted where that is not the heap (DHAT's modes).
    """

    snapshots: Sequence[HeapSnapshot]
    time_unit: str
    process: HeapProcess = field(default_factory=HeapProcess)
    pages: bool = False
    load_tree: TreeLoader = field(default=lambda _index: None, repr=False, compare=False)
    damage: tuple[Damage, ...] = ()
    sites: AllocSites | None = None
    measures: str = "heap"
    unchecked: Callable[[], tuple[Damage, ...]] | None = field(
        default=None, repr=False, compare=False
    )

    @property
    def peak(self) -> HeapSnapshot | None:
        """The snapshot with the most bytes in total (the first, on a tie)."""
        return max(self.snapshots, key=lambda snapshot: snapshot.total_bytes, default=None)

    @property
    def is_one_moment(self) -> bool:
        """Whether there is but one look at the heap (`--xtree-memory`), which is no peak."""
        return self.sites is not None and bool(self.snapshots) and self.marked_peak is None

    @property
    def is_series(self) -> bool:
        """Whether the heap was looked at all along: DHAT knows its peak and its end alone."""
        return self.sites is None

    @property
    def marked_peak(self) -> HeapSnapshot | None:
        """The snapshot that Massif marked as peak; it need not be the largest."""
        return next((s for s in self.snapshots if s.tree is TreeKind.PEAK), None)
