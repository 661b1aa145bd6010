"""The names that places index: a label as DHAT writes it, and lists that are no JSON."""

import json
import re

from collectors.records.heap import AllocPoint
from collectors.records.shared import Frame

_FRAME = re.compile(r"(0x[0-9A-Fa-f]{1,16}): (.*)", re.DOTALL)
_LINE = re.compile(rb'^[ \t,\[]*+"(.*)"[ \t\r,\]}]*+$', re.MULTILINE)


def names_in_lines(text: bytes) -> list[str]:
    """Names that stand on lines of their own, whole, however they are escaped."""
    return [_unescaped(found[1]) for found in _LINE.finditer(text)]


def parse_name(name: object) -> AllocPoint:
    """What a name says; one that is no text says nothing."""
    if not isinstance(name, str):
        return AllocPoint("???")
    name = whole_letters(name)
    found = _FRAME.fullmatch(name)
    return AllocPoint(name, found and Frame.from_place(int(found[1], 16), found[2]))


def _unescaped(name: bytes) -> str:
    text = name.decode("utf-8", "replace")
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text.replace('\\"', '"')


def whole_letters(text: str) -> str:
    """JSON can spell halves of letters, which nothing can write again."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
