"""The heap over time: useful, extra and stack bytes on each other, with a cursor."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Click, Resize
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from collectors.records.heap import HeapProfile, HeapSnapshot, TreeKind
from profiler.aggregate.heap_levels import HeapColumn, column_of, heap_columns
from profiler.figures import size
from tui.text import pad

_PLAIN = Style()
_EIGHTHS = " ▁▂▃▄▅▆▇█"
FILLS = ("█", "▓", "░")  # useful, extra, stacks: told apart without colours too
_AXIS = 10
PEAK, LARGEST, BASE = "▲", "●", "C"


@dataclass(frozen=True, slots=True)
class LayerColours:
    """Colours of the three layers, of what is not data, and of the cursor's column."""

    useful: str
    extra: str
    stacks: str
    dim: str
    cursor: str


class HeapTimeline(Widget, can_focus=True):
    """The cursor is on a snapshot; below the plot `·` marks those with an allocation tree."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "step(1)", "Next snapshot with a tree", show=False),
        Binding("left", "step(-1)", "Snapshot with a tree before", show=False),
        Binding("full_stop", "move(1)", "Next snapshot", show=False, key_display="."),
        Binding("comma", "move(-1)", "Snapshot before", show=False, key_display=","),
        Binding("plus,equals_sign", "zoom(0.5)", "Zoom in", show=False, key_display="+"),
        Binding("minus", "zoom(2)", "Zoom out", show=False, key_display="-"),
        Binding("home", "edge(0)", "First snapshot", show=False),
        Binding("end", "edge(1)", "Last snapshot", show=False),
    ]

    class SnapshotHighlighted(Message):
        """The cursor came to a snapshot: `cursor` is its place in the profile."""

    class Zoomed(Message):
        """Another part of the time is shown: `shown` of `of` snapshots are in it."""

        def __init__(self, shown: int, of: int) -> None:
            super().__init__()
            self.shown, self.of = shown, of

    def __init__(self, *, widget_id: str | None = None) -> None:
        super().__init__(id=widget_id)
        self.snapshots: Sequence[HeapSnapshot] = ()
        self.cursor = 0
        self.is_series = True
        self.base: int | None = None
        self.span: tuple[int, int] | None = None  # the time that is shown, None: all
        self.colours = LayerColours("blue", "yellow", "magenta", "white", "white")
        self._columns: list[HeapColumn | None] = []
        self._marks: dict[int, str] = {}

    def set_profile(self, profile: HeapProfile, colours: LayerColours) -> None:
        """Show another process; the cursor is on its peak, as near as there is a tree."""
        self.snapshots, self.colours = profile.snapshots, colours
        self.is_series = profile.is_series
        self.base = self.span = None
        self._marks = {}
        for mark, wanted in ((PEAK, profile.marked_peak), (LARGEST, profile.peak)):
            if wanted is not None:  # where both are one snapshot, it is the largest
                self._marks[self._position(wanted)] = mark
        peak = profile.peak
        trees = [s for s in self.snapshots if s.tree is not TreeKind.EMPTY]
        start = max(trees, key=lambda s: s.total_bytes, default=peak)
        self._lay_out(self.size.width)
        self.go_to(0 if start is None else self._position(start))

    def _position(self, snapshot: HeapSnapshot) -> int:
        return next(i for i, s in enumerate(self.snapshots) if s is snapshot)

    def recolour(self, colours: LayerColours) -> None:
        self.colours = colours
        self.refresh()

    def set_base(self, position: int | None) -> None:
        """Mark the snapshot that others are compared with."""
        self.base = position
        self.refresh()

    def go_to(self, position: int) -> None:
        """Put the cursor on a snapshot."""
        if self.snapshots:
            self.cursor = max(0, min(position, len(self.snapshots) - 1))
            self._follow()
            self.refresh()
            self.post_message(self.SnapshotHighlighted())

    def on_resize(self, event: Resize) -> None:
        self._lay_out(event.size.width)

    def _lay_out(self, cells: int) -> None:
        self._columns = heap_columns(
            self.snapshots, max(1, cells - _AXIS), self._span(), holds=self.is_series
        )
        self.refresh()

    def _span(self) -> tuple[int, int]:
        """The time that is shown."""
        return self.span or self._all()

    def _all(self) -> tuple[int, int]:
        if not self.snapshots:
            return 0, 0
        first = self.snapshots[0].time if self.is_series else 0
        return first, self.snapshots[-1].time

    def _is_shown(self, position: int) -> bool:
        first, last = self._span()
        return first <= self.snapshots[position].time <= last

    def action_zoom(self, factor: float) -> None:
        """Show half of the time around the cursor, or twice as much."""
        if not self.snapshots:
            return
        start, end = self._all()
        first, last = self.span or (start, end)
        wide = ceil((last - first) * factor)  # up, that zooming out comes back to all
        gaps = [b.time - a.time for a, b in pairwise(self.snapshots) if b.time > a.time]
        if factor < 1 and wide < 2 * min(gaps, default=wide):
            return  # there is nothing between two snapshots
        self._show_span(self.snapshots[self.cursor].time - wide // 2, wide)

    def _show_span(self, first: int, wide: int) -> None:
        start, end = self._all()
        first = max(start, min(first, end - wide))
        self.span = None if wide >= end - start else (first, first + wide)
        self._lay_out(self.size.width)
        shown = sum(map(self._is_shown, range(len(self.snapshots))))
        self.post_message(self.Zoomed(shown, len(self.snapshots)))

    def _follow(self) -> None:
        """Scroll until the cursor is in sight."""
        if self.span is not None and not self._is_shown(self.cursor):
            wide = self.span[1] - self.span[0]
            self._show_span(self.snapshots[self.cursor].time - wide // 2, wide)

    def _column_of(self, position: int) -> int:
        first, last = self._span()
        return column_of(self.snapshots[position].time, first, last, len(self._columns))

    def render_line(self, y: int) -> Strip:
        cells, lines = self.size.width, self.size.height
        if not self.snapshots or lines < 2:
            return Strip.blank(cells, self.rich_style)
        dim = Style(color=self.colours.dim)
        rows = lines - 1
        top = max(s.total_bytes for s in self.snapshots) or 1
        if y == rows:
            segments = [Segment(" " * _AXIS), *self._mark_line(dim)]
        else:
            value = size(top) if y == 0 else size(round(top / 2)) if y == rows // 2 else ""
            value = "0" if y == rows - 1 and rows > 1 else value
            at_cursor = self._column_of(self.cursor)
            segments = [Segment(pad(value, _AXIS - 2, right=True) + " │", dim)]
            for column, level in enumerate(self._columns):
                cell = self._cell(level, rows - 1 - y, rows, top)
                if column == at_cursor:
                    text = "│" if cell.text == " " else cell.text
                    cell = Segment(text, Style(color=self.colours.cursor))
                segments.append(cell)
        return Strip(segments).simplify().adjust_cell_length(cells).apply_style(self.rich_style)

    def _cell(self, level: HeapColumn | None, row: int, rows: int, top: int) -> Segment:
        """One cell of a column: `row` 0 is the lowest."""
        if level is None:
            return Segment(" ", _PLAIN)
        eighths = rows * 8
        ends: list[int] = []
        held = 0
        for part in (level.useful, level.extra, level.stacks):
            held += part
            ends.append(round(held * eighths / top))
        low = row * 8
        filled = min(8, max(0, ends[2] - low))
        if not filled:
            return Segment(" ", _PLAIN)
        colours = (self.colours.useful, self.colours.extra, self.colours.stacks)
        parts = [
            max(0, min(end, low + 8) - max(start, low))
            for start, end in zip((0, *ends[:2]), ends, strict=True)
        ]
        layer = max(range(3), key=lambda i: (parts[i], -i))
        if filled < 8:
            return Segment(_EIGHTHS[filled], Style(color=colours[layer]))
        present = [i for i in range(3) if parts[i]]
        if len(present) == 2 and 2 <= parts[present[0]] <= 6:
            lower, upper = present
            style = Style(color=colours[lower], bgcolor=colours[upper])
            return Segment(_EIGHTHS[parts[lower]], style)
        return Segment(FILLS[layer], Style(color=colours[layer]))

    def _mark_line(self, dim: Style) -> list[Segment]:
        signs = [" "] * len(self._columns)
        for position, snapshot in enumerate(self.snapshots):
            if snapshot.tree is not TreeKind.EMPTY and self._is_shown(position):
                signs[self._column_of(position)] = "·"
        for position, mark in self._marks.items():
            if self._is_shown(position):
                signs[self._column_of(position)] = mark
        if self.base is not None and self._is_shown(self.base):
            signs[self._column_of(self.base)] = BASE
        at_cursor = self._column_of(self.cursor)
        return [
            Segment(
                sign,
                Style(reverse=True) if place == at_cursor else dim if sign == "·" else _PLAIN,
            )
            for place, sign in enumerate(signs)
        ]

    # Keys.

    def action_step(self, step: int) -> None:
        """To the next snapshot with a tree; to the next at all where none has one."""
        trees = [i for i, s in enumerate(self.snapshots) if s.tree is not TreeKind.EMPTY]
        if not trees:
            self.action_move(step)
            return
        ahead = [i for i in trees if (i > self.cursor if step > 0 else i < self.cursor)]
        if ahead:
            self.go_to(ahead[0] if step > 0 else ahead[-1])

    def action_move(self, step: int) -> None:
        self.go_to(self.cursor + step)

    def action_edge(self, last: int) -> None:
        self.go_to(len(self.snapshots) - 1 if last else 0)

    def on_click(self, event: Click) -> None:
        if self.snapshots and event.x >= _AXIS:
            wanted = event.x - _AXIS
            trees = [i for i, s in enumerate(self.snapshots) if s.tree is not TreeKind.EMPTY]
            places = [i for i in trees if self._is_shown(i)] or list(
                filter(self._is_shown, range(len(self.snapshots)))
            )
            if not places:
                return
            self.go_to(min(places, key=lambda i: abs(self._column_of(i) - wanted)))
