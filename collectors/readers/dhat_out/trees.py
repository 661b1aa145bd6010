"""What stacks hold at one moment, as a tree."""

from array import array

from collectors.records.heap import AllocPoint, AllocSites, AllocTree

_ROOT = AllocPoint("(heap allocation functions) malloc/new/new[], --alloc-fns, etc.")


def tree_of(sites: AllocSites, sizes_of: "memoryview[int]") -> AllocTree:
    """Stacks with a common beginning, joined; the nodes with the most bytes first."""
    grown = _Grown(len(sites.points))
    starts, numbers = sites.stack_starts, sites.stack_points

    def stack(site: int) -> bytes:
        return numbers[starts[site] : starts[site + 1]].tobytes()

    # Sorted in any way, stacks that begin alike are neighbours.
    for site in sorted((site for site, size in enumerate(sizes_of) if size), key=stack):
        grown.add(numbers[starts[site] : starts[site + 1]], sizes_of[site])
    return grown.tree([*sites.points, _ROOT])


class _Grown:
    """A tree that grows by one stack at a time, each next to those that begin like it."""

    def __init__(self, root: int) -> None:
        self._depth, self._sizes = array("i", [0]), array("q", [0])
        self._names = array("i", [root])
        self._ends = array("i", [0])  # the first node that is not below this one
        self._open = [0]  # the nodes of the last stack
        self._last: list[int] = []

    def add(self, stack: "memoryview[int]", size: int) -> None:
        names = stack.tolist()
        common = 0
        for name, other in zip(names, self._last, strict=False):
            if name != other:
                break
            common += 1
        self._close(common + 1)
        for name in names[common:]:
            self._open.append(len(self._names))
            self._depth.append(len(self._open) - 1)
            self._sizes.append(0)
            self._names.append(name)
            self._ends.append(0)
        self._sizes[self._open[-1]] += size
        self._last = names

    def _close(self, keep: int) -> None:
        while len(self._open) > keep:
            node = self._open.pop()
            self._ends[node] = len(self._names)
            if self._open:
                self._sizes[self._open[-1]] += self._sizes[node]

    def tree(self, points: list[AllocPoint]) -> AllocTree:
        self._close(0)
        depth, sizes, names = array("i"), array("q"), array("i")
        todo = [0]
        while todo:
            node = todo.pop()
            depth.append(self._depth[node])
            sizes.append(self._sizes[node])
            names.append(self._names[node])
            children: list[int] = []
            child, end = node + 1, self._ends[node]
            while child < end:
                children.append(child)
                child = self._ends[child]
            if len(children) > 1:
                children.sort(key=self._sizes.__getitem__)
            todo += children
        return AllocTree(memoryview(depth), memoryview(sizes), memoryview(names), points)
