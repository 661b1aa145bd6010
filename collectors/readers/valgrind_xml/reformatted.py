"""Documents that were not left as Valgrind wrote them: indented anew, edited, joined.

These are read as strict XML and written down again in Valgrind's own form, which the
scanner reads. A document type is never read, so that no entity can be declared.
"""

import re
from xml.parsers import expat

_ODD = re.compile(
    rb"<(?:valgrindoutput|error|unique|kind|what|xwhat|auxwhat|stack|frame|ip|fn|obj|pair)"
    rb"(?:\s|/>)|</(?:error|stack|frame|what|ip|fn)\s|<!--|<!\[CDATA\[(?!\s*\{)"
)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_NOT_ESCAPED = frozenset({"threadname", "path"})  # by Valgrind, hence by the scanner
_DEEPEST = 100
_PIECE = 1 << 20


def looks_reformatted(head: bytes) -> bool:
    """Whether the beginning of a document has what Valgrind does not write."""
    return head[:2] in _UTF16 or _ODD.search(head) is not None


def as_valgrind_writes(content: bytes) -> bytes | None:
    """The document as Valgrind would have written it; None where it is not well-formed XML.

    Comments and attributes are left out. Needs memory in proportion to `content`.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    out = bytearray()
    depth = 0
    raw = False

    def opened(name: str, _attributes: dict[str, str]) -> None:
        nonlocal depth, raw
        depth += 1
        if depth > _DEEPEST:
            raise _NotReadError
        raw = name in _NOT_ESCAPED
        out.extend(b"<" + name.encode() + b">")

    def closed(name: str) -> None:
        nonlocal depth, raw
        depth -= 1
        raw = False
        out.extend(b"</" + name.encode() + b">")

    def said(text: str) -> None:
        if not raw:
            text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        out.extend(text.encode("utf-8", "replace"))

    def refused(*_: object) -> None:
        raise _NotReadError

    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    parser.CharacterDataHandler = said
    parser.StartDoctypeDeclHandler = refused
    parser.EntityDeclHandler = refused
    try:
        for start in range(0, len(content), _PIECE):
            parser.Parse(content[start : start + _PIECE], False)
        parser.Parse(b"", True)
    except (expat.ExpatError, _NotReadError):
        return None
    return bytes(out)


class _NotReadError(Exception):
    """What is never read: a document type, or elements nested without end."""
