"""`/`: one line to type a filter in; it shows only while it is used."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input


class FilterInput(Input):
    """Tells every change of its text. Enter goes back with the filter kept, Esc without."""

    DEFAULT_CSS = """
    FilterInput { height: 1; border: none; padding: 0 1; display: none; background: $boost; }
    FilterInput:focus { border: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down", "keep", "Keep the filter"),
        Binding("escape", "drop", "No filter"),
    ]

    class Filtered(Message):
        """The text changed; `text` is the filter from now on."""

        def __init__(self, source: "FilterInput", text: str) -> None:
            super().__init__()
            self.source = source
            self.text = text

        @property
        def control(self) -> "FilterInput":
            return self.source

    def __init__(self, *, widget_id: str | None = None) -> None:
        super().__init__(placeholder="filter: Enter keeps it, Esc drops it", id=widget_id)
        self._back: Widget | None = None

    def open(self, back: Widget) -> None:
        """Show the line and type into it; `back` gets the focus afterwards."""
        self._back = back
        self.display = True
        self.focus()

    def reset(self) -> None:
        """Forget the filter, for other rows."""
        self.value = ""
        if self.display:  # the first time it is set, the whole screen is laid out anew
            self.display = False

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Filtered(self, event.value))

    def action_keep(self) -> None:
        self.display = bool(self.value)
        self._leave()

    def action_drop(self) -> None:
        self.reset()
        self._leave()

    def _leave(self) -> None:
        if self._back is not None:
            self._back.focus()
