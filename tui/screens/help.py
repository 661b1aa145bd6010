"""`?`: what the screen below shows, and every key that does something on it."""

from collections.abc import Iterable
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from tui.text import pad, width
from tui.widgets.frame_lines import nearest_first


class HelpScreen(ModalScreen[None]):
    """Made from the screen's own bindings, so that it cannot be out of date."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", "Close", key_display="Esc"),
    ]

    def __init__(self, about: Screen[Any]) -> None:
        super().__init__()
        self._text = getattr(about, "help_text", "")
        self._keys = list(_keys(about))

    def compose(self) -> ComposeResult:
        body = Text()
        if self._text:
            body.append(self._text.strip() + "\n\n")
        cells = max((width(key) for key, _ in self._keys), default=1)
        for key, what in self._keys:
            body.append(pad(key, cells), style="bold")
            body.append(f"  {what}\n")
        body.append("\nMouse: click rows, headings, tabs and the keys below. Esc closes this.")
        with VerticalScroll(id="dialog"):
            yield Static(body, markup=False)


def _keys(screen: Screen[Any]) -> Iterable[tuple[str, str]]:
    found: dict[tuple[str, str], list[str]] = {}
    # Those of the key line first: moving about is known, and where little fits, is below.
    for active in sorted(nearest_first(screen), key=lambda one: not one.binding.show):
        binding = active.binding
        if binding.description:
            shown = screen.app.get_key_display(binding)
            keys = found.setdefault((binding.action, binding.description), [])
            if shown not in keys:
                keys.append(shown)
    for (_action, what), keys in found.items():
        yield " ".join(keys), what
