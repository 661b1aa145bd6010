"""A plot of several series over time, two by four dots in a cell; in ASCII one `*`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from tui.text import pad, width

_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


@dataclass(frozen=True, slots=True)
class Series:
    """Values over the plot's times; `area` fills down to zero."""

    name: str
    values: Sequence[float]
    colour: str
    area: bool = False


def levels(
    times: Sequence[float], values: Sequence[float], start: float, end: float, slots: int
) -> list[float | None]:
    """The largest value in each of `slots` equal spans; a gap keeps the value before it."""
    found: list[float | None] = [None] * slots
    span = (end - start) or 1.0
    held: float | None = None
    for time, value in zip(times, values, strict=True):
        if time <= start:
            held = value
        if start <= time <= end:
            slot = min(slots - 1, int((time - start) / span * slots))
            before = found[slot]
            found[slot] = value if before is None else max(before, value)
    for slot, highest in enumerate(found):
        if highest is None:
            found[slot] = held
        else:
            held = highest
    return found


class BraillePlot(Widget):
    """Draws through the line API: a tick costs what the cells on the screen cost."""

    def __init__(
        self,
        *,
        show: Callable[[float], str] = lambda v: f"{v:g}",
        ascii_only: bool = False,
        widget_id: str | None = None,
    ) -> None:
        super().__init__(id=widget_id)
        self.times: Sequence[float] = ()
        self.series: tuple[Series, ...] = ()
        self.marks: tuple[tuple[float, str], ...] = ()
        self.window: tuple[float, float] | None = None
        self.ascii_only = ascii_only
        self._show = show
        self._strips: list[Strip] = []

    def set_data(
        self,
        times: Sequence[float],
        series: Sequence[Series],
        marks: Sequence[tuple[float, str]] = (),
    ) -> None:
        """`marks` are a time and one character, drawn over the plot's lowest line."""
        self.times, self.series, self.marks = times, tuple(series), tuple(marks)
        self._strips = []
        self.refresh()

    def zoom(self, factor: float) -> None:
        """Show `factor` of the present span, about its middle; above 1 shows more."""
        if not self.times:
            return
        start, end = self.window or (self.times[0], self.times[-1])
        middle, half = (start + end) / 2, (end - start) / 2 * factor
        full = (self.times[0], self.times[-1])
        window = (max(full[0], middle - half), min(full[1], middle + half))
        self.window = None if window == full else window
        self._strips = []
        self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips = []

    def on_resize(self) -> None:
        self._strips = []

    def render_line(self, y: int) -> Strip:
        if not self._strips:
            self._strips = self._draw(self.size.width, self.size.height)
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width)

    def _draw(self, columns: int, lines: int) -> list[Strip]:
        base = self.rich_style
        if not self.times or lines < 2:
            text = "" if self.times else "no data"
            return [Strip([Segment(pad(text, columns)[:columns], base)])] * max(1, lines)
        start, end = self.window or (self.times[0], self.times[-1])
        seen = [levels(self.times, s.values, start, end, columns * 2) for s in self.series]
        top = max((v for one in seen for v in one if v is not None), default=0.0) or 1.0
        rows = lines - 1
        bits = [[0] * columns for _ in range(rows)]
        colours = [["" for _ in range(columns)] for _ in range(rows)]
        for series, values in zip(self.series, seen, strict=True):
            heights = [
                None if v is None else round(max(0.0, v) / top * (rows * 4 - 1)) for v in values
            ]
            for x, (before, height) in enumerate(pairwise([heights[0], *heights])):
                if height is None:
                    continue
                low = 0 if series.area else min(height, height if before is None else before)
                high = height if series.area else max(height, low, before or 0)
                for dot in range(low, high + 1):
                    down = rows * 4 - 1 - dot
                    bits[down // 4][x // 2] |= _BITS[down % 4][x % 2]
                    colours[down // 4][x // 2] = series.colour
        for time, sign in self.marks:
            if start <= time <= end:
                x = min(columns - 1, int((time - start) / ((end - start) or 1.0) * columns))
                bits[rows - 1][x] = -ord(sign)
        strips = [self._legend(columns, top)]
        for line_bits, line_colours in zip(bits, colours, strict=True):
            segments = [
                Segment(self._cell(b), base + Style(color=c) if c else base)
                for b, c in zip(line_bits, line_colours, strict=True)
            ]
            strips.append(Strip(segments, columns).simplify())
        return strips

    def _cell(self, bits: int) -> str:
        if bits < 0:
            return chr(-bits)
        if not bits:
            return " "
        return "*" if self.ascii_only else chr(0x2800 + bits)

    def _legend(self, columns: int, top: float) -> Strip:
        head = f"{self._show(top)} at the top  "
        segments = [Segment(head, self.rich_style)]
        for series in self.series:
            style = self.rich_style + Style(color=series.colour)
            segments.append(Segment(f"# {series.name}  ", style))
        used = sum(width(s.text) for s in segments)
        return Strip(segments, used).adjust_cell_length(columns, self.rich_style)
