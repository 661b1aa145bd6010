"""A table that draws only the lines on the screen, however many rows it has.

Cells are data, never markup: C++ names hold `[`, `<` and newlines.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.text import pad, printable, width

Value: TypeAlias = str | int | float | None
Row: TypeAlias = tuple[Value, ...]

_GAP = 2
_HEADER = Style(bold=True, underline=True)
_PLAIN = Style()
_CURSOR = Style(reverse=True)


def as_text(value: Value) -> str:
    return "–" if value is None else str(value)


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column: `show` turns a value into text, and is called for visible rows only."""

    title: str
    cells: int
    right: bool = False
    show: Callable[[Value], str] = as_text


def fit(text: str, cells: int, *, right: bool = False) -> str:
    """The text in exactly `cells` terminal cells; a cut text ends in `~`."""
    text = printable(text)
    if width(text) <= cells:
        return pad(text, cells, right=right)
    kept, used = "", 0
    for char in text:
        wide = width(char)
        if used + wide > cells - 1:
            break
        kept += char
        used += wide
    return pad(kept + "~", cells)


class LineTable(ScrollView, can_focus=True):
    """Rows with a header, a cursor, sorting and a filter."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "first", "First", show=False),
        Binding("end", "last", "Last", show=False),
        Binding("s", "sort_next", "Sort"),
        Binding("S", "turn_order", "Turn order"),
    ]

    class RowHighlighted(Message):
        """The cursor came to a row; `row` is its number in what `set_rows` was given."""

        def __init__(self, table: "LineTable", row: int) -> None:
            super().__init__()
            self.table = table
            self.row = row

        @property
        def control(self) -> "LineTable":
            return self.table

    def __init__(
        self,
        columns: Sequence[TableColumn],
        *,
        sort: int | None = None,
        widget_id: str | None = None,
    ) -> None:
        super().__init__(id=widget_id)
        self.columns = tuple(columns)
        self.rows: Sequence[Row] = ()
        self.sort_column = sort
        self.descending = True
        self.cursor = 0
        self.filter_text = ""
        self._order: list[int] = []
        self._searched: list[str] | None = None
        self._drawn: dict[int, str] = {}

    @property
    def shown(self) -> Sequence[int]:
        """Row numbers in the order they appear, those filtered out left out."""
        return self._order

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show other rows; only visible lines whose text differs are drawn again."""
        self.rows = rows
        self._searched = None
        self._arrange(partly=True)

    def set_filter(self, text: str) -> None:
        """Show rows one of whose text cells contains `text`, upper or lower case."""
        self.filter_text = text.casefold()
        self.cursor = 0
        self._arrange()
        self.scroll_to(y=0, animate=False, immediate=True)

    def sort_by(self, column: int, *, descending: bool = True) -> None:
        self.sort_column = column
        self.descending = descending
        self._arrange()

    def _arrange(self, *, partly: bool = False) -> None:
        order = list(range(len(self.rows)))
        if self.filter_text:
            if self._searched is None:
                self._searched = [
                    "\n".join(v for v in row if isinstance(v, str)).casefold()
                    for row in self.rows
                ]
            order = [i for i in order if self.filter_text in self._searched[i]]
        if self.sort_column is not None:
            column = self.sort_column
            known = [i for i in order if self.rows[i][column] is not None]
            unknown = [i for i in order if self.rows[i][column] is None]
            known.sort(key=lambda i: self.rows[i][column], reverse=self.descending)  # type: ignore[arg-type, return-value]
            order = known + unknown  # what was not measured is last, whichever the order
        moved = len(order) != len(self._order)
        self._order = order
        self.cursor = max(0, min(self.cursor, len(order) - 1))
        cells = sum(c.cells + _GAP for c in self.columns)
        self.virtual_size = Size(cells, len(order) + 1)
        if not partly or moved:
            self._drawn.clear()
            self.refresh()
        else:
            for y in [y for y, text in self._drawn.items() if self._line(y) != text]:
                self.refresh(Region(0, y, self.size.width, 1))
        self._tell()

    def _tell(self) -> None:
        if self._order:
            self.post_message(self.RowHighlighted(self, self._order[self.cursor]))

    def _line(self, y: int) -> str:
        """The whole text of the line `y` of the screen, not yet scrolled sideways."""
        if y == 0:
            return "".join(
                fit(self._title(i), c.cells, right=c.right) + " " * _GAP
                for i, c in enumerate(self.columns)
            )
        place = self.scroll_offset.y + y - 1
        if place >= len(self._order):
            return ""
        row = self.rows[self._order[place]]
        return "".join(
            fit(c.show(value), c.cells, right=c.right) + " " * _GAP
            for c, value in zip(self.columns, row, strict=True)
        )

    def _title(self, column: int) -> str:
        title = self.columns[column].title
        if column != self.sort_column:
            return title
        return f"{title} {'v' if self.descending else '^'}"

    def render_line(self, y: int) -> Strip:
        text = self._line(y)
        self._drawn[y] = text
        on_cursor = y > 0 and bool(text) and self.scroll_offset.y + y - 1 == self.cursor
        style = _HEADER if y == 0 else _CURSOR if on_cursor else _PLAIN
        left, cells = self.scroll_offset.x, self.size.width
        strip = Strip([Segment(text, style)]).crop(left, left + cells)
        return strip.extend_cell_length(cells, style).apply_style(self.rich_style)

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_x(old_value, new_value)
        self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._drawn.clear()
        self.refresh()

    def move_to(self, place: int) -> None:
        """Put the cursor on the place-th row shown, and scroll it into sight."""
        if not self._order:
            return
        self.cursor = max(0, min(place, len(self._order) - 1))
        lines = max(1, self.size.height - 1)
        top = self.scroll_offset.y
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, immediate=True)
        elif self.cursor >= top + lines:
            self.scroll_to(y=self.cursor - lines + 1, animate=False, immediate=True)
        self.refresh()
        self._tell()

    def action_move(self, rows: int) -> None:
        self.move_to(self.cursor + rows)

    def action_page(self, pages: int) -> None:
        self.move_to(self.cursor + pages * max(1, self.size.height - 1))

    def action_first(self) -> None:
        self.move_to(0)

    def action_last(self) -> None:
        self.move_to(len(self._order) - 1)

    def action_sort_next(self) -> None:
        now = -1 if self.sort_column is None else self.sort_column
        self.sort_by((now + 1) % len(self.columns), descending=self.descending)

    def action_turn_order(self) -> None:
        self.sort_by(self.sort_column or 0, descending=not self.descending)

    def on_click(self, event: Click) -> None:
        if event.y > 0:
            self.move_to(self.scroll_offset.y + event.y - 1)
            return
        x = event.x + self.scroll_offset.x
        for i, column in enumerate(self.columns):
            if x < column.cells + _GAP:
                turned = i == self.sort_column and self.descending
                self.sort_by(i, descending=not turned)
                return
            x -= column.cells + _GAP
