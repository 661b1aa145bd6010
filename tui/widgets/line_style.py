"""The style that a line widget draws on: what Textual works out anew at each call, kept."""

from typing import TYPE_CHECKING

from rich.style import Style
from textual.geometry import Region, Size
from textual.widget import Widget

from tui.theme import palette

if TYPE_CHECKING:
    from tui.live_painter import LivePainter


class LineWidget(Widget):
    """Keeps its own style, and that style in the palette's colours, until they change."""

    _kept_style: Style | None = None
    _kept_colours: dict[str, Style] | None = None
    painter: "LivePainter | None" = None  # who paints lines that change ten times a second

    @property
    def base_style(self) -> Style:
        """`rich_style`, which costs half a millisecond, once."""
        if self._kept_style is None:
            self._kept_style = self.rich_style
        return self._kept_style

    def coloured(self, name: str) -> Style:
        """The base style in a colour of the palette."""
        if self._kept_colours is None:
            self._kept_colours = {}
        style = self._kept_colours.get(name)
        if style is None:
            colour = getattr(palette(self.app.theme), name)
            style = self._kept_colours[name] = self.base_style + Style(color=colour)
        return style

    @property
    def room(self) -> Size:
        """`size` of a widget without border and padding, which costs next to nothing.

        Of one that is not shown it stays what it was.
        """
        return self.outer_size

    def repaint_line(self, y: int) -> None:
        """One line has changed."""
        if self.painter is None or not self.painter.add(self, y):
            self.refresh(Region(0, y, self.size.width, 1))

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._kept_style = None
        self._kept_colours = None
