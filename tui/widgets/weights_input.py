"""`w`: one line to type what each event costs in cycles; it shows only while it is used."""

from collections.abc import Mapping, Sequence

from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from profiler.aggregate.cost_table import parse_weights


class WeightsInput(Input):
    """Tells every change, and why one cannot be read. Enter takes the weights."""

    DEFAULT_CSS = """
    WeightsInput { display: none; height: 1; border: none; padding: 0 1; background: $boost; }
    WeightsInput:focus { border: none; }
    """

    class Weighed(Message):
        """Other weights, from now on."""

        def __init__(self, weights: Mapping[str, int]) -> None:
            super().__init__()
            self.weights = weights

    class Refused(Message):
        """What was typed are no weights; `reason` names the part at fault."""

        def __init__(self, reason: str) -> None:
            super().__init__()
            self.reason = reason

    def __init__(self, *, widget_id: str | None = None) -> None:
        super().__init__(placeholder="Ir=1 D1mr=10 DLmr=100", id=widget_id)
        self._events: Sequence[str] = ()
        self._before: Mapping[str, int] | None = None  # while others are typed
        self._back: Widget | None = None

    def open(self, weights: Mapping[str, int], events: Sequence[str], back: Widget) -> None:
        """Show the weights of the events, and type into them; `back` gets the focus then."""
        self._before, self._events, self._back = dict(weights), tuple(events), back
        self.value = " ".join(
            f"{event}={weights[event]}" for event in events if event in weights
        )
        self.display = True
        self.focus()

    def drop(self) -> None:
        """Go back to the weights before, unless others were taken."""
        if self.display:
            self.display = False
        if self._before is not None:
            self.post_message(self.Weighed(self._before))
            self._before = None

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.display and (weights := self._parsed()) is not None:
            self.post_message(self.Weighed(weights))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the weights; what cannot be read stays on the line."""
        event.stop()
        if self._parsed() is not None:
            self._before = None
            self.display = False
            if self._back is not None:
                self._back.focus()

    def _parsed(self) -> dict[str, int] | None:
        try:
            return parse_weights(self.value, self._events)
        except ValueError as error:
            self.post_message(self.Refused(str(error)))
            return None
