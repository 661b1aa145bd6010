"""Rows for a line table that are kept as columns: sorted and searched by numpy."""

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

    def matching(self, text: str) -> Any:
        """A flag for each row: whether its name holds `text`, upper or lower case."""
        if self._folded is None:
            self._folded = [name.casefold() for name in self.names]
        found = np.fromiter((text in name for name in self._folded), bool, len(self._folded))
        return found[self.of] if len(found) else np.zeros(len(self.of), bool)

    def ranks(self) -> Any:
        """The place of each row's name in the alphabet."""
        if self._rank is None:
            names = [name.casefold() for name in self.names]
            order = sorted(range(len(names)), key=names.__getitem__)
            rank = np.empty(len(order), dtype=np.int64)
            rank[order] = np.arange(len(order))
            self._rank = rank
        return self._rank[self.of]


class ColumnRows:
    """A `RowSource` over columns: `Names`, or numbers as a numpy array (NaN: not measured)."""

    def __init__(self, columns: Sequence[Any]) -> None:
        self.columns = tuple(columns)
        self._all: tuple[tuple[int, bool], list[int]] | None = None  # all rows, as last sorted

    def __len__(self) -> int:
        return len(self.columns[0]) if self.columns else 0

    def __getitem__(self, place: int, /) -> Row:
        return tuple(_value(column, place) for column in self.columns)

    def matching(self, text: str) -> list[int]:
        """Rows one of whose texts holds `text`, which is case-folded."""
        found = np.zeros(len(self), bool)
        for column in self.columns:
            if isinstance(column, Names):
                found |= column.matching(text)
        places: list[int] = np.flatnonzero(found).tolist()
        return places

    def ordered(
        self, places: Sequence[int] | None, column: int, *, descending: bool
    ) -> list[int]:
        """By a column; equal rows stay in their order, unknown ones are last."""
        if places is not None:
            return self._sorted(places, column, descending=descending)
        if self._all is None or self._all[0] != (column, descending):
            order = self._sorted(None, column, descending=descending)
            self._all = ((column, descending), order)
        return self._all[1]

    def _sorted(
        self, places: Sequence[int] | None, column: int, *, descending: bool
    ) -> list[int]:
        values = self.columns[column]
        keys: Any = values.ranks() if isinstance(values, Names) else np.asarray(values)
        rows: Any = np.arange(len(self)) if places is None else np.asarray(places, np.int64)
        keys = keys[rows]
        if keys.dtype.kind == "f":
            unknown = np.isnan(keys)
            known = rows[~unknown]
            order = np.argsort(-keys[~unknown] if descending else keys[~unknown], kind="stable")
            ranked: list[int] = np.concatenate((known[order], rows[unknown])).tolist()
            return ranked
        order = np.argsort(-keys if descending else keys, kind="stable")
        result: list[int] = rows[order].tolist()
        return result


def _value(column: Any, place: int) -> Value:
    if isinstance(column, Names):
        return column[place]
    value: int | float = column[place].item()
    return None if value != value else value
