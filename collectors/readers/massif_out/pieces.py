"""Whole trees by the piece: from one leaf to the next, most pieces stand in many trees.

A piece is what lies between two `n0: `, as that is found by the C library: the bytes and
label of a leaf, lines of nodes with children, and the spaces before the next leaf. What one
says is read once; a tree is what its pieces say, joined.
"""

from array import array
from collections.abc import Mapping
from itertools import islice
from operator import gt

from collectors.records.heap import AllocPoint, AllocTree

_LEAF = b"n0: "
_MOST_PIECES = 1 << 16  # whose meaning is kept


class Irregular(ValueError):
    """A tree that is to be read line by line: damage, or lines of an unusual make."""


class Pieces(dict[bytes, int]):
    """The numbers of pieces. Columns of bytes, joined for each tree, say what a piece says.

    `labels` and `children_of` say what a line's label and first word mean; a number of bytes
    with more than `most_digits`, or a node deeper than `most_depth`, is irregular.
    """

    def __init__(
        self,
        labels: Mapping[bytes, int],
        points: list[AllocPoint],
        children_of: Mapping[bytes, int],
        *,
        most_digits: int,
        most_depth: int,
    ) -> None:
        super().__init__()
        self._labels = labels
        self._points = points
        self._children_of = children_of
        self._most_digits = most_digits
        self._most_depth = most_depth
        self._forget()

    def _forget(self) -> None:
        self.clear()
        self._roots: dict[bytes, int] = {}
        self._depth: list[bytes] = []
        self._sizes: list[bytes] = []
        self._point: list[bytes] = []
        self._children: list[int] = []
        self._first: list[int] = []  # depth of the first node after the piece's own leaf
        self._next: list[int] = []  # depth of the next piece's leaf

    def tree(self, text: bytes) -> tuple[AllocTree, bool]:
        """A tree, and whether all of it is there. Raises `Irregular`."""
        if text[-1:] != b"\n":
            raise Irregular
        if len(self) > _MOST_PIECES:
            self._forget()
        words = text.split(_LEAF)
        pieces = [self._root(words[0])]
        pieces += map(self.__getitem__, islice(words, 1, None))
        leaves = map(self._next.__getitem__, pieces)
        if any(map(gt, map(self._first.__getitem__, islice(pieces, 1, None)), leaves)):
            raise Irregular
        depth = b"".join(map(self._depth.__getitem__, pieces))
        sizes = memoryview(b"".join(map(self._sizes.__getitem__, pieces))).cast("q")
        point = memoryview(b"".join(map(self._point.__getitem__, pieces))).cast("i")
        # No leaf follows the last piece.
        depths = memoryview(depth).cast("i")[:-1]
        if not len(depths) == len(sizes) == len(point) > 0:
            raise Irregular
        children = sum(map(self._children.__getitem__, pieces))
        whole = depths[0] == 0 and children == len(depths) - 1
        return AllocTree(depths, sizes, point, self._points), whole

    def _root(self, piece: bytes) -> int:
        """The number of a first piece, which has no leaf."""
        number = self._roots.get(piece)
        if number is None:
            number = self._roots[piece] = self._add(piece, has_leaf=False)
        return number

    def __missing__(self, piece: bytes) -> int:
        number = self[piece] = self._add(piece, has_leaf=True)
        return number

    def _add(self, piece: bytes, *, has_leaf: bool) -> int:
        lines = piece.split(b"\n")
        indent = lines.pop()
        next_leaf = len(indent)
        if indent.strip(b" ") or (has_leaf and not lines):
            raise Irregular
        depth: list[int] = []
        sizes: list[bytes] = []
        point: list[int] = []
        children = 0
        labels, children_of = self._labels, self._children_of
        try:
            if has_leaf:
                size, label = lines[0].split(None, 1)
                sizes.append(size)
                point.append(labels[label])
                del lines[0]
            deepest = self._most_depth  # the first is held against the leaf before it later
            for line in lines:
                count, size, label = line.split(None, 2)
                level = line.find(b"n")
                kept = children_of[count]
                if level > deepest or not kept:
                    raise Irregular
                deepest = level + 1
                depth.append(level)
                children += kept
                sizes.append(size)
                point.append(labels[label])
        except (ValueError, KeyError):
            raise Irregular from None
        depth.append(next_leaf)
        if (
            next_leaf > deepest
            or max(depth) > self._most_depth
            or not b"".join(sizes or (b"0",)).isdigit()
            or not all(map(self._most_digits.__ge__, map(len, sizes)))
        ):
            raise Irregular
        self._depth.append(array("i", depth).tobytes())
        self._sizes.append(array("q", map(int, sizes)).tobytes())
        self._point.append(array("i", point).tobytes())
        self._children.append(children)
        self._first.append(depth[0])
        self._next.append(next_leaf)
        return len(self._next) - 1
