"""Allocation trees to look at: either way up, library frames folded, two snapshots as one.

Massif's own order is bottom-up: from the place that allocates to its callers. Top-down
starts at the outermost caller (`main`) and ends at the place that allocates.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from collectors.records.heap import AllocPoint, AllocTree
from profiler.aggregate.inlined_calls import call_names
from profiler.functions import short_name
from profiler.own_code import is_library

_REST = "in other places, all below massif's threshold"


@dataclass(frozen=True, slots=True)
class AllocPlace:
    """What a node stands for: `label` is short, `function` whole, `where` its `file:line`.

    `own` is False for library code and for what Massif lumped together.
    """

    label: str
    function: str
    where: str
    own: bool
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class AllocNodes:
    """A tree as columns, depth first, the root at 0 and siblings by falling size.

    Node i holds `bytes[i]`, and `before[i]` in the snapshot that it is compared with (None:
    not compared). Its descendants are the nodes i+1 to `end[i]`-1. `places[place[i]]` says
    what it is.
    """

    depth: Sequence[int]
    end: Sequence[int]
    bytes: Sequence[int]
    before: Sequence[int] | None
    place: Sequence[int]
    places: Sequence[AllocPlace]

    def __len__(self) -> int:
        return len(self.depth)

    def parent(self, node: int) -> int | None:
        """The node that holds `node`; None for the root."""
        depth = self.depth[node]
        for other in range(node - 1, -1, -1):
            if self.depth[other] < depth:
                return other
        return None

    def children(self, node: int) -> Iterator[int]:
        child = node + 1
        while child < self.end[node]:
            yield child
            child = self.end[child]

    def width(self, node: int) -> int:
        """The larger of both snapshots' bytes, so that what is gone is seen too."""
        if self.before is None:
            return self.bytes[node]
        return max(self.bytes[node], self.before[node])

    def place_of(self, node: int) -> AllocPlace:
        return self.places[self.place[node]]


class _Places:
    """Places of all trees, each once.

    What Massif lumped together is another number of places in each tree; to compare two, it
    is one place.
    """

    def __init__(self, *, compared: bool) -> None:
        self._compared = compared
        self.known: list[AllocPlace] = []
        self._numbers: dict[tuple[str, str], int] = {}

    def of_points(self, tree: AllocTree) -> dict[int, int]:
        """The place of each point that a tree uses."""
        names = call_names(tree)
        return {n: self._number(tree.points[n], names.get(n)) for n in set(tree.point)}

    def _number(self, point: AllocPoint, called: str | None) -> int:
        frame = point.frame
        function = called or (point.text if frame is None else (frame.fn or "???"))
        where = ""
        if self._compared and point.places is not None:
            function = _REST
        if frame is not None and frame.file is not None:
            where = frame.file if frame.line is None else f"{frame.file}:{frame.line}"
        elif frame is not None and frame.obj is not None:
            where = f"in {frame.obj}"
        found = self._numbers.get((function, where))
        if found is None:
            found = self._numbers[function, where] = len(self.known)
            label = function if frame is None or called else short_name(function)
            if frame is None and point.places is None:
                label = "everything allocated"
            if label == "operator()":  # known by its line alone
                label = f"operator() {where}"
            self.known.append(
                AllocPlace(
                    label,
                    function,
                    where,
                    not is_library(point),
                    frame.file if frame is not None else None,
                    frame.line if frame is not None else None,
                )
            )
        return found


class _Node:
    __slots__ = ("before", "bytes", "children", "place")

    def __init__(self, place: int) -> None:
        self.place = place
        self.bytes = 0
        self.before = 0
        self.children: dict[int, _Node] = {}

    def width(self) -> int:
        return max(self.bytes, self.before)


def alloc_nodes(
    tree: AllocTree,
    base: AllocTree | None = None,
    *,
    top_down: bool = False,
    own_only: bool = False,
) -> AllocNodes:
    """The tree to look at, compared with `base` where that is given.

    `own_only` leaves library frames out, except for stacks that have no other.
    """
    places = _Places(compared=base is not None)
    root = _Node(-1)
    for number, one in enumerate(t for t in (tree, base) if t is not None and len(t)):
        of_point = places.of_points(one)
        root.place = of_point[one.point[0]] if root.place < 0 else root.place
        for path, size in _paths(one):
            way = [of_point[p] for p in path]
            if own_only:
                way = [p for p in way if places.known[p].own] or way[:1]
            if top_down:
                way.reverse()
            node = root
            _add(node, size, number)
            for place in way:
                child = node.children.get(place)
                if child is None:
                    child = node.children[place] = _Node(place)
                node = child
                _add(node, size, number)
    return _flat(root, places.known, compared=base is not None)


def _add(node: _Node, size: int, number: int) -> None:
    if number:
        node.before += size
    else:
        node.bytes += size


def _paths(tree: AllocTree) -> Iterator[tuple[list[int], int]]:
    """Every way from the root to where bytes end, with those bytes; points, the root left out.

    What a node holds beyond its children (a tree that is cut off) ends at the node itself.
    """
    depths, sizes, points = tree.depth, tree.bytes, tree.point
    held = array("q", sizes)
    path: list[int] = []
    for node, depth in enumerate(depths):
        del path[depth:]
        path.append(node)
        if depth:
            held[path[-2]] -= sizes[node]
    path.clear()
    for node, depth in enumerate(depths):
        del path[max(0, depth - 1) :]
        if depth:
            path.append(points[node])
        if held[node] > 0:
            yield list(path), held[node]


def _flat(root: _Node, places: list[AllocPlace], *, compared: bool) -> AllocNodes:
    depth: list[int] = []
    end: list[int] = []
    sizes: list[int] = []
    before: list[int] = []
    place: list[int] = []
    waiting: list[tuple[_Node, int]] = [(root, 0)]
    open_nodes: list[int] = []
    while waiting:
        node, level = waiting.pop()
        while len(open_nodes) > level:
            end[open_nodes.pop()] = len(depth)
        open_nodes.append(len(depth))
        depth.append(level)
        end.append(0)
        sizes.append(node.bytes)
        before.append(node.before)
        place.append(node.place)
        ordered = sorted(node.children.values(), key=_Node.width, reverse=True)
        waiting.extend((child, level + 1) for child in reversed(ordered))
    for number in open_nodes:
        end[number] = len(depth)
    if not places:
        places = [AllocPlace("nothing allocated", "nothing allocated", "", own=False)]
        place[0] = 0
    return AllocNodes(depth, end, sizes, before if compared else None, place, places)
