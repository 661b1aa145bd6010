"""A table that draws only the lines on the screen, however many rows it has.

Cells are data, never markup: C++ names hold `[`, `<` and newlines.
"""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Click, Resize
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.text import fit as fit
from tui.widgets.line_style import LineWidget
from tui.widgets.plain_rows import as_source
from tui.widgets.table_columns import Cell as Cell
from tui.widgets.table_columns import KeyedRows as KeyedRows
from tui.widgets.table_columns import Painted as Painted
from tui.widgets.table_columns import Row as Row
from tui.widgets.table_columns import RowSource as RowSource
from tui.widgets.table_columns import TableColumn as TableColumn
from tui.widgets.table_columns import Value as Value
from tui.widgets.table_columns import as_text as as_text
from tui.widgets.table_columns import fitted, keyed, whole_figures

_GAP = 2
_MOST_TEXTS = 5000
_HEADER = Style(bold=True, underline=True)
_PLAIN = Style()
_CURSOR = Style(reverse=True)
_CURSOR_ELSEWHERE = Style(bold=True, underline=True)


class LineTable(ScrollView, LineWidget, can_focus=True):  # pyright: ignore[reportIncompatibleMethodOverride]
    """Rows with a header, a cursor, sorting and a filter."""

    sortable: ClassVar[bool] = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Open"),
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "first", "First", show=False),
        Binding("end", "last", "Last", show=False),
        Binding("s", "sort_next", "Sort by the next column", show=False),
        Binding("S", "turn_order", "Turn the order", show=False),
    ]

    last_gap: ClassVar[str] = ""  # what stands behind the last column

    class RowHighlighted(Message):
        """The cursor came to a row; `row` is its number in what `set_rows` was given."""

        def __init__(self, table: "LineTable", row: int) -> None:
            super().__init__()
            self.table = table
            self.row = row

        @property
        def control(self) -> "LineTable":
            return self.table

    class RowSelected(RowHighlighted):
        """Enter was pressed on a row, or it was clicked while the cursor was on it."""

    def __init__(
        self,
        columns: Sequence[TableColumn],
        *,
        sort: int | None = None,
        frozen: int = 0,
        empty: str = "",
        key_column: int | None = None,
        leads: bool = False,
        widget_id: str | None = None,
    ) -> None:
        """The first `frozen` columns stay when the rest is scrolled sideways.

        `empty` is shown where no row is left. With `key_column`, the cursor stays on the row
        with the same value there when other rows are set, and only another one is told.
        A table that `leads` somewhere does so by Enter, or a click where the cursor is.
        """
        super().__init__(id=widget_id)
        self._key_column = key_column
        self._leads = leads
        self._told: Value = None
        self._texts: dict[tuple[int, Value], str] = {}
        self._styles: dict[tuple[Style, Style], Style] = {}
        self._colours: dict[str, Style] = {}
        self.columns = tuple(columns)
        self.rows: Sequence[Row] | RowSource = ()
        self._source: RowSource = as_source((), key_column)
        self.frozen = frozen
        self.empty = empty
        self.sort_column = sort
        self.descending = True
        self.cursor = 0
        self.filter_text = ""
        self._order: Sequence[int] = ()
        self._drawn: dict[int, Row | None] = {}
        self._cells = [column.cells for column in self.columns]
        self._gaps: list[str] = []  # what stands behind each column's cells
        self._fitted = (0, False)  # the width, and whether a scrollbar takes of it
        self._seen = 0  # cells that no scrollbar lies over

    @property
    def shown(self) -> Sequence[int]:
        """Row numbers in the order they appear, those filtered out left out."""
        return self._order

    def set_rows(self, rows: "Sequence[Row] | RowSource") -> None:
        """Show other rows; only visible lines whose text differs are drawn again."""
        key = self._key_under_cursor()
        self.rows = rows
        self._source = as_source(rows, self._key_column)
        self._arrange(partly=True, key=key)

    def say_empty(self, empty: str) -> None:
        """Show another word where no row is left."""
        if empty != self.empty:
            self.empty = empty
            self.refresh()

    @property
    def row(self) -> int | None:
        """The number of the row under the cursor; None where no row is shown."""
        return self._order[self.cursor] if self._order else None

    def _key_under_cursor(self) -> Value:
        if self._key_column is None or not self._order:
            return None
        rows = keyed(self._source)
        return None if rows is None else rows.key_of(self._order[self.cursor])

    def set_filter(self, text: str) -> None:
        """Show rows one of whose text cells contains `text`, upper or lower case."""
        self.filter_text = text.casefold()
        self.cursor = 0
        self._arrange()
        self.scroll_to(y=0, animate=False, immediate=True)

    def sort_by(self, column: int, *, descending: bool = True) -> None:
        if not self.sortable:
            return
        self.sort_column = column
        self.descending = descending
        self._arrange()

    def set_columns(self, columns: Sequence[TableColumn], *, sort: int | None = None) -> None:
        """Other columns; the rows that fit them are given next."""
        self.columns = tuple(columns)
        self.rows = ()
        self._source = as_source((), self._key_column)
        self.sort_column = sort
        self.cursor = 0
        self.scroll_to(0, 0, animate=False, immediate=True)
        self._fit_columns(self.room.width)
        self._arrange()

    def _arrange(self, *, partly: bool = False, key: Value = None) -> None:
        order = self._places()
        moved = len(order) != len(self._order)
        self._order = order
        if key is not None:
            self._keep_cursor(key)
        self.cursor = max(0, min(self.cursor, len(order) - 1))
        if moved or not partly:
            self._fit_columns(self.room.width)
            self._drawn.clear()
            self.refresh()
        else:
            top = self.scroll_offset.y - 1
            for y, row in self._drawn.items():
                if y and self._row_at(top + y) != row:
                    self.repaint_line(y)
        self._tell(always=self._key_column is None)

    def _keep_cursor(self, key: Value) -> None:
        """Put the cursor where the row with this key now is, if it is there."""
        number = None if (rows := keyed(self._source)) is None else rows.find(key)
        if number is not None and number in self._order:
            self.cursor = self._order.index(number)

    def _row_at(self, place: int) -> Row | None:
        return self.rows[self._order[place]] if place < len(self._order) else None

    def _set_size(self) -> None:
        cells = sum(cells + _GAP for cells in self._cells) - _GAP
        self.virtual_size = Size(max(0, cells), len(self._order) + 1)

    def _places(self) -> Sequence[int]:
        """The places of the rows that pass the filter, in the order of the sorted column."""
        rows = self._source
        places = rows.matching(self.filter_text) if self.filter_text else None
        if self.sort_column is not None:
            return rows.ordered(places, self.sort_column, descending=self.descending)
        return list(range(len(rows))) if places is None else places

    def _tell(self, *, always: bool = True) -> None:
        if self._order:
            key = self._key_under_cursor()
            if always or key != self._told:
                self._told = key
                self.post_message(self.RowHighlighted(self, self._order[self.cursor]))

    def on_resize(self, event: Resize) -> None:
        if (event.size.width, self._overflows) != self._fitted:  # a layout may tell it twice
            self._fit_columns(event.size.width)

    @property
    def _overflows(self) -> bool:
        """Whether the rows need a scrollbar."""
        return len(self._order) + 1 > self.room.height

    def fit(self, width: int) -> None:
        """Lay the columns out for the width of the next layout: no scrollbar comes and goes."""
        if width:
            self._fit_columns(width)

    def _fit_columns(self, width_now: int) -> None:
        """Give the cells that are left to the columns that may grow."""
        self._fitted = (width_now, self._overflows)
        if self._overflows:
            width_now -= self.styles.scrollbar_size_vertical  # it lies over the last cells
        self._seen = max(0, width_now)
        self._texts.clear()
        last = len(self.columns) - 1
        self._gaps = [self.last_gap if i == last else " " * _GAP for i in range(last + 1)]
        self._cells = fitted(self.columns, width_now, _GAP)
        self._drawn.clear()
        self._set_size()
        self.refresh()

    def _line(self, y: int, row: Row | None) -> Sequence[Cell]:
        """The cells of the line `y` of the screen, gaps included, not scrolled sideways."""
        if y == 0:
            return [
                (fit(self._title(i), cells, right=c.right) + gap, _PLAIN)
                for i, (c, cells, gap) in enumerate(
                    zip(self.columns, self._cells, self._gaps, strict=True)
                )
            ]
        if row is None:
            return [(self.empty, _PLAIN)] if y == 1 and self.empty else []
        found: list[Cell] = []
        for i, (c, cells, value) in enumerate(zip(self.columns, self._cells, row, strict=True)):
            if c.paint is not None:
                text = fit(c.show(value), cells, right=c.right)
                for piece, name in c.paint(value, text):
                    found.append((piece, self._colour(name) if name else _PLAIN))
                found.append((self._gaps[i], _PLAIN))
            else:
                text = self._text(i, c, cells, value)
                style = (c.style(value) if c.style is not None else None) or _PLAIN
                found.append((text, style))
        return found

    def _text(self, number: int, column: TableColumn, cells: int, value: Value) -> str:
        """A cell's text with its gap; of names and numbers that stay, it is kept."""
        keep = not isinstance(value, float)
        kept = self._texts.get((number, value)) if keep else None
        if kept is None:
            text = column.show(value)
            if column.clip is not None:
                text = column.clip(text, cells)
            kept = fit(text, cells, right=column.right) + self._gaps[number]
            if keep:
                if len(self._texts) > _MOST_TEXTS:
                    self._texts.clear()
                self._texts[number, value] = kept
        return kept

    def _colour(self, name: str) -> Style:
        """A colour of the palette as a style: always the same object, so quick to compare."""
        found = self._colours.get(name)
        if found is None:
            found = self._colours[name] = Style(color=self.coloured(name).color)
        return found

    def _title(self, column: int) -> str:
        title = self.columns[column].title
        if column != self.sort_column:
            return title
        return f"{title} {'▼' if self.descending else '▲'}"

    def render_line(self, y: int) -> Strip:
        if self._fitted[0] != self.room.width:  # a scrollbar came or went
            self._fit_columns(self.room.width)
        place = self.scroll_offset.y + y - 1
        row = self._row_at(place) if y else None
        line = self._line(y, row)
        self._drawn[y] = row
        style = _HEADER if y == 0 else _PLAIN
        if row is not None and place == self.cursor:
            style = _CURSOR if self.has_focus else _CURSOR_ELSEWHERE
        left, cells = self.scroll_offset.x, self._seen
        if style is _CURSOR:  # one even bar, whatever the cells' own colours
            line = [(text, _PLAIN) for text, _ in line]
        if left == 0 or not self.frozen:
            strip = self._strip(line, style)
            if left or strip.cell_length > cells:
                strip = strip.crop(left, left + self._edge(left, cells))
        else:
            stays = self._strip(line[: self.frozen], style)
            room = max(0, cells - stays.cell_length)
            rest = self._strip(line[self.frozen :], style).crop(left, left + room)
            strip = Strip.join([stays, rest]).crop(0, self._edge(left, cells))
        missing = cells - strip.cell_length
        if missing > 0:
            strip = Strip([*strip, Segment(" " * missing, self._styled(style, _PLAIN))], cells)
        return strip

    def _edge(self, left: int, cells: int) -> int:
        return whole_figures(self.columns, self._cells, _GAP, left, cells)

    def _styled(self, line: Style, own: Style) -> Style:
        """A cell's style on this widget's own, kept: adding styles is slow."""
        found = self._styles.get((line, own))
        if found is None:
            found = self._styles[line, own] = self.base_style + line + own
        return found

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles.clear()
        self._colours.clear()

    def _strip(self, line: Sequence[Cell], style: Style) -> Strip:
        """The cells as few segments: neighbours of one style (the same object) are one."""
        segments: list[Segment] = []
        text, now = "", _PLAIN
        for part, own in line:
            if own is not now:
                if text:
                    segments.append(Segment(text, self._styled(style, now)))
                text, now = "", own
            text += part
        if text:
            segments.append(Segment(text, self._styled(style, now)))
        return Strip(segments)

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
        self._repaint_cursor()
        self.cursor = max(0, min(place, len(self._order) - 1))
        lines = max(1, self.room.height - 1)
        top = self.scroll_offset.y
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, immediate=True)
        elif self.cursor >= top + lines:
            self.scroll_to(y=self.cursor - lines + 1, animate=False, immediate=True)
        self._repaint_cursor()
        self._tell()

    def _repaint_cursor(self) -> None:
        line = self.cursor - self.scroll_offset.y + 1
        if 0 < line < self.room.height:
            self.repaint_line(line)

    def action_move(self, rows: int) -> None:
        self.move_to(self.cursor + rows)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "select":
            return self._leads
        return self.sortable or action not in {"sort_next", "turn_order"}

    def action_select(self) -> None:
        if self._leads and self._order:
            self.post_message(self.RowSelected(self, self._order[self.cursor]))

    def show_row(self, row: int) -> bool:
        """Put the cursor on a row by its number, taking a filter that hides it away."""
        if row not in self._order and self.filter_text:
            self.set_filter("")
        if row not in self._order:
            return False
        self.move_to(self._order.index(row))
        return True

    def action_page(self, pages: int) -> None:
        self.move_to(self.cursor + pages * max(1, self.room.height - 1))

    def action_first(self) -> None:
        self.move_to(0)

    def action_last(self) -> None:
        self.move_to(len(self._order) - 1)

    def action_sort_next(self) -> None:
        now = -1 if self.sort_column is None else self.sort_column
        if self.columns:  # they may come with what is still read
            self.sort_by((now + 1) % len(self.columns), descending=self.descending)

    def action_turn_order(self) -> None:
        if self.columns:
            self.sort_by(self.sort_column or 0, descending=not self.descending)

    def on_click(self, event: Click) -> None:
        if event.y > 0:
            place = self.scroll_offset.y + event.y - 1
            again = place == self.cursor
            self.move_to(place)
            if again and place < len(self._order):
                self.action_select()
            return
        stays = sum(cells + _GAP for cells in self._cells[: self.frozen])
        x = event.x if event.x < stays else event.x + self.scroll_offset.x
        for i, cells in enumerate(self._cells):
            if x < cells + _GAP:
                turned = i == self.sort_column and self.descending
                self.sort_by(i, descending=not turned)
                return
            x -= cells + _GAP
