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
    return AllocPoint(label, _frame(int(place[1], 16), place[2]))


def _frame(address: int, text: str) -> Frame:
    inside = text.rfind(" (in ")
    if inside >= 0 and text.endswith(")"):
        return Frame(address, _known(text[:inside]), obj=text[inside + 5 : -1])
    place = text.rfind(" (")
    if place >= 0 and text.endswith(")"):
        file, colon, line = text[place + 2 : -1].rpartition(":")
        if colon and file and line.isascii() and line.isdigit() and len(line) < 10:
            return Frame(address, _known(text[:place]), file=file, line=int(line))
    return Frame(address, _known(text))


def _known(name: str) -> str | None:
    return None if name == "???" else name
