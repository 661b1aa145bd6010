"""Cachegrind's output file: counts per file, function and line.

Format: Valgrind manual, "Cachegrind", "Cachegrind Output Files". Everything that is whole is
kept: a cut file, foreign lines and rows that do not fit become `Damage`.

Small files are read line by line; large ones in blocks, by numpy (docs/decisions). Both
give the same profile.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from collectors.readers.cachegrind_out.lines import Reading
from collectors.records.cost import CostProfile

# Where the plain loop's 0.1 CPU seconds a megabyte catch up with the import of numpy.
SMALL_BYTES = 1_200_000
_SMALL_WITH_NUMPY = 100_000


def parse_cachegrind(file: Path) -> CostProfile:
    """Read one output file. Raises `ParseError` when it has no `events:` line."""
    small = _SMALL_WITH_NUMPY if "numpy" in sys.modules else SMALL_BYTES
    with file.open("rb") as stream:
        if file.stat().st_size < small:
            return parse_lines(stream, file.name)
        from collectors.readers.cachegrind_out.blocks import parse_blocks

        return parse_blocks(stream, file.name)


def parse_lines(lines: Iterable[bytes], source: str) -> CostProfile:
    """Read the lines of one output file; `source` is its name in messages."""
    reading = Reading(source)
    for line in lines:
        row = reading.line(line)
        if row is not None:
            reading.add(row)
    return reading.profile()
