"""Where in the program, in the room of a line: of function and file, the function is cut."""

from collections.abc import Sequence

from profiler.functions import short_name
from tui.text import clip, width

_FEWEST = 8  # cells of a function's name
_ENDLESS = 1000  # cells: names come from files that nobody vouches for
_BETWEEN = " < "


def place_text(place: str, within: int | None) -> str:
    """`fn (file:line)` in at most `within` cells, the function by its short name."""
    name, bracket, where = place.rpartition(" (")
    if not bracket:
        name, where = place, ""
    name, where = short_name(name), bracket + where
    if within is None:
        return clip(name + where, _ENDLESS)
    room = max(_FEWEST, within - width(where))
    return clip(clip(name, room) + where, within)


def joined_places(places: Sequence[str], within: int | None) -> str:
    """As many of a stack's places as fit, the innermost first; `???` for none."""
    text = place_text(places[0], within) if places else "???"
    for place in places[1:]:
        longer = text + _BETWEEN + place_text(place, None)
        if within is not None and width(longer) > within:
            break
        text = longer
    return text
