"""Takes the linkage names out of DWARF's abbreviation tables.

Valgrind calls an inlined function by its plain name (`push_back`), the library that reads
DWARF here by its linkage name where it has one. Where the attribute is renamed to one that
nobody knows, the plain name is all that is left, and stacks read alike.
"""

import re

_LEB = rb"[\x80-\xff]*+[\x00-\x7f]"
_HEAD = re.compile(rb"[\x80-\xff]*+[\x00-\x7f]" + _LEB + rb"[\x00\x01]")
_PAIR = re.compile(rb"(" + _LEB + rb")(?:\x21" + _LEB + rb"|" + _LEB + rb")")
_BODY = re.compile(
    rb"(?:(?!\x00\x00)(?:" + _LEB + rb")(?:\x21" + _LEB + rb"|" + _LEB + rb"))*+\x00\x00"
)
# DW_AT_linkage_name and DW_AT_MIPS_linkage_name, each with an unassigned one as long
_RENAMED = {b"\x6e": b"\x06", b"\x87\x40": b"\xff\x3f"}


def without_linkage_names(abbrevs: bytes) -> bytes:
    """A `.debug_abbrev` of the same size in which no attribute is a linkage name.

    What cannot be understood is left as it is.
    """
    changed = bytearray(abbrevs)
    position, end = 0, len(abbrevs)
    while position < end:
        if abbrevs[position] == 0:  # the end of one unit's table
            position += 1
            continue
        head = _HEAD.match(abbrevs, position)
        body = _BODY.match(abbrevs, head.end()) if head else None
        if head is None or body is None:
            break
        if b"\x6e" in body[0] or b"\x87\x40" in body[0]:
            for pair in _PAIR.finditer(abbrevs, body.start(), body.end() - 2):
                other = _RENAMED.get(pair[1])
                if other is not None:
                    changed[pair.start(1) : pair.end(1)] = other
        position = body.end()
    return bytes(changed)
