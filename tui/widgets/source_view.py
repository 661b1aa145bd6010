"""A source file with what each line costs, and how hot it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.events import Resize

from profiler.figures import count
from tui.widgets.line_table import LineTable, Painted, Row, TableColumn, Value

# Share of the file's hottest line, from which a line is drawn so.
_HEAT = (
    (0.5, "██", "error"),
    (0.2, "▓▓", "waiting"),
    (0.05, "▒▒", "warning"),
    (0.0, "░░", "dim"),
)
_HERE = "▶"  # the line that was asked for, also where a terminal draws no bold
_LONGEST = 300  # cells of a source line that can be scrolled to


@dataclass(frozen=True, slots=True)
class LineCost:
    """What one line costs: `chosen` of the figure looked at, `events` of each event."""

    chosen: float
    events: tuple[int, ...]


def heat(share: float) -> str:
    """The gutter's sign for a share of the hottest line's cost."""
    return next((sign for least, sign, _ in _HEAT if share >= least), "") if share > 0 else ""


def _paint(value: Value, text: str) -> Painted:
    colour = next((colour for _, sign, colour in _HEAT if sign == value), "")
    return [(text, colour)]


def _count(value: Value) -> str:
    return "" if value is None else count(round(float(value)))


def _percent(value: Value) -> str:
    return "" if value is None else f"{100 * float(value):.1f} %"


class SourceView(LineTable):
    """Lines with their costs; of a file that is not found just the lines that cost."""

    sortable = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "hot(1)", "Next hot line"),
        Binding("N", "hot(-1)", "Hot line before", show=False),
    ]

    def __init__(self, *, widget_id: str | None = None) -> None:
        super().__init__((), frozen=2, widget_id=widget_id)
        self._hot: list[int] = []
        self._numbers: list[int] = []

    def set_source(
        self,
        text: Sequence[str] | None,
        costs: Mapping[int, LineCost],
        *,
        title: str,
        whole: float,
        events: Sequence[str] = (),
    ) -> None:
        """Show `text` (None: not found). Shares are of `whole`; `title` names the figure.

        `events` are shown too, a column each.
        """
        columns = [
            TableColumn("", 2, paint=_paint),
            TableColumn("line", 5, right=True),
            TableColumn(title, 13, right=True, show=_count),
            TableColumn("of file", 7, right=True, show=_percent),
            TableColumn("source", 72 if events else 40, grow=True),
            *(TableColumn(event, 13, right=True, show=_count) for event in events),
        ]
        self._numbers = _numbers(text, costs)
        hottest = max((cost.chosen for line, cost in costs.items() if line), default=0.0)
        unknown: Row = (None,) * len(events)
        rows: list[Row] = []
        for number in self._numbers:
            words = _words(text, number)
            cost = costs.get(number)
            if cost is None:
                rows.append(("", number, None, None, words, *unknown))
                continue
            sign = heat(cost.chosen / hottest) if hottest and number else ""
            share = cost.chosen / whole if whole else None
            counts = cost.events[: len(events)]
            rows.append((sign, number, cost.chosen, share, words, *counts))
        costly = {i: costs[n].chosen for i, n in enumerate(self._numbers) if n and n in costs}
        self._hot = sorted(
            (i for i, cost in costly.items() if cost > 0), key=lambda i: -costly[i]
        )
        self.set_columns(columns)
        self.set_rows(rows)

    def on_resize(self, event: Resize) -> None:
        super().on_resize(event)
        if self.line is not None:  # what was shown while there was no room is out of sight
            self.show_line(self.line)

    @property
    def line(self) -> int | None:
        """The line under the cursor."""
        return self._numbers[self.cursor] if self.cursor < len(self._numbers) else None

    def show_line(self, number: int | None) -> None:
        """Put the cursor on a line (None: the hottest), in the middle of the screen."""
        if number is None:
            place = self._hot[0] if self._hot else 0
        else:
            place = next((i for i, n in enumerate(self._numbers) if n == number), 0)
        self.move_to(place)
        middle = max(0, place - self.size.height // 2)
        self.scroll_to(y=middle, animate=False, immediate=True)

    def action_hot(self, step: int) -> None:
        """To the next line by falling cost, and round again."""
        if self._hot:
            now = self._hot.index(self.cursor) if self.cursor in self._hot else -step
            self.show_line(self._numbers[self._hot[(now + step) % len(self._hot)]])


def _numbers(text: Sequence[str] | None, costs: Mapping[int, LineCost]) -> list[int]:
    """The lines to show: of a file all, and those with costs that it does not have."""
    if text is None:
        return sorted(costs)
    beyond = [number for number in sorted(costs) if number > len(text)]
    return [*([0] if 0 in costs else []), *range(1, len(text) + 1), *beyond]


def _words(text: Sequence[str] | None, number: int) -> str:
    if number == 0:
        return "(no line known)"
    if text is None:
        return ""
    return text[number - 1].expandtabs(4) if number <= len(text) else "(beyond the file's end)"


class CodeView(LineTable):
    """A source file with the cursor on one of its lines, which a sign in the gutter marks."""

    sortable = False

    def __init__(self, *, widget_id: str | None = None) -> None:
        columns = (
            TableColumn("", 1, paint=lambda _value, text: [(text, "error")]),
            TableColumn("line", 6, right=True, paint=lambda _value, text: [(text, "dim")]),
            TableColumn("source", 40, grow=True),
        )
        super().__init__(columns, frozen=2, widget_id=widget_id)
        self._wanted = 1

    def set_code(self, text: Sequence[str], line: int | None) -> None:
        """Show a file, the cursor on `line` in the middle of the screen."""
        lines = [words.expandtabs(4) for words in text]
        longest = max(map(len, lines), default=0)
        mark, number, source = self.columns
        self.set_columns((mark, number, replace(source, cells=max(20, min(longest, _LONGEST)))))
        self.set_rows(
            [(_HERE if i == line else "", i, words) for i, words in enumerate(lines, start=1)]
        )
        self._wanted = line or 1
        self.call_after_refresh(self._show_line, self._wanted)

    def on_resize(self, event: Resize) -> None:
        super().on_resize(event)
        if self.cursor == self._wanted - 1:
            self._show_line(self._wanted)

    def _show_line(self, line: int) -> None:
        self.move_to(line - 1)
        middle = max(0, line - self.size.height // 2)
        self.scroll_to(y=middle, animate=False, immediate=True)
