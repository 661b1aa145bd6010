"""What `--xtree-memory` writes: a tree for each quantity, in the place of a snapshot."""

import re
from array import array
from collections.abc import Sequence

from collectors.readers.massif_out.trees import Trees
from collectors.records.heap import AllocSites, AllocTree
from collectors.records.shared import Frame

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
    places: dict[tuple[Frame, ...], int] = {}
    columns: dict[str, array[int]] = {}
    for position, quantity in enumerate(quantities):
        tree = None if quantity is None else trees.load(position)
        if quantity is None or tree is None:
            continue
        column = columns.setdefault(_COLUMNS[quantity], array("q"))
        for frames, size in _leaves(tree):
            place = places.setdefault(frames, len(places))
            if place >= len(column):
                column.extend([0] * (place + 1 - len(column)))
            column[place] += size
    for column in columns.values():
        column.extend([0] * (len(places) - len(column)))
    return AllocSites(
        list(places), {name: memoryview(column) for name, column in columns.items()}
    )


def _leaves(tree: AllocTree) -> list[tuple[tuple[Frame, ...], int]]:
    leaves: list[tuple[tuple[Frame, ...], int]] = []
    path: list[Frame] = []
    for i, depth in enumerate(tree.depth):
        del path[max(0, depth - 1) :]
        frame = tree.points[tree.point[i]].frame
        if frame is None:
            continue
        path.append(frame)
        if i + 1 == len(tree) or tree.depth[i + 1] <= depth:
            leaves.append((tuple(path), tree.bytes[i]))
    return leaves
