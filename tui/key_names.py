"""Keys as they are written everywhere: in the key line, under `?`, in the palette, in texts.

Keys with a name are written as on their caps (`Enter`, `PgUp`), Ctrl as `^`.
"""

from textual.keys import format_key

_NAMES = {
    "enter": "Enter",
    "escape": "Esc",
    "space": "Space",
    "tab": "Tab",
    "backspace": "Backspace",
    "delete": "Del",
    "insert": "Ins",
    "home": "Home",
    "end": "End",
    "pageup": "PgUp",
    "pagedown": "PgDn",
}
_WITHOUT_ARROWS = {"up": "Up", "down": "Down", "left": "Left", "right": "Right"}


def key_name(key: str, *, ascii_only: bool = False) -> str:
    """The name of a key as a binding has it, such as `shift+pageup`."""
    *modifiers, last = key.split("+")
    name = (ascii_only and _WITHOUT_ARROWS.get(last)) or _NAMES.get(last) or format_key(last)
    held = [modifier for modifier in modifiers if modifier != "ctrl"]
    control = "^" if "ctrl" in modifiers else ""
    return "+".join([*(modifier.capitalize() for modifier in held), control + name])
