"""Writes the changed lines of live widgets straight to the terminal, past the compositor.

Textual's compositor works out every line of every widget between the first and the last
one that changed, and writes whole lines: half of what a live screen costs at 10 Hz. Here a
line costs only itself, and of it only what differs is written. Where anything else could be
in the way (a dialog, a notification, a layout to come, a test without a terminal) the lines
are left to the compositor, which draws the same from the same widgets.

All that is used of Textual's own insides is in this module; `tests/tui/test_live_painter.py`
holds what it paints against what the compositor paints.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

from tui.text import width

if TYPE_CHECKING:
    from tui.app import Dashboard
    from tui.widgets.line_style import LineWidget

_SYNC = "\x1b[?2026h", "\x1b[?2026l"  # what stands between is shown at once
_MARK = "x"
_NO_STYLE = Style()


@dataclass(slots=True)
class _Place:
    """Where a widget is on the screen, and what its lines look like there (None: unknown)."""

    region: Region
    background: Any
    shown: dict[int, list[Segment]] = field(default_factory=dict[int, list[Segment]])


class LivePainter:
    """Paints the lines that change while `painting`; others go to the compositor."""

    def __init__(self, app: "Dashboard") -> None:
        # Textual's insides are not typed for others.
        self._app = cast("Any", app)
        self._lines: list[tuple[LineWidget, int]] = []
        self._depth = 0
        self._displays = -1
        self._theme = ""
        self._places: dict[LineWidget, _Place | None] = {}
        self._codes: dict[tuple[Style, Any], tuple[str, str]] = {}

    @contextmanager
    def painting(self) -> Generator[None]:
        """Collect changed lines, and write them when the outermost of these blocks ends."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                self._paint()

    def add(self, widget: "LineWidget", y: int) -> bool:
        """Take a changed line; False: it is the compositor's."""
        if self._depth:
            self._lines.append((widget, y))
        return self._depth > 0

    def _paint(self) -> None:
        lines, self._lines = self._lines, []
        if not lines:
            return
        if not self._free():
            for widget, y in lines:
                widget.refresh(Region(0, y, widget.size.width, 1))
            return
        parts: list[str] = []
        for widget, y in lines:
            place = self._place(widget)
            if place is None:
                widget.refresh(Region(0, y, widget.size.width, 1))
            elif y < place.region.height:
                self._paint_line(widget, y, place, parts)
        if parts:
            self._write("".join(parts))

    def _free(self) -> bool:
        """Whether nothing is between the screen's widgets and the terminal."""
        app = self._app
        driver = app._driver
        if driver is None or app.is_headless or app.is_inline or app._batch_count:
            return False
        screen = app.screen
        if screen.is_modal or screen._layout_required or screen.size != app.size:
            return False
        if self._displays != app.displays:  # the compositor has painted something since
            self._displays = app.displays
            self._places.clear()
        if self._theme != app.theme:
            self._theme = app.theme
            self._codes.clear()
        return True

    def _place(self, widget: "LineWidget") -> _Place | None:
        """Where a widget is; None where it is not to be seen whole."""
        if widget not in self._places:
            self._places[widget] = self._find(widget)
        return self._places[widget]

    def _find(self, widget: "LineWidget") -> _Place | None:
        screen = self._app.screen
        visible = screen._compositor.visible_widgets
        found = visible.get(widget)
        if found is None:
            return None
        region, clip = found
        inner = widget.scrollable_content_region
        if not clip.contains_region(region) or not region.contains_region(inner):
            return None
        above = set(widget.ancestors_with_self)
        for other, (its, its_clip) in visible.items():
            if other not in above and its.intersection(its_clip).overlaps(inner):
                return None
        return _Place(inner, widget.background_colors[1])

    def _paint_line(
        self, widget: "LineWidget", y: int, place: _Place, parts: list[str]
    ) -> None:
        cast("Any", widget)._styles_cache._dirty_lines.add(y)
        strip = widget.render_line(y)
        if strip.cell_length > place.region.width:  # the rest is under a scrollbar
            strip = strip.crop(0, place.region.width)
        now = list(strip)
        before = place.shown.get(y)
        place.shown[y] = now
        x, changed = (0, now) if before is None else difference(before, now)
        if not changed:
            return
        region, background, codes = place.region, place.background, self._codes
        parts.append(f"\x1b[{region.y + y + 1};{region.x + x + 1}H")
        for text, style, _ in changed:
            key = (style or _NO_STYLE, background)
            code = codes.get(key)
            if code is None:
                code = codes[key] = self._code(*key)
            parts += (code[0], text, code[1])

    def _code(self, style: Style, background: Any) -> tuple[str, str]:
        """What the terminal is sent before and after a text in a style."""
        strip = Strip([Segment(_MARK, style)])
        for one in self._app.get_line_filters():
            strip = strip.apply_filter(one, background)
        before, _, after = strip.render(self._app.console).partition(_MARK)
        return before, after

    def _write(self, text: str) -> None:
        app = self._app
        x, y = app.screen.outer_size.clamp_offset(app.cursor_position)
        text += f"\x1b[{y + 1};{x + 1}H"
        if app._sync_available:
            text = f"{_SYNC[0]}{text}{_SYNC[1]}"
        app._driver.write(text)
        app._driver.flush()


def difference(
    before: Sequence[Segment], now: Sequence[Segment]
) -> tuple[int, Sequence[Segment]]:
    """Where two lines of one width begin to differ, and what stands there up to their end."""
    x = first = 0
    most = min(len(before), len(now))
    while first < most and before[first] == now[first]:
        x += width(now[first].text)
        first += 1
    if first == most:
        return x, now[first:]
    last = 0
    most -= first
    while last < most and before[-1 - last] == now[-1 - last]:
        last += 1
    changed = list(now[first : len(now) - last])
    if not changed or first >= len(before):
        return x, changed
    head, old = changed[0], before[first]
    if head.style == old.style and len(head.text) == width(head.text):
        pairs = enumerate(zip(head.text, old.text, strict=False))
        same = next((i for i, (a, b) in pairs if a != b), min(len(head.text), len(old.text)))
        x += width(head.text[:same])
        changed[0] = Segment(head.text[same:], head.style)
    return x, changed
