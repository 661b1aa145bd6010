"""A table as CSV (RFC 4180): errors, functions with their costs, or heap snapshots.

A text that a spreadsheet would take for a formula is written with an apostrophe before it.
"""

import csv
from collections.abc import Iterator, Sequence
from typing import TextIO

from collectors.records.cost import CostProfile
from collectors.records.errors import ErrorProfile
from collectors.records.heap import HeapProfile
from collectors.records.shared import Frame, Shape
from collectors.tools.tool import Profile
from profiler.aggregate.cost import by_function

SHAPES = (Shape.ERRORS, Shape.COST, Shape.HEAP)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
Cell = str | int | None


def write(_tool: str, profiles: Sequence[Profile], out: TextIO) -> None:
    """Write a header and a row for each thing."""
    writer = csv.writer(out, lineterminator="\r\n")
    for row in _rows(profiles):
        writer.writerow([_cell(cell) for cell in row])


def _cell(cell: Cell) -> str | int | None:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _rows(profiles: Sequence[Profile]) -> Iterator[Sequence[Cell]]:
    errors = [profile for profile in profiles if isinstance(profile, ErrorProfile)]
    costs = [profile for profile in profiles if isinstance(profile, CostProfile)]
    heaps = [profile for profile in profiles if isinstance(profile, HeapProfile)]
    if errors:
        yield ("kind", "what", "count", "pid", "leaked_bytes", "leaked_blocks",
               "function", "file", "line", "object")  # fmt: skip
        for profile in errors:
            for record in profile.records:
                frame = next((f for f in record.frames if f.file), (*record.frames, None)[0])
                frame = frame or Frame(None)
                yield (record.kind, record.what, record.count, record.pid, record.leaked_bytes,
                       record.leaked_blocks, frame.fn, frame.path, frame.line,
                       frame.obj)  # fmt: skip
    elif costs:
        sums = by_function(costs)
        yield ("function", "file", "object", *sums.events)
        for i, symbol in enumerate(sums.keys):
            yield (symbol.fn, symbol.file, symbol.obj, *(column[i] for column in sums.counts))
    else:
        yield ("snapshot", "time", "unit", "heap_bytes", "extra_bytes", "stacks_bytes")
        for heap in heaps:
            for s in heap.snapshots:
                yield (s.index, s.time, heap.time_unit, s.heap_bytes, s.extra_bytes,
                       s.stacks_bytes)  # fmt: skip
