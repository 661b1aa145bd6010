"""Cachegrind's own format: cg_annotate and KCachegrind read it, Callgrind's costs too."""

from collections.abc import Sequence
from typing import TextIO

from collectors.records.cost import CostProfile
from collectors.records.shared import Shape
from collectors.tools.tool import Profile

SHAPES = (Shape.COST,)


def write(_tool: str, profiles: Sequence[Profile], out: TextIO) -> None:
    """Write the rows of all processes, with the sums that readers check."""
    found = [profile for profile in profiles if isinstance(profile, CostProfile)]
    events = tuple(dict.fromkeys(event for profile in found for event in profile.events))
    first = found[0].processes[0] if found[0].processes else None
    described = first.description if first is not None else ()
    out.writelines(f"desc: {_line(line)}\n" for line in described)
    out.write(f"cmd: {_line((first.command if first else None) or 'unknown')}\n")
    out.write(f"events: {' '.join(events)}\n")
    for profile in found:
        _rows(profile, events, out)
    sums = [sum(profile.totals().get(event, 0) for profile in found) for event in events]
    out.write(f"summary: {' '.join(map(str, sums))}\n")


def _rows(profile: CostProfile, events: Sequence[str], out: TextIO) -> None:
    zero = memoryview(bytes(8 * len(profile))).cast("q")
    by_event = dict(zip(profile.events, profile.counts, strict=True))
    columns = [by_event.get(event, zero) for event in events]
    last_file = last_symbol = -1
    rows = zip(profile.row_line, *columns, strict=True)
    for file, symbol, row in zip(profile.row_file, profile.row_symbol, rows, strict=True):
        if file != last_file:
            out.write(f"fl={_line(profile.files[file])}\n")
        if file != last_file or symbol != last_symbol:
            out.write(f"fn={_line(profile.symbols[symbol].fn)}\n")
        last_file, last_symbol = file, symbol
        out.write(" ".join(map(str, row)) + "\n")


def _line(text: str) -> str:
    """A name cannot break out of its line."""
    return " ".join(text.splitlines())
