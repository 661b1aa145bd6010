"""Text that a tool wrote, made fit to be shown: every character seen, none obeyed."""

import re

# Control characters, lone surrogates (bytes that were no UTF-8), and the characters that
# turn the direction of text or hide: a name must not read differently from what it is.
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:  # Python's stand-in for an undecodable byte
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def visible(text: str, limit: int = 2000) -> str:
    """`text` on one line with hidden characters as escapes, shortened in its middle."""
    if len(text) > limit:
        head = limit * 2 // 3
        tail = limit - head - 1
        text = f"{text[:head]}…{text[len(text) - tail :]}"
    return _HIDDEN.sub(_escape, text)
