"""What `--xtree-memory` writes: a tree for each quantity, in the place of a snapshot."""

import re
from array import array
from collections.abc import Iterator, Sequence

from collectors.readers.massif_out.trees import Trees
from collectors.records.heap import AllocPoint, AllocSites, AllocTree

_ROOT = re.compile(rb"n\d{1,9}: \d{1,18} (cur|tot|totFd)(B|Bk) : ")
_COLUMNS = {
    "curB": "end_bytes",
    "curBk": "end_blocks",
    "totB": "total_bytes",
    "totBk": "total_blocks",
    "totFdB": "freed_bytes",
    "totFdBk": "freed_blocks",
}


def quantity_of(root: bytes) -> str | None:
    """The quantity that a tree's first line names, such as `totBk`; None for Massif's own."""
    found = _ROOT.match(root)
    return None if found is None else (found[1] + found[2]).decode()


def sites_of(quantities: Sequence[str | None], trees: Trees) -> AllocSites:
    """Every stack that allocates or frees, with what each quantity says of it."""
    places: dict[tuple[int, ...], int] = {}
    columns: dict[str, array[int]] = {}
    points: Sequence[AllocPoint] = ()
    for position, quantity in enumerate(quantities):
        tree = None if quantity is None else trees.load(position)
        if quantity is None or tree is None:
            continue
        points = tree.points  # all trees of a file share them
        column = columns.setdefault(_COLUMNS[quantity], array("q"))
        for stack, size in _leaves(tree):
            place = places.setdefault(stack, len(places))
            if place >= len(column):
                column.extend([0] * (place + 1 - len(column)))
            column[place] += size
    for column in columns.values():
        column.extend([0] * (len(places) - len(column)))
    starts, numbers = array("q", [0]), array("i")
    for stack in places:
        numbers.extend(stack)
        starts.append(len(numbers))
    none = memoryview(array("q"))
    return AllocSites(
        {name: memoryview(column) for name, column in columns.items()},
        points,
        memoryview(starts),
        memoryview(numbers),
        memoryview(array("q", [0]) * len(starts)),
        none,
        none,
    )


def _leaves(tree: AllocTree) -> Iterator[tuple[tuple[int, ...], int]]:
    """Stacks as numbers of points, each with the bytes of its leaf."""
    in_code = [point.frame is not None for point in tree.points]
    path: list[int] = []
    last = len(tree) - 1
    for i, (depth, size, point) in enumerate(
        zip(tree.depth, tree.bytes, tree.point, strict=True)
    ):
        del path[max(0, depth - 1) :]
        if in_code[point]:
            path.append(point)
            if i == last or tree.depth[i + 1] <= depth:
                yield tuple(path), size
