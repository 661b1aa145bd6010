"""A line for each of a few rows: a strip whose height is one figure and whose shade another."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.text import fit
from tui.widgets.line_style import LineWidget

_BOLD = Style(bold=True)
_BLOCKS = " ▁▂▃▄▅▆▇█"
_ASCII = " .,:;+*%#"


def bar(share: float | None, *, ascii_only: bool = False) -> str:
    """One character for 0 to 1; what is above 0 is always seen."""
    if share is None:
        return " "
    step = round(share * 8)
    if step <= 0 and share > 0.005:
        step = 1
    return (_ASCII if ascii_only else _BLOCKS)[min(8, max(0, step))]


@lru_cache(maxsize=1 << 12)
def _bar_column(share: float | None, lines: int, ascii_only: bool) -> tuple[str, ...]:
    """A bar that is so many lines high, from the floor up."""
    return tuple(
        bar(
            None if share is None else min(1.0, max(0.0, share * lines - floor)),
            ascii_only=ascii_only,
        )
        for floor in range(lines)
    )


@dataclass(frozen=True, slots=True)
class HeatRow:
    """`shares` (0 to 1) are heights; `text` stands behind them; a strong label is bold."""

    label: str
    shares: Sequence[float | None]
    colour: str
    text: str = ""
    strong: bool = True


class HeatStrips(LineWidget):
    """As many rows as there is room for; the last line says how many more there are.

    Where there is more room than rows, each row is up to four lines high.
    """

    HIGHEST = 4

    LABEL = 4
    TEXT = 15

    def __init__(self, *, ascii_only: bool = False, widget_id: str | None = None) -> None:
        super().__init__(id=widget_id)
        self.rows: Sequence[HeatRow] = ()
        self._bars: dict[str, tuple[tuple[list[float | None], int], list[str]]] = {}
        self.ascii_only = ascii_only

    @property
    def columns(self) -> int:
        """How many of the strips stand side by side."""
        height = max(1, self.room.height)
        needed = -(-len(self.rows) // height) if self.rows else 1
        return max(1, min(needed, self.room.width // 36))

    @property
    def lines_each(self) -> int:
        """How many lines a row takes."""
        return max(1, min(self.HIGHEST, self.room.height // max(1, len(self.rows))))

    @property
    def slots(self) -> int:
        """How many values a row should have."""
        return max(4, self.room.width // self.columns - self.LABEL - self.TEXT - 1)

    def set_rows(self, rows: Sequence[HeatRow]) -> None:
        if len(rows) != len(self.rows):
            self.rows = rows
            self.refresh()
            return
        before, self.rows = self.rows, rows
        height, each = max(1, self.room.height), self.lines_each
        changed = [i for i, (a, b) in enumerate(zip(before, rows, strict=True)) if a != b]
        for y in sorted({i * each % height for i in changed}):
            for line in range(y, min(y + each, height)):
                self.repaint_line(line)

    def render_line(self, y: int) -> Strip:
        base = self.base_style
        cells, height, columns = self.room.width, max(1, self.room.height), self.columns
        lines = self.lines_each
        width = cells // columns
        fitting = height * columns
        segments: list[Segment] = []
        for column in range(columns):
            place, line = divmod(column * height + y, lines) if columns == 1 else (
                column * height + y, 0
            )  # fmt: skip
            if len(self.rows) > fitting and place == fitting - 1:
                more = len(self.rows) - fitting + 1
                segments.append(Segment(fit(f"and {more} more CPUs", width), base))
            elif place < len(self.rows):
                segments += self._row(self.rows[place], width, line, lines)
            else:
                segments.append(Segment(" " * width, base))
        segments.append(Segment(" " * (cells - width * columns), base))
        return Strip(segments, cells)

    def _row(self, row: HeatRow, cells: int, line: int, lines: int) -> list[Segment]:
        """A line of a row; the names and figures stand on its last, the floor."""
        room = max(0, cells - self.LABEL - self.TEXT - 1)
        shares = list(row.shares)[-room:] if room else []
        floor = lines - 1 - line
        if lines >= 3:
            lines -= 1  # its first line stays empty, so that rows are told apart
        base = self.base_style
        label, text = (row.label, row.text) if floor == 0 else ("", "")
        rest = max(0, cells - self.LABEL - room)
        return [
            Segment(fit(label, min(cells, self.LABEL)), base + _BOLD if row.strong else base),
            Segment(
                self._bar_line(row.label, shares, floor, lines).rjust(room),
                self.coloured(row.colour),
            ),
            Segment(fit(f" {text}", rest), base),
        ]

    def _bar_line(self, label: str, shares: list[float | None], floor: int, lines: int) -> str:
        """One line of a row's bars, which are all worked out when one of them has changed."""
        kept = self._bars.get(label)
        if kept is None or kept[0] != (shares, lines):
            columns = [_bar_column(share, lines, self.ascii_only) for share in shares]
            texts = ["".join(line) for line in zip(*columns, strict=True)]
            kept = self._bars[label] = ((shares, lines), texts)
        return kept[1][floor] if floor < len(kept[1]) else " " * len(shares)
