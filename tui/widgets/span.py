"""Which part of time is looked at: zoomed, scrolled, paused, or following what is new."""

from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui.text import fit
from tui.theme import palette

SHORTEST_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Span:
    """`seconds` up to `end` on the track's clock; `end` None follows the newest sample."""

    seconds: float
    end: float | None = None

    def edges(self, start: float, newest: float) -> tuple[float, float]:
        """Where the span begins and ends, in a track from `start` to `newest`."""
        end = newest if self.end is None else self.end
        return end - self.seconds, end

    def zoomed(self, factor: float, start: float, newest: float) -> "Span":
        """`factor` of the present length about its middle, or its end where it follows."""
        longest = max(newest - start, self.seconds)
        seconds = min(longest, max(SHORTEST_SECONDS, self.seconds * factor))
        if self.end is None:
            return Span(seconds)
        middle = self.end - self.seconds / 2
        return Span(seconds, self.end).moved_to(middle + seconds / 2, start, newest)

    def moved_to(self, end: float, start: float, newest: float) -> "Span":
        """The same length, within the track."""
        return Span(self.seconds, max(min(end, newest), min(newest, start + self.seconds)))

    def moved(self, share: float, start: float, newest: float) -> "Span":
        """Later (or, below 0, earlier) by a share of its length."""
        end = newest if self.end is None else self.end
        return self.moved_to(end + share * self.seconds, start, newest)


def clock(seconds: float, *, within: float = 1.0) -> str:
    """`12.3 s`, `4:05`, `1:02:03`: a place on a time axis, as fine as its length asks for."""
    digits = 1 if within >= 1 else 2 if within >= 0.1 else 3
    seconds = round(seconds, digits)
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", abs(seconds))  # no -0
    if seconds < 60:
        return f"{sign}{seconds:.{digits}f} s" if seconds % 1 else f"{sign}{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{sign}{minutes}:{rest:02d}"
    return f"{sign}{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


class TimeAxis(Widget):
    """The span's beginning, middle and end under plots of the same width, and what it is."""

    ends: reactive[tuple[str, str, str]] = reactive(("", "", ""))

    def render_line(self, y: int) -> Strip:
        cells = self.size.width
        left, middle, right = self.ends
        third = cells // 3
        text = (
            fit(left, third)
            + fit(middle, cells - 2 * third).strip().center(cells - 2 * third)
            + fit(right, third, right=True)
        )
        style = Style(color=palette(self.app.theme).dim)
        return (
            Strip([Segment(text, style)]).adjust_cell_length(cells).apply_style(self.rich_style)
        )
