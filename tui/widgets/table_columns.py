"""What a line table is made of: columns, and rows that may sort and search themselves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, cast, runtime_checkable

from rich.style import Style

Value: TypeAlias = str | int | float | None
Row: TypeAlias = tuple[Value, ...]
Cell: TypeAlias = tuple[str, Style]
# Pieces of a cell's text, each with the name of a colour of `tui.theme.Palette`, or "".
Painted: TypeAlias = Sequence[tuple[str, str]]


@runtime_checkable
class RowSource(Protocol):
    """Rows that know how to sort and search themselves, for very many of them."""

    def __len__(self) -> int: ...

    def __getitem__(self, place: int, /) -> Row: ...

    def matching(self, text: str) -> Sequence[int]:
        """The places of rows that hold `text`, which is case-folded."""
        ...

    def ordered(
        self, places: Sequence[int] | None, column: int, *, descending: bool
    ) -> Sequence[int]:
        """`places` (None: all) by a column, unknown values last whichever the order."""
        ...


@runtime_checkable
class KeyedRows(RowSource, Protocol):
    """Rows that can tell where the one with a key is."""

    def find(self, key: "Value") -> int | None: ...

    def key_of(self, place: int) -> "Value": ...


# What a protocol answers slowly, kept by the type of rows.
_KEYED: dict[type, bool] = {}


def keyed(rows: object) -> KeyedRows | None:
    """The rows, if they can tell where the one with a key is."""
    known = _KEYED.get(type(rows))
    if known is None:
        known = _KEYED[type(rows)] = isinstance(rows, KeyedRows)
    return cast("KeyedRows", rows) if known else None


def as_text(value: Value) -> str:
    return "–" if value is None else str(value)


def paint_severity(value: Value, text: str) -> Painted:
    """A severity's sign in its colour."""
    return [(text, str(value))]


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column: `show` turns a value into text, and is called for visible rows only.

    A column that may `grow` takes its share of what the screen is wider than the table.
    `style` says how a value is drawn (None: as the row is); `paint` splits the fitted text
    into pieces in colours of the palette. `clip` shortens a text that is too wide where its
    end tells most; what it leaves too wide is cut off at the end.
    """

    title: str
    cells: int
    right: bool = False
    show: Callable[[Value], str] = as_text
    grow: bool = False
    style: Callable[[Value], Style | None] | None = None
    paint: Callable[[Value, str], Painted] | None = None
    clip: Callable[[str, int], str] | None = None


def fitted(columns: Sequence[TableColumn], room: int, gap: int) -> list[int]:
    """The cells of each column, those that may grow sharing what is left of the room."""
    cells = [column.cells for column in columns]
    growing = [i for i, column in enumerate(columns) if column.grow]
    left = room - sum(width + gap for width in cells) + gap
    for number, i in enumerate(growing):
        share = left // (len(growing) - number)
        if share > 0:
            cells[i] += share
            left -= share
    return cells


def whole_figures(
    columns: Sequence[TableColumn], cells: Sequence[int], gap: int, left: int, room: int
) -> int:
    """Cells up to where a figure would be cut off: what is left of it is another figure."""
    start = -left
    for column, width in zip(columns, cells, strict=True):
        if column.right and 0 < start < room < start + width:
            return start
        start += width + gap
    return room
