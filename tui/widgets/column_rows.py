"""Rows for a line table that are kept as columns: sorted and searched by numpy."""

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np

from tui.widgets.line_table import Row, Value


class Names:
    """A column of texts, each stored once: row i has `names[of[i]]`."""

    def __init__(self, names: Sequence[str], of: Any) -> None:
        self.names = names
        self.of: Any = np.asarray(of)
        self._folded: list[str] | None = None
        self._rank: Any = None

    def __len__(self) -> int:
        return len(self.of)

    def __getitem__(self, place: int) -> str:
        return self.names[int(self.of[place])]

    def folded(self) -> list[str]:
        """The names as they are searched; of very many the first call takes a while."""
        if self._folded is None:
            self._folded = [name.casefold() for name in self.names]
        return self._folded

    def matching(self, text: str) -> Any:
        """A flag for each row: whether its name holds `text`, upper or lower case."""
        folded = self.folded()
        found = np.fromiter((text in name for name in folded), bool, len(folded))
        return found[self.of] if len(found) else np.zeros(len(self.of), bool)

    def ranks(self) -> Any:
        """The place of each row's name in the alphabet."""
        if self._rank is None:
            names = self.folded()
            order = sorted(range(len(names)), key=names.__getitem__)
            rank = np.empty(len(order), dtype=np.int64)
            rank[order] = np.arange(len(order))
            self._rank = rank
        return self._rank[self.of]


class ColumnRows:
    """A `RowSource` over columns: `Names`, or numbers as a numpy array (NaN: not measured)."""

    def __init__(self, columns: Sequence[Any]) -> None:
        self.columns = tuple(columns)
        self._sorted: tuple[tuple[int, bool], Any] | None = None  # all rows, as last asked

    def __len__(self) -> int:
        return len(self.columns[0]) if self.columns else 0

    def __getitem__(self, place: int, /) -> Row:
        return tuple(_value(column, place) for column in self.columns)

    def matching(self, text: str) -> Sequence[int]:
        """Rows one of whose texts holds `text`, which is case-folded."""
        found = np.zeros(len(self), bool)
        for column in self.columns:
            if isinstance(column, Names):
                found |= column.matching(text)
        return _places(np.flatnonzero(found))

    def ordered(
        self, places: Sequence[int] | None, column: int, *, descending: bool
    ) -> Sequence[int]:
        """By a column; equal rows stay in their order, unknown ones are last.

        All rows are sorted once: those that a filter leaves are taken from them.
        """
        if self._sorted is None or self._sorted[0] != (column, descending):
            self._sorted = ((column, descending), self._sort(column, descending=descending))
        rows = self._sorted[1]
        if places is not None:
            wanted = np.zeros(len(self), bool)
            wanted[np.asarray(places, np.int64)] = True
            rows = rows[wanted[rows]]
        return _places(rows)

    def _sort(self, column: int, *, descending: bool) -> Any:
        values = self.columns[column]
        keys: Any = values.ranks() if isinstance(values, Names) else np.asarray(values)
        if keys.dtype.kind != "f":
            return _stable_order(-keys if descending else keys)
        unknown = np.isnan(keys)
        known = np.flatnonzero(~unknown)
        order = _stable_order(-keys[known] if descending else keys[known])
        return np.concatenate((known[order], np.flatnonzero(unknown)))


def _stable_order(keys: Any) -> Any:
    """The places of the keys in ascending order, equal ones as they stood.

    numpy's own stable sort takes twice as long as its plain one with the ties mended.
    """
    order = np.argsort(keys)
    if len(order) < 2:
        return order
    ordered = keys[order]
    rank = np.zeros(len(order), np.int64)
    np.cumsum(ordered[1:] != ordered[:-1], out=rank[1:])
    rank *= len(order)
    rank += order
    rank.sort()
    rank %= len(order)
    return rank


def _places(rows: Any) -> Sequence[int]:
    """An array of places as plain numbers: a list of so many takes longer than the sorting."""
    places = array("q")
    places.frombytes(rows.astype(np.int64, copy=False).tobytes())
    return places


def _value(column: Any, place: int) -> Value:
    if isinstance(column, Names):
        return column[place]
    value: int | float = column[place].item()
    return None if value != value else value
