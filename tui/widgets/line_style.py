"""The style that a line widget draws on: what Textual works out anew at each call, kept."""

from rich.style import Style
from textual.widget import Widget

from tui.theme import palette


class LineWidget(Widget):
    """Keeps its own style, and that style in the palette's colours, until they change."""

    _kept_style: Style | None = None
    _kept_colours: dict[str, Style] | None = None

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

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._kept_style = None
        self._kept_colours = None
