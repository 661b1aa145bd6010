"""Massif's trees by the piece give what the line reader gives, on whole and mangled text."""

import random

from collectors.readers.massif_out.pieces import Irregular
from collectors.readers.massif_out.trees import Trees
from collectors.records.heap import AllocTree

_PLAIN = b"""n3: 60 (heap allocation functions) malloc
 n2: 50 0x5007A2: ??? (in /usr/bin/p)
  n1: 30 0x4F: f(a, b) (x.c:3)
   n0: 30 0x5F: g (x.c:4)
  n0: 20 0x6F: h (x.c:5)
 n0: 5 0x7F: k
 n0: 5 in 3 places, all below massif's threshold (0.1%)
"""
_LEAF_IN_A_NAME = _PLAIN.replace(b"(a, b)", b"(a, n0: b)")
_FOREIGN = (b"n0: ", b"\n", b" ", b"n", b"\t", b"#", b"0", b"_", b"-", b"\r", b"\0", b"\xff",
            b"9" * 20, b"n00: ", b"\n n0: 1 x\n")  # fmt: skip

_Plain = tuple[list[tuple[int, int, str]] | None, bool]


def test_a_whole_tree_is_read_by_the_piece() -> None:
    tree, whole = Trees(b"", {})._pieces.tree(_PLAIN)
    assert whole
    assert list(tree.depth) == [0, 1, 2, 3, 2, 1, 1]
    assert list(tree.bytes) == [60, 50, 30, 30, 20, 5, 5]
    assert tree.points[tree.point[3]].text == "0x5F: g (x.c:4)"


def test_pieces_and_lines_agree() -> None:
    generator = random.Random(20)  # noqa: S311
    by_piece = 0
    for _ in range(4000):
        text = _mangled(generator)
        trees = Trees(text, {0: (0, len(text))})
        expected = _plain(trees._by_line(text.replace(b"\r", b"")))
        for again in range(2):  # the second time from what is known
            assert _plain(trees.load_checked(0)) == expected, (again, text)
        try:
            trees._pieces.tree(text)
            by_piece += 1
        except Irregular:
            pass
    assert by_piece > 500


def _mangled(generator: random.Random) -> bytes:
    text = generator.choice((_PLAIN, _LEAF_IN_A_NAME))
    for _ in range(generator.choice((0, 1, 1, 2, 4))):
        at = generator.randrange(len(text) + 1)
        match generator.randrange(4):
            case 0:
                text = text[:at] + generator.choice(_FOREIGN) + text[at:]
            case 1:
                text = text[:at] + text[at + generator.randrange(6) :]
            case 2:
                text = text[:at]
            case _:
                lines = text.split(b"\n")
                lines.insert(generator.randrange(len(lines)), generator.choice(lines))
                text = b"\n".join(lines)
    return text


def _plain(read: tuple[AllocTree | None, bool]) -> _Plain:
    tree, whole = read
    if tree is None:
        return None, whole
    texts = [tree.points[i].text for i in tree.point]
    return list(zip(tree.depth, tree.bytes, texts, strict=True)), whole
