"""A node's label as Massif writes it: `0xADDR: fn (file:line)` and its kin."""

import re

from collectors.records.heap import AllocPoint
from collectors.records.shared import Frame

_PLACE = re.compile(r"(0x[0-9A-Fa-f]{1,16}): (.*)", re.DOTALL)
_BELOW = re.compile(r"in (\d{1,9}) places?, (?:all )?below massif's threshold")


def parse_label(label: str) -> AllocPoint:
    """What a label says. Names may hold brackets and colons themselves."""
    place = _PLACE.fullmatch(label)
    if place is None:
        below = _BELOW.match(label)
        return AllocPoint(label, places=int(below[1]) if below else None)
    return AllocPoint(label, Frame.from_place(int(place[1], 16), place[2]))
