"""What the command palette offers: everything that a key does, by name."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from textual.app import SystemCommand
from textual.binding import Binding
from textual.screen import Screen

from tui.theme import PALETTES

if TYPE_CHECKING:
    from tui.app import Dashboard, Tab


def palette_commands(
    app: "Dashboard", screen: Screen[Any], tabs: "Iterable[Tab]"
) -> Iterable[SystemCommand]:
    """Themes, tabs, the keys of the screen, and those that it uses for something else."""
    for name in PALETTES:
        short = name.removeprefix("droidgrind-")
        yield SystemCommand(
            f"Theme: {short}", "Change the colours", lambda name=name: app.use_theme(name)
        )
    for tab in tabs:
        yield SystemCommand(
            f"Show {tab.title}", f"Key {tab.key}", lambda t=tab: app.action_tab(t.mode)
        )
    named = {tab.title for tab in tabs}
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.description and binding.description not in named:
            named.add(binding.description)
            yield SystemCommand(
                binding.description,
                f"Key {app.get_key_display(binding)}",
                lambda a=active: app.call_later(app.run_action, a.binding.action, a.node),
            )
    for binding in Binding.make_bindings(app.BINDINGS):
        if not app.check_action(binding.action, ()):
            continue
        if binding.description not in named:  # the screen uses its key for something else
            yield SystemCommand(
                binding.description,
                f"Key {app.get_key_display(binding)} on other screens",
                lambda b=binding: app.call_later(app.run_action, b.action, app),
            )
