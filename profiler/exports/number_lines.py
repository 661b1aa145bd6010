"""Lines of numbers, made of columns at once: most of what formats of costs are.

A number is written in lanes of four bytes, three digits each; what it does not need of them
stays NUL and is taken out in the end. So none becomes an object of Python, which takes an
eighth of the time (scripts/bench/exports).
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from profiler.tables.mapped import release

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Column = memoryview[int] | NDArray[np.signedinteger]

_ROWS_AT_ONCE = 1 << 14
_BASE = 1000
_MARKED, _PADDED, _EMPTY = _BASE, 2 * _BASE, 3 * _BASE  # where a table's other words begin
_CUT = b"\x01"


def lines_below_headers(
    keys: "Sequence[Column]",
    columns: "Sequence[Column]",
    header: Callable[..., bytes],
    *,
    trim: bool = False,
) -> Iterator[bytes]:
    r"""Rows as lines `\n1 2 3`; where a key changes, with `header(*keys)` in place of `\n`.

    All columns have the same length. Mapped ones are let go of on the way. `trim` leaves out
    the zeros at a line's end, but never its second number.
    """
    import numpy as np

    present = np.full((len(keys), 1), -1)
    for start in range(0, len(keys[0]), _ROWS_AT_ONCE):
        here = slice(start, start + _ROWS_AT_ONCE)
        chosen = np.stack([np.asarray(key[here]) for key in keys])
        changed = (np.diff(chosen, prepend=present) != 0).any(axis=0)
        present = chosen[:, -1:]
        numbers = [np.asarray(column[here]) for column in columns]
        first, *pieces = number_lines(numbers, changed, trim=trim)
        yield first
        for words, piece in zip(chosen[:, changed].T.tolist(), pieces, strict=True):
            yield header(*words)
            yield piece
        release([column for column in columns if isinstance(column, memoryview)])


def number_lines(
    columns: "Sequence[NDArray[np.signedinteger]]",
    cuts: "NDArray[np.bool_]",
    *,
    trim: bool = False,
) -> list[bytes]:
    r"""Each row as `\n1 2 3`, cut before the rows that `cuts` marks.

    The first piece is what is before the first cut. The first column has no negative numbers.
    """
    import numpy as np

    lanes = _lanes(columns[0], cuts, _table(b"\n", _CUT))
    shown = _up_to_the_last(columns[2:]) if trim else [None] * len(columns[2:])
    for column, kept in zip(columns[1:], [None, *shown], strict=True):
        if kept is not None and not kept.any():
            break  # nor is any behind it
        below = column < 0
        own: list[NDArray[np.uint32]] = []
        if below.any():
            own.append(np.where(below, _lane(b" "), _lane(b"")))
        own += _lanes(column, below, _table(b" ", b"-"))
        lanes += own if kept is None else [np.where(kept, lane, _lane(b"")) for lane in own]
    return np.stack(lanes, axis=1).tobytes().translate(None, b"\0").split(_CUT)


def _up_to_the_last(
    columns: "Sequence[NDArray[np.signedinteger]]",
) -> "list[NDArray[np.bool_]]":
    """Of each column the rows that have a number other than 0 there or behind."""
    import numpy as np

    found: list[NDArray[np.bool_]] = []
    some = np.zeros(len(columns[0]) if columns else 0, dtype=bool)
    for column in reversed(columns):
        some = some | (column != 0)
        found.insert(0, some)
    return found


def _lanes(
    column: "NDArray[np.signedinteger]",
    marked: "NDArray[np.bool_]",
    table: "NDArray[np.uint32]",
) -> "list[NDArray[np.uint32]]":
    """A column's lanes, from the highest digits to the lowest."""
    import numpy as np

    rest = np.abs(column.astype(np.int64)).view(np.uint64)  # that of the lowest int64, too
    most = int(rest.max(initial=0))
    if most < 1 << 32:
        rest = rest.astype(np.uint32)
    begins = np.where(marked, _MARKED, 0).astype(rest.dtype)
    found: list[NDArray[np.uint32]] = []
    while True:
        higher = rest // _BASE if most >= _BASE else None
        word = rest + begins
        if higher is not None:
            word = np.where(higher > 0, rest - higher * _BASE + _PADDED, word)
        if found:
            word = np.where(rest > 0, word, _EMPTY)
        found.insert(0, table[word])
        if higher is None:
            return found
        rest, most = higher, most // _BASE


@cache
def _table(begin: bytes, marked: bytes) -> "NDArray[np.uint32]":
    """Words of three digits: behind `begin`, behind `marked`, within a number, and none."""
    import numpy as np

    words = [b"%b%d" % (before, n) for before in (begin, marked) for n in range(_BASE)]
    words += [b"%03d" % n for n in range(_BASE)]
    return np.array([*words, b""], dtype="S4").view(np.uint32)


def _lane(text: bytes) -> "np.uint32":
    import numpy as np

    return np.uint32(int.from_bytes(text, sys.byteorder))
