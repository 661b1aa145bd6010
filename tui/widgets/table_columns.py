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

    def matching(self, text: str) -> list[int]:
        """The places of rows that hold `text`, which is case-folded."""
        ...

    def ordered(
        self, places: Sequence[int] | None, column: int, *, descending: bool
    ) -> list[int]:
        """`places` (None: all) by a column, unknown values last whichever the order."""
        ...


@runtime_checkable
class KeyedRows(RowSource, Protocol):
    """Rows that can tell where the one with a key is."""

    def find(self, key: "Value") -> int | None: ...

    def key_of(self, place: int) -> "Value": ...


# What protocols answer slowly, kept by the type of rows.
_KEYED: dict[type, bool] = {}
_SOURCES: dict[type, bool] = {}


def keyed(rows: object) -> KeyedRows | None:
    """The rows, if they can tell where the one with a key is."""
    known = _KEYED.get(type(rows))
    if known is None:
        known = _KEYED[type(rows)] = isinstance(rows, KeyedRows)
    return cast("KeyedRows", rows) if known else None


def source(rows: object) -> RowSource | None:
    """The rows, if they sort and search themselves."""
    known = _SOURCES.get(type(rows))
    if known is None:
        known = _SOURCES[type(rows)] = isinstance(rows, RowSource)
    return cast("RowSource", rows) if known else None


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
    into pieces in colours of the palette.
    """

    title: str
    cells: int
    right: bool = False
    show: Callable[[Value], str] = as_text
    grow: bool = False
    style: Callable[[Value], Style | None] | None = None
    paint: Callable[[Value, str], Painted] | None = None
