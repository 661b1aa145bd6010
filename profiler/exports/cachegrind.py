"""cachegrind.out: costs by file, function and line; read by cg_annotate and KCachegrind."""

from collections.abc import Iterator
from typing import BinaryIO

from collectors.records.cost import CostProfile
from profiler.exports.content import cost_profiles
from profiler.exports.name_lines import name_line
from profiler.store import Session
from profiler.tables.parquet import let_go

_BATCH = 100_000


def write(session: Session, out: BinaryIO) -> None:
    """All processes of the tool; a row is counted under its function's file.

    What the format cannot hold is left out: objects and calls.
    """
    _, profiles = cost_profiles(session)
    events = tuple(dict.fromkeys(event for profile in profiles for event in profile.events))
    described = dict.fromkeys(
        line for p in profiles for process in p.processes for line in process.description
    )
    out.writelines(b"desc: " + name_line(line.strip()) + b"\n" for line in described)
    command = (
        session.manifest.target.label
        if session.manifest.target.argv
        else next(
            (p.command for profile in profiles for p in profile.processes if p.command),
            "unknown",
        )
    )
    out.write(b"cmd: " + name_line(command) + b"\n")
    out.write(f"events: {' '.join(events)}\n".encode())
    totals = [0] * len(events)
    for profile in profiles:
        places = [events.index(event) for event in profile.events]
        for event, count in profile.totals().items():
            totals[events.index(event)] += count
        batch: list[bytes] = []
        for line in rows(profile, places, len(events)):
            batch.append(line)
            if len(batch) >= _BATCH:
                out.write(b"".join(batch))
                batch.clear()
                let_go(profile.counts)
        out.write(b"".join(batch))
    out.write(f"summary: {' '.join(map(str, totals))}\n".encode())


def rows(profile: CostProfile, places: list[int], width: int) -> Iterator[bytes]:
    """A profile's lines: `fl=` and `fn=` where they change, then line number and counts."""
    symbols = profile.symbols
    present = -1
    present_file = None
    same = places == list(range(width))
    symbol_index: int
    line: int
    counts: list[int]
    for symbol_index, line, *counts in zip(
        profile.row_symbol, profile.row_line, *profile.counts, strict=True
    ):
        if symbol_index != present:
            symbol = symbols[symbol_index]
            if symbol.file != present_file:
                yield b"fl=" + name_line(symbol.file) + b"\n"
                present_file = symbol.file
            yield b"fn=" + name_line(symbol.fn) + b"\n"
            present = symbol_index
        if same:
            cells = counts
        else:
            cells = [0] * width
            for place, count in zip(places, counts, strict=True):
                cells[place] = count
        yield f"{line} {' '.join(map(str, cells))}\n".encode()
