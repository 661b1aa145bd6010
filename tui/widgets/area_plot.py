"""Areas over time, stacked, two by four dots in a cell; with a limit line, and in ASCII too.

Takes values by dot column, so that a tick costs what is on the screen. A cell column's
characters depend on two heights only, and are kept from tick to tick.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.text import clip, width
from tui.widgets.line_style import LineWidget

Values = Sequence[float | None]

_LEFT = (0x00, 0x40, 0x44, 0x46, 0x47)  # a cell's left dots, from the floor up
_RIGHT = (0x00, 0x80, 0xA0, 0xB0, 0xB8)
_ASCII = " ..::::##"  # by the number of dots that are set


@dataclass(frozen=True, slots=True)
class Layer:
    """One area: `colour` is a name of the palette, `now` what stands behind its name."""

    name: str
    values: Values
    colour: str
    now: str = ""


@lru_cache(maxsize=1 << 14)
def _cell_column(left: int, right: int, rows: int, ascii_only: bool) -> tuple[str, ...]:
    """The characters of one cell column, the highest first, for two heights in dots."""
    found: list[str] = []
    for row in range(rows - 1, -1, -1):
        low = row * 4
        a = min(4, max(0, left - low))
        b = min(4, max(0, right - low))
        if not a and not b:
            found.append(" ")
        elif ascii_only:
            found.append(_ASCII[a + b])
        else:
            found.append(chr(0x2800 + _LEFT[a] + _RIGHT[b]))
    return tuple(found)


def nice_top(value: float) -> float:
    """The next round value, so that the scale seldom changes."""
    if value <= 0:
        return 1.0
    power = 1.0
    while power * 10 <= value:
        power *= 10
    while power > value:
        power /= 10
    return next(
        (power * step for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if power * step >= value),
        value,
    )


class AreaPlot(LineWidget):
    """A heading with the values of now, then the areas; `limit` is a line across them."""

    def __init__(
        self,
        *,
        top: float | None = None,
        ascii_only: bool = False,
        widget_id: str | None = None,
    ) -> None:
        """`top` fixes the value at the upper edge (None: the largest value, rounded up)."""
        super().__init__(id=widget_id)
        self.fixed_top = top
        self.ascii_only = ascii_only
        self.areas: tuple[Layer, ...] = ()
        self.limit: float | None = None
        self.note = ""
        self.unit = ""
        self._strips: list[Strip] = []
        self._made: dict[int, tuple[list[Segment], Strip]] = {}

    @property
    def dots(self) -> int:
        """Dot columns: how many values a layer should have."""
        return max(1, self.room.width) * 2

    def set_layers(
        self,
        layers: Sequence[Layer],
        *,
        limit: float | None = None,
        note: str = "",
        unit: str = "",
    ) -> None:
        """Show other values; only lines that differ are drawn again. `unit` is the scale's."""
        same = (
            len(layers) == len(self.areas)
            and unit == self.unit
            and limit == self.limit
            and all(a.values is b.values for a, b in zip(layers, self.areas, strict=True))
        )
        self.areas, self.limit, self.note, self.unit = tuple(layers), limit, note, unit
        before, self._strips = self._strips, []
        if not before:
            self.refresh()
            return
        cells = self.room.width
        if same:  # only the heading's figures may differ
            self._strips = [self._heading(cells, self.base_style), *before[1:]]
        else:
            self._strips = self._draw(cells, self.room.height)
        if len(before) != len(self._strips):
            self.refresh()
            return
        for y, (a, b) in enumerate(zip(before, self._strips, strict=True)):
            if a is not b:
                self.repaint_line(y)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips = []
        self._made = {}

    def on_resize(self) -> None:
        self._strips = []
        self._made = {}

    def render_line(self, y: int) -> Strip:
        if not self._strips:
            self._strips = self._draw(self.room.width, self.room.height)
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.room.width)

    def _draw(self, cells: int, lines: int) -> list[Strip]:
        base = self.base_style
        rows = lines - 1
        strips = [self._heading(cells, base)]
        if rows < 1 or not self.areas:
            return strips + [Strip.blank(cells, base)] * max(0, rows)
        stacked = self._stacked(cells * 2)
        peak = max((v for v in stacked[-1] if v is not None), default=0.0)
        top = self.fixed_top or nice_top(max(peak, self.limit or 0.0))
        scale = rows * 4 / top
        full = rows * 4
        heights = [
            [0 if v is None else min(full, round(v * scale) or (v > 0)) for v in values]
            for values in stacked
        ]
        total = heights[-1]
        columns = [
            _cell_column(total[i], total[i + 1], rows, self.ascii_only)
            for i in range(0, cells * 2, 2)
        ]
        text = ["".join(line) for line in zip(*columns, strict=True)]
        # The higher of a cell's dot columns counts for its colour: the other may have no value.
        tops = [list(map(max, one[::2], one[1::2])) for one in heights[:-1]]
        styles = [self.coloured(layer.colour) for layer in self.areas]
        limit_row = None
        over = self.coloured("waiting")
        if self.limit is not None and 0 < self.limit <= top:
            limit_row = rows - 1 - min(rows - 1, int((self.limit * scale - 0.01) // 4))
        scale_text = "100 %" if self.fixed_top == 1 else f"{top:g} {self.unit}".rstrip()
        for y, line in enumerate(text):
            above = limit_row is not None and y < limit_row
            start = 0
            segments: list[Segment] = []
            if y == 0 and cells > len(scale_text) + 4:
                start = len(scale_text)
                segments.append(Segment(scale_text, self.coloured("dim")))
            if y == limit_row:
                segments += self._limit_line(line[start:], styles[-1])
            elif len(styles) == 1 or above:
                segments.append(Segment(line[start:], over if above else styles[0]))
            else:
                segments += _coloured(line, tops, rows - 1 - y, styles, start)
            strips.append(self._strip(y + 1, segments, cells))
        return strips

    def _strip(self, y: int, segments: list[Segment], cells: int) -> Strip:
        """The strip of a line; the one that was there, where it says the same."""
        made = self._made.get(y)
        if made is not None and made[0] == segments:
            return made[1]
        strip = Strip(segments, cells)
        self._made[y] = (segments, strip)
        return strip

    def _stacked(self, dots: int) -> list[Values]:
        """The upper edge of each layer, by dot column."""
        found: list[Values] = []
        floor: Values = [None] * dots
        for layer in self.areas:
            values: Values = list(layer.values)[-dots:]
            values = [None] * (dots - len(values)) + list(values)
            floor = [
                low if value is None else value + (low or 0.0)
                for value, low in zip(values, floor, strict=True)
            ]
            found.append(floor)
        return found

    def _limit_line(self, line: str, style: Style) -> list[Segment]:
        """The row that the limit runs through: it shows where nothing else does."""
        dash = "-" if self.ascii_only else "╌"
        dim = self.coloured("dim")
        return [
            Segment(dash * len(text), dim) if blank else Segment(text, style)
            for blank, text in (
                (blank, "".join(run)) for blank, run in groupby(line, " ".__eq__)
            )
        ]

    def _heading(self, cells: int, base: Style) -> Strip:
        mark = "#" if self.ascii_only else "█"
        segments: list[Segment] = []
        used = 0
        for layer in self.areas:
            text = f" {layer.name} {layer.now}".rstrip() + "  "
            if used + 1 + width(text) > cells:
                break
            segments += [Segment(mark, self.coloured(layer.colour)), Segment(text, base)]
            used += 1 + width(text)
        note = self.note if self.areas else clip(self.note, cells)
        if note and used + width(note) <= cells:
            segments.append(Segment(note, self.coloured("dim")))
            used += width(note)
        segments.append(Segment(" " * (cells - used), base))
        return self._strip(0, segments, cells)


def _coloured(
    line: str, tops: Sequence[Sequence[int]], row: int, styles: Sequence[Style], start: int
) -> list[Segment]:
    """A row of stacked layers: each cell has the colour of the layer at its middle.

    `tops`: how high each layer but the last reaches, by cell.
    """
    middle = row * 4 + 1
    above = [0] * len(line)  # how many of them reach above the middle
    for one in tops:
        if max(one) > middle:
            above = [n + (h > middle) for n, h in zip(above, one, strict=True)]
    last = len(tops)
    segments: list[Segment] = []
    for layers, run in groupby(above[start:]):
        end = start + len(list(run))
        segments.append(Segment(line[start:end], styles[last - layers]))
        start = end
    return segments
