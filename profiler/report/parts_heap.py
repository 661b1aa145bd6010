"""The heap's share of a page: timelines, and allocation trees that load when looked at."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from collectors.records.heap import AllocPoint, AllocTree, HeapProfile, HeapSnapshot, TreeKind
from profiler.aggregate.inlined_calls import call_names
from profiler.charts.heap import drawn_snapshots, heap_timeline_figure
from profiler.functions import short_name
from profiler.own_code import is_library
from profiler.visible import visible

# A flame graph of 20,000 nodes is drawn in well under a second; a page carries this many
# nodes in all, which is about 3 MB of it.
MOST_TREE_NODES = 20_000
MOST_NODES = 400_000


@dataclass(slots=True)
class TreeBudget:
    """How many nodes the page may still take."""

    left: int = MOST_NODES


class AllocationPoints:
    """Allocation points of all trees of a process, each stored once."""

    def __init__(self) -> None:
        self.library: list[int] = []
        self.labels: list[str] = []
        self.full: list[str] = []
        self.places: list[str] = []
        self._known: dict[str, int] = {}
        self._tables: dict[int, tuple[Sequence[AllocPoint], dict[int, int]]] = {}

    def numbers(self, tree: AllocTree, nodes: Iterable[int]) -> "array[int]":
        """The number of each of these nodes' points."""
        table = self._tables.setdefault(id(tree.points), (tree.points, {}))[1]
        names = call_names(tree)
        found = array("i")
        for node in nodes:
            index = tree.point[node]
            number = table.get(index)
            if number is None:
                number = table[index] = self._intern(tree.points[index], names.get(index))
            found.append(number)
        return found

    def columns(self) -> dict[str, list[str] | list[int]]:
        """What the page knows of each point, by its number."""
        return {
            "labels": self.labels,
            "full": self.full,
            "places": self.places,
            "library": self.library,
        }

    def _intern(self, point: AllocPoint, called: str | None) -> int:
        frame = point.frame
        full = called or (point.text if frame is None else (frame.fn or "???"))
        place = ""
        if frame is not None:
            if frame.file is not None:
                place = frame.file if frame.line is None else f"{frame.file}:{frame.line}"
            elif frame.obj is not None:
                place = f"in {frame.obj}"
        key = f"{full}\0{place}"
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = len(self.labels)
            name = full if frame is None or called else short_name(full)
            if name == "operator()":  # known by its line alone
                name = f"operator() {place}"
            self.labels.append(visible(name, 120))
            self.library.append(int(is_library(point)))
            self.full.append(visible(full, 1000))
            self.places.append(visible(place, 300))
        return found


def _chosen(snapshots: Sequence[HeapSnapshot], profile: HeapProfile) -> list[HeapSnapshot]:
    """Snapshots with trees, the most telling first: peaks, the last, then evenly spread."""
    detailed = [s for s in snapshots if s.tree is not TreeKind.EMPTY]
    first: list[HeapSnapshot] = []
    largest = max(detailed, key=lambda s: s.total_bytes, default=None)
    for wanted in (largest, profile.marked_peak, *detailed[-1:], *detailed[:1]):
        if wanted is not None and wanted not in first and wanted.tree is not TreeKind.EMPTY:
            first.append(wanted)
    taken = {snapshot.index for snapshot in first}
    step = max(1, len(detailed) // 2)
    while step:  # halve the gaps until all are taken
        for snapshot in detailed[::step]:
            if snapshot.index not in taken:
                taken.add(snapshot.index)
                first.append(snapshot)
        step //= 2
    return first


def kept_nodes(tree: AllocTree, most: int) -> Sequence[int]:
    """The nodes of a tree that are kept: all, or the largest with all their ancestors."""
    if len(tree) <= most:
        return range(len(tree))
    sizes = tree.bytes
    # A node is no larger than its parent, so that a threshold keeps whole ancestries.
    threshold = sorted(sizes, reverse=True)[most]
    kept: list[int] = []
    open_depth = 0
    for node in range(len(tree)):
        if sizes[node] > threshold and tree.depth[node] <= open_depth:
            kept.append(node)
            open_depth = tree.depth[node] + 1
    return kept


def heap_parts(
    profile: HeapProfile, number: int, budget: TreeBudget
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The parts of one process, by name: its overview last, since it lists the others."""
    points = AllocationPoints()
    trees: dict[str, str] = {}
    pruned = 0
    skipped = 0
    chosen = _chosen(drawn_snapshots(profile.snapshots), profile)
    for snapshot in chosen:
        if budget.left <= 0:
            skipped += 1
            continue
        # Massif's own numbers have gaps where a snapshot was damaged.
        tree = profile.load_tree(profile.snapshots.index(snapshot))
        if tree is None or not len(tree):
            continue
        kept = kept_nodes(tree, min(MOST_TREE_NODES, budget.left))
        pruned += len(kept) < len(tree)
        budget.left -= len(kept)
        name = f"heap-{number}-tree-{snapshot.index}"
        trees[str(snapshot.index)] = name
        # Two trees are compared by their points, so that numbers must mean the same in all.
        yield (
            name,
            {
                "depth": array("H", (tree.depth[i] for i in kept)),
                "bytes": array("d", (tree.bytes[i] for i in kept)),
                "point": points.numbers(tree, kept),
                "left_out": len(tree) - len(kept),
            },
        )
    yield (
        f"heap-{number}",
        {
            "figures": {f"heap-{number}-timeline": heap_timeline_figure(profile)},
            "unit": profile.time_unit,
            "snapshots": [
                [s.index, s.time, s.heap_bytes, s.extra_bytes, s.stacks_bytes, str(s.tree)]
                for s in drawn_snapshots(profile.snapshots)
            ],
            "peak": profile.peak.index if profile.peak and not profile.is_one_moment else None,
            "marked": profile.marked_peak.index if profile.marked_peak else None,
            "first": chosen[0].index if chosen else None,
            "trees": trees,
            **points.columns(),
            "pruned_trees": pruned,
            "skipped_trees": skipped,
        },
    )
