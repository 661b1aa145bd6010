"""Text for XML 1.0: what cannot stand in a document is written as an escape."""

import re
from xml.sax.saxutils import escape, quoteattr

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _seen(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\x{code:02x}"


def text(value: str) -> str:
    """As the content of an element."""
    return escape(_FORBIDDEN.sub(_seen, value))


def attribute(value: str) -> str:
    """As an attribute's value, in its quotes."""
    return quoteattr(_FORBIDDEN.sub(_seen, value))
