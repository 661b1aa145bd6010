"""Elements of Valgrind's XML as bytes: what stands in one, numbers, texts.

Everything here takes time in proportion to its input, whatever that is.
"""

import re
from collections.abc import Iterator

_CHARACTER = re.compile(r"&(lt|gt|amp|quot|apos|#\d{1,7}|#x[0-9a-fA-F]{1,6});")
_CHARACTERS = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_MOST = (1 << 63) - 1
_MOST_DIGITS = 24


def inner(raw: bytes, tag: bytes) -> bytes | None:
    """What stands in the first element of this name, or None."""
    start = raw.find(b"<" + tag + b">")
    if start < 0:
        return None
    start += len(tag) + 2
    stop = raw.find(b"</" + tag + b">", start)
    return raw[start:stop] if stop >= 0 else None


def each_inner(raw: bytes, tag: bytes) -> Iterator[bytes]:
    """What stands in every whole element of this name, one after the other."""
    opening, closing = b"<" + tag + b">", b"</" + tag + b">"
    position = raw.find(opening)
    while position >= 0:
        start = position + len(opening)
        stop = raw.find(closing, start)
        if stop < 0:
            return
        yield raw[start:stop]
        position = raw.find(opening, stop)


class Parts:
    """Finds the next whole element among `tags`; an end that is missing is looked for once."""

    def __init__(self, *tags: bytes) -> None:
        self._opening = re.compile(rb"<(" + b"|".join(tags) + rb")>")

    def find(self, raw: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The elements in order: their names and what stands in them."""
        position = 0
        endless: set[bytes] = set()
        while found := self._opening.search(raw, position):
            position = found.end()
            tag = found[1]
            if tag in endless:
                continue
            stop = raw.find(b"</" + tag + b">", position)
            if stop < 0:
                endless.add(tag)
                continue
            yield tag, raw[position:stop]
            position = stop


def number(raw: bytes | None) -> int | None:
    """A decimal or 0x number; thousands commas and a delta behind it are passed over.

    None for what is none, or does not fit 64 bits (signed where decimal).
    """
    if raw is None:
        return None
    digits = raw.strip()
    if not digits.isdigit():
        digits = digits.split(b"(", 1)[0].replace(b",", b"").strip()
    if len(digits) > _MOST_DIGITS or b"_" in digits:
        return None
    try:
        if digits.startswith(b"0x"):
            value = int(digits, 16)
            return value if value <= 2 * _MOST + 1 else None
        value = int(digits)
    except ValueError:
        return None
    return value if -_MOST <= value <= _MOST else None


def text(raw: bytes) -> str:
    """Text with the five characters of XML and numbered ones unescaped, nothing else."""
    decoded = raw.decode("utf-8", "replace")
    return _CHARACTER.sub(_character, decoded) if "&" in decoded else decoded


def as_written(raw: bytes) -> str:
    """Text that Valgrind does not escape: names of threads, paths of descriptors."""
    return raw.decode("utf-8", "replace")


def _character(match: re.Match[str]) -> str:
    name = match[1]
    if name in _CHARACTERS:
        return _CHARACTERS[name]
    value = int(f"0{name[1:]}", 16 if name[1] == "x" else 10)
    return chr(value) if value < 0x110000 and not 0xD800 <= value < 0xE000 else "\ufffd"
