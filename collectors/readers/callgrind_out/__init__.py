"""Callgrind's output file: self costs per line, and calls with their inclusive costs.

Format: Valgrind manual, "Callgrind Format Specification". Names are compressed (`fn=(12)`),
positions too (`+3`, `*`); the row after `calls=` is the cost of the callee and all that it
called, and no self cost. Several parts of one run may follow each other in a file.

Small files are read line by line; large ones in blocks, by numpy. Both give the same profile.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from collectors.readers.callgrind_out.lines import Reading
from collectors.records.cost import CostProfile

# Where the plain loop's time catches up with the import of numpy.
SMALL_BYTES = 600_000
_SMALL_WITH_NUMPY = 100_000


def parse_callgrind(file: Path) -> CostProfile:
    """Read one output file. Raises `ParseError` when it has no `events:` line."""
    small = _SMALL_WITH_NUMPY if "numpy" in sys.modules else SMALL_BYTES
    with file.open("rb") as stream:
        if file.stat().st_size < small:
            return parse_lines(stream, file.name)
        from collectors.readers.callgrind_out.blocks import parse_blocks

        return parse_blocks(stream, file.name)


def parse_lines(lines: Iterable[bytes], source: str) -> CostProfile:
    """Read the lines of one output file; `source` is its name in messages."""
    reading = Reading(source)
    for line in lines:
        reading.line(line)
    return reading.profile()
