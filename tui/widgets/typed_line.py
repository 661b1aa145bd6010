"""A line that is typed into."""

from textual.binding import Binding
from textual.events import Key
from textual.widgets import Input


class TypedLine(Input):
    """An input that takes keys in the order in which they were typed.

    A binding is looked for when its key has risen to the application, one widget's queue
    after the other: of a burst, as slow links deliver it, letters came before backspaces.
    """

    async def on_key(self, event: Key) -> None:
        action = _EDITING.get(event.key)
        if action is not None:
            event.stop()
            event.prevent_default()
            await self.run_action(action)


_EDITING = {
    key: binding.action
    for binding in Input.BINDINGS
    if isinstance(binding, Binding) and binding.action != "submit"
    for key in binding.key.split(",")
}
