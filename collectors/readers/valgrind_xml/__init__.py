"""Valgrind's XML (Memcheck, Helgrind, DRD), protocols 1 to 6.

Format: docs/internals/xml-output-protocol*.txt of Valgrind's source. Real documents are often
ill-formed: cut by a kill, two processes in one file, thread names that are not escaped,
bytes that are not UTF-8. So this scans for the elements that it knows instead of parsing
XML: every whole `<error>` counts, whatever stands around it, and no entity or DTD is ever
resolved. Strict XML is the way out for documents that something else has written anew.
"""

import mmap
from pathlib import Path

from collectors.errors import ParseError
from collectors.readers.valgrind_xml.document import Content, scan
from collectors.readers.valgrind_xml.reformatted import (
    as_valgrind_writes,
    looks_reformatted,
)
from collectors.records.errors import ErrorProfile

_HEAD_BYTES = 1 << 18


def parse_valgrind_xml(file: Path) -> ErrorProfile:
    """Read one file. Raises `ParseError` when nothing in it is Valgrind's XML."""
    with file.open("rb") as stream:
        if not file.stat().st_size:
            raise ParseError(file.name, "the file is empty")
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return parse_content(content, file.name)


def parse_content(content: Content, source: str) -> ErrorProfile:
    """Read the bytes of one file; `source` is its name in messages."""
    head = content[:_HEAD_BYTES]
    if looks_reformatted(head):
        rewritten = as_valgrind_writes(content[:])
        if rewritten is not None and b"<valgrindoutput>" in rewritten:
            return scan(rewritten, source)
    if content.find(b"<valgrindoutput>") < 0 and content.find(b"<error>") < 0:
        raise ParseError(source, "no <valgrindoutput> in it: not Valgrind's XML")
    return scan(content, source)
