"""A CostProfile as tables: its rows, its symbols with their sums, and the names.

NAME.rows.parquet holds the rows and, in its metadata, what the profile says besides;
NAME.symbols.parquet the symbols and their self costs; NAME.functions.parquet,
NAME.files.parquet and NAME.objects.parquet the names that they index.
"""

import json
from array import array
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from collectors.records.cost import (
    CallEdges,
    CostIndex,
    CostProcess,
    CostProfile,
    SymbolTable,
)
from collectors.records.shared import Damage
from profiler.aggregate.cost import by_function, lines_in_own_files
from profiler.tables.parquet import NotReadable, read_table, write_table
from profiler.tables.stamp import Stamp, stamp_of

SCHEMA = 1
_LEADING = 200
_META = "droidgrind"
_EVENT = "event:"


def write_cost_tables(folder: Path, name: str, raw: Path, profile: CostProfile) -> None:
    """Write the tables of `profile`, which was read from `raw`.

    The rows come last: without them, and with those of other tables, nothing is loaded.
    Raises `OverflowError` where a sum does not fit 64 bits, and `OSError`.
    """
    stamp = stamp_of(raw)
    folder.mkdir(parents=True, exist_ok=True)
    sums = by_function([profile])
    symbols = _symbol_table(profile)
    counts = [_int64(column) for column in sums.counts]
    mark = {"stamp": json.dumps(asdict(stamp)).encode()}
    no_object = memoryview(array("i", [-1]) * len(symbols))
    write_table(
        folder / f"{name}.symbols.parquet",
        {
            "function": symbols.function_of,
            "file": symbols.file_of,
            "object": symbols.object_of if symbols.object_of is not None else no_object,
            **_named(profile.events, counts),
        },
        mark,
    )
    for kind, names in (
        ("functions", symbols.functions),
        ("files", symbols.files),
        ("objects", symbols.objects),
    ):
        write_table(folder / f"{name}.{kind}.parquet", {"name": names}, mark)
    edges = folder / f"{name}.calls.parquet"
    if profile.edges is None:
        edges.unlink(missing_ok=True)
    else:
        write_table(
            edges,
            {
                "caller": profile.edges.caller,
                "callee": profile.edges.callee,
                "line": profile.edges.line,
                "calls": profile.edges.calls,
                **_named(profile.events, profile.edges.counts),
            },
            mark,
        )
    about = {
        "schema": SCHEMA,
        "events": profile.events,
        "totals": list(profile.totals().values()),
        "leading": _leading(sums.counts),
        "own_files": lines_in_own_files(profile, symbols),
        "processes": [asdict(process) for process in profile.processes],
        "damage": [asdict(damage) for damage in profile.damage],
        "edges": profile.edges is not None,
    }
    write_table(
        folder / f"{name}.rows.parquet",
        {
            "symbol": profile.row_symbol,
            "line": profile.row_line,
            "file": profile.row_file,
            **_named(profile.events, profile.counts),
        },
        {**mark, _META: json.dumps(about).encode()},
    )


def load_cost_tables(folder: Path, name: str, raw: Path) -> CostProfile | None:
    """The profile from its tables; None where they are missing, damaged or not of `raw`."""
    try:
        return _load(folder, name, raw)
    except (NotReadable, FileNotFoundError, LookupError, TypeError, ValueError):
        return None  # derived from raw: the caller reads that


def _load(folder: Path, name: str, raw: Path) -> CostProfile | None:
    rows = read_table(folder / f"{name}.rows.parquet")
    mark = rows.metadata["stamp"]
    about = json.loads(rows.metadata[_META])
    if about["schema"] != SCHEMA or not Stamp(**json.loads(mark)).fits(raw):
        return None
    parts = ["symbols", "functions", "files", "objects"] + ["calls"] * bool(about["edges"])
    tables = {part: read_table(folder / f"{name}.{part}.parquet") for part in parts}
    if any(table.metadata["stamp"] != mark for table in tables.values()):
        return None
    events = tuple(about["events"])
    symbols = tables["symbols"].columns
    files = tables["files"].columns["name"]
    edges = None
    if "calls" in tables:
        calls = tables["calls"].columns
        edges = CallEdges(
            calls["caller"],
            calls["callee"],
            calls["line"],
            calls["calls"],
            tuple(calls[_EVENT + event] for event in events),
        )
    return CostProfile(
        events=events,
        symbols=SymbolTable(
            tables["functions"].columns["name"],
            files,
            symbols["function"],
            symbols["file"],
            tables["objects"].columns["name"],
            symbols["object"],
        ),
        files=files,
        row_symbol=rows.columns["symbol"],
        row_line=rows.columns["line"],
        row_file=rows.columns["file"],
        counts=tuple(rows.columns[_EVENT + event] for event in events),
        processes=tuple(_process(entry) for entry in about["processes"]),
        edges=edges,
        damage=tuple(Damage(**entry) for entry in about["damage"]),
        index=CostIndex(
            tuple(about["totals"]),
            tuple(symbols[_EVENT + event] for event in events),
            tuple(about["leading"]),
            about.get("own_files"),
        ),
    )


def _process(entry: dict[str, Any]) -> CostProcess:
    summary = entry["summary"]
    return CostProcess(
        pid=entry["pid"],
        command=entry["command"],
        description=tuple(entry["description"]),
        summary=None if summary is None else tuple(summary),
        thread=entry["thread"],
        part=entry["part"],
    )


def _named(events: Sequence[str], columns: Sequence[Any]) -> dict[str, Any]:
    return {_EVENT + name: column for name, column in zip(events, columns, strict=True)}


def _int64(column: Sequence[int]) -> "memoryview[int]":
    return column if isinstance(column, memoryview) else memoryview(array("q", column))


def _leading(counts: Sequence[Sequence[int]]) -> list[int]:
    column = counts[0]
    return sorted(range(len(column)), key=lambda i: (-column[i], i))[:_LEADING]


def _symbol_table(profile: CostProfile) -> SymbolTable:
    symbols = profile.symbols
    if isinstance(symbols, SymbolTable) and symbols.files is profile.files:
        return symbols
    functions: dict[str, int] = {}
    files = {name: place for place, name in enumerate(profile.files)}
    objects: dict[str, int] = {}
    columns = array("i"), array("i"), array("i")
    for symbol in symbols:
        columns[0].append(functions.setdefault(symbol.fn, len(functions)))
        columns[1].append(files.setdefault(symbol.file, len(files)))
        known = symbol.obj is not None
        columns[2].append(objects.setdefault(symbol.obj or "", len(objects)) if known else -1)
    function_of, file_of, object_of = (memoryview(column) for column in columns)
    return SymbolTable(
        list(functions), list(files), function_of, file_of, list(objects), object_of
    )
