"""Names in formats of lines: one that holds a line's end would be read as two lines."""

import re

_CONTROL = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]")


def name_line(name: str) -> bytes:
    """The name on one line, its bytes as the tool wrote them where they were no UTF-8."""
    if name.isascii() and name.isprintable():  # most are: half the time
        return name.encode()
    shown = _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", name)
    return shown.encode("utf-8", "surrogateescape")
