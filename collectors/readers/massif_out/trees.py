"""Massif's allocation trees, each read when it is asked for.

A line is a node: as many spaces as it is deep, `n` and the number of its children, its
bytes, its label. Whole trees are read by the piece, damaged ones in one loop over their
lines; deep ones never by recursion.
"""

import mmap
from array import array
from collections.abc import Mapping

from collectors.readers.massif_out.labels import parse_label
from collectors.readers.massif_out.pieces import Irregular, Pieces
from collectors.records.heap import AllocPoint, AllocTree

Content = bytes | mmap.mmap
Span = tuple[int, int]

_MOST_DEPTH = 10_000
_MOST_DIGITS = 18
_MOST_CHILDREN_DIGITS = 9


class _Points(dict[bytes, int]):
    """The numbers of labels; a label that is new is read and gets the next one."""

    def __init__(self) -> None:
        super().__init__()
        self.points: list[AllocPoint] = []

    def __missing__(self, label: bytes) -> int:
        number = self[label] = len(self.points)
        self.points.append(parse_label(label.decode("utf-8", "replace")))
        return number


class _Children(dict[bytes, int]):
    """What `n12:` means; a `KeyError` where it is no such word."""

    def __missing__(self, word: bytes) -> int:
        digits = word[1:-1]
        if not (
            word.startswith(b"n")
            and word.endswith(b":")
            and digits.isdigit()
            and len(digits) <= _MOST_CHILDREN_DIGITS
        ):
            raise KeyError(word)
        number = self[word] = int(digits)
        return number


class Trees:
    """The trees of one file; `spans` are where each snapshot's lies. They share labels."""

    def __init__(self, content: Content, spans: Mapping[int, Span]) -> None:
        self._content = content
        self._spans = spans
        self._points = _Points()
        self._children = _Children()
        self._pieces = Pieces(
            self._points,
            self._points.points,
            self._children,
            most_digits=_MOST_DIGITS,
            most_depth=_MOST_DEPTH,
        )

    def load(self, position: int) -> AllocTree | None:
        """The tree of the snapshot at `position` of the profile's list."""
        return self.load_checked(position)[0]

    def load_checked(self, position: int) -> tuple[AllocTree | None, bool]:
        """The tree, and whether all of it is there: each node has the children it counts."""
        span = self._spans.get(position)
        if span is None:
            return None, True
        text = self._content[span[0] : span[1]]
        if b"\r" in text:
            text = text.replace(b"\r", b"")
        try:
            return self._pieces.tree(text)
        except Irregular:
            return self._by_line(text)

    def _by_line(self, text: bytes) -> tuple[AllocTree | None, bool]:
        lines = text.split(b"\n")
        depth, sizes, point = array("i"), array("q"), array("i")
        children = 0
        whole = not lines[-1]  # else the last line is cut
        deepest = -1  # how deep the next node may be
        points, children_of = self._points, self._children
        for line in lines:
            words = line.split(None, 2)
            try:
                count, size, label = words
                level = line.find(b"n")
                kept = children_of[count]
                number = int(size) if len(size) <= _MOST_DIGITS and size.isdigit() else -1
            except (ValueError, KeyError):
                # Anything but an empty line and a comment is damage.
                whole = whole and (not words or words[0].startswith(b"#"))
                continue
            if level > _MOST_DEPTH or number < 0:
                whole = False
                continue
            if level > deepest + 1:
                whole = False
            deepest = level if kept else level - 1
            children += kept
            depth.append(level)
            sizes.append(number)
            point.append(points[label])
        if not depth:
            return None, False
        tree = AllocTree(memoryview(depth), memoryview(sizes), memoryview(point), points.points)
        return tree, whole and depth[0] == 0 and children == len(depth) - 1
