"""Rows that are a plain sequence, sorted and searched one by one: for some thousands."""

from collections.abc import Sequence
from typing import cast

from tui.widgets.table_columns import Row, RowSource, Value

# What a protocol answers slowly, kept by the type of rows.
_SOURCES: dict[type, bool] = {}


def as_source(rows: "Sequence[Row] | RowSource", key_column: int | None) -> RowSource:
    """Rows that sort and search themselves, as they are or as `PlainRows`."""
    known = _SOURCES.get(type(rows))
    if known is None:
        known = _SOURCES[type(rows)] = isinstance(rows, RowSource)
    return (
        cast("RowSource", rows) if known else PlainRows(cast("Sequence[Row]", rows), key_column)
    )


class PlainRows:
    """A `RowSource` over rows; with a `key_column` one that finds them, too (`KeyedRows`).

    `words` are more than a row shows, by which it is searched, too.
    """

    def __init__(
        self, rows: Sequence[Row], key_column: int | None, *, words: Sequence[str] = ()
    ) -> None:
        self._rows = rows
        self._words = words or ("",) * len(rows)
        self._key_column = key_column or 0
        self._searched: list[str] | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: int, /) -> Row:
        return self._rows[place]

    def matching(self, text: str) -> list[int]:
        if self._searched is None:
            self._searched = [
                "\n".join((*(v for v in row if isinstance(v, str)), words)).casefold()
                for row, words in zip(self._rows, self._words, strict=True)
            ]
        return [i for i, words in enumerate(self._searched) if text in words]

    def ordered(
        self, places: Sequence[int] | None, column: int, *, descending: bool
    ) -> list[int]:
        rows = self._rows
        order = range(len(rows)) if places is None else places
        known = [i for i in order if rows[i][column] is not None]
        unknown = [i for i in order if rows[i][column] is None]
        known.sort(key=lambda i: rows[i][column], reverse=descending)  # type: ignore[arg-type, return-value]
        return known + unknown

    def find(self, key: Value) -> int | None:
        return next(
            (i for i, row in enumerate(self._rows) if row[self._key_column] == key), None
        )

    def key_of(self, place: int) -> Value:
        return self._rows[place][self._key_column]
