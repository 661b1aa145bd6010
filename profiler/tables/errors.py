"""An ErrorProfile as tables: its records and remarks, stacks, frames, and their texts.

NAME.records.parquet, .remarks, .stacks (where each begins in .stack_frames), .frames and
.texts hold the columns of `ErrorColumns`; what is told of the processes is in the metadata
of the first.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from collectors.records.errors import (
    NONE,
    ClientMessage,
    ErrorColumns,
    ErrorProcess,
    ErrorProfile,
    ErrorRecord,
    FatalSignal,
    HeapTotals,
    LeakTotals,
)
from collectors.records.shared import Damage, Frame
from profiler.tables.group import UNUSABLE, load_group, write_group

SCHEMA = 1
_FRAME_COLUMNS = ("ip", "fn", "obj", "dir", "file", "line")


def write_error_tables(folder: Path, name: str, raw: Path, profile: ErrorProfile) -> None:
    """Write the tables of `profile`, which was read from `raw`. Raises `OSError`."""
    records = profile.records
    columns = records if isinstance(records, ErrorColumns) else error_columns(records)
    write_group(
        folder,
        name,
        raw,
        {
            "records": columns.records,
            "remarks": columns.remarks,
            "stacks": {"start": columns.stacks},
            "stack_frames": {"frame": columns.stack_frames},
            "frames": columns.frames,
            "texts": {"text": columns.texts},
        },
        {
            "schema": SCHEMA,
            "processes": [asdict(process) for process in profile.processes],
            "damage": [asdict(damage) for damage in profile.damage],
        },
    )


def load_error_tables(folder: Path, name: str, raw: Path) -> ErrorProfile | None:
    """The profile from its tables; None where they are missing, damaged or not of `raw`."""
    try:
        tables, about = load_group(folder, name, raw, "records", SCHEMA)
        columns = ErrorColumns(
            tables["texts"].columns["text"],
            tables["records"].columns,
            tables["remarks"].columns,
            tables["stacks"].columns["start"],
            tables["stack_frames"].columns["frame"],
            tables["frames"].columns,
        )
        return ErrorProfile(
            columns,
            tuple(_process(entry) for entry in about["processes"]),
            tuple(Damage(**entry) for entry in about["damage"]),
        )
    except UNUSABLE:
        return None  # derived from raw: the caller reads that


def _process(entry: dict[str, Any]) -> ErrorProcess:
    fatal, leaks, heap = entry["fatal_signal"], entry["leaks"], entry["heap"]
    summary = entry["error_summary"]
    values: dict[str, Any] = {
        **entry,
        "valgrind_argv": tuple(entry["valgrind_argv"]),
        "target_argv": tuple(entry["target_argv"]),
        "preamble": tuple(entry["preamble"]),
        "fatal_signal": None if fatal is None else FatalSignal(**_with_frames(fatal)),
        "client_messages": tuple(map(_message, entry["client_messages"])),
        "announced_threads": tuple(map(_message, entry["announced_threads"])),
        "suppressed": tuple((text, count) for text, count in entry["suppressed"]),
        "leaks": None
        if leaks is None
        else {kind: LeakTotals(**totals) for kind, totals in leaks.items()},
        "heap": None if heap is None else HeapTotals(**heap),
        "error_summary": None if summary is None else tuple(summary),
    }
    return ErrorProcess(**values)


def _message(entry: dict[str, Any]) -> ClientMessage:
    return ClientMessage(**_with_frames(entry))


def _with_frames(entry: dict[str, Any]) -> dict[str, Any]:
    return {**entry, "frames": tuple(Frame(**frame) for frame in entry["frames"])}


def error_columns(records: Sequence[ErrorRecord]) -> ErrorColumns:
    """The columns that records would have been made from."""
    maker = _Columns()
    for record in records:
        maker.add(record)
    return maker.columns()


class _Columns:
    def __init__(self) -> None:
        names = ("aux" if f.name == "aux" else f.name for f in fields(ErrorRecord))
        self._records = {"stack" if n == "frames" else n: array("q") for n in names}
        self._remarks = {name: array("q") for name in ("what", "stack", "file", "line")}
        self._texts: dict[str, int] = {}
        self._stack_of: dict[tuple[Frame, ...], int] = {}
        self._stacks = array("q", [0])
        self._stack_frames = array("i")
        self._frame_of: dict[Frame, int] = {}
        self._frames = {name: array("q") for name in _FRAME_COLUMNS}

    def add(self, record: ErrorRecord) -> None:
        row: dict[str, int | None] = {
            "kind": self._text(record.kind),
            "what": self._text(record.what),
            "stack": self._stack(record.frames),
            "aux": len(self._remarks["what"]),
            "thread_name": self._text(record.thread_name),
            "path": self._text(record.path),
            "suppression": self._text(record.suppression),
            "count": record.count,
            "unique": record.unique,
            "pid": record.pid,
            "tid": record.tid,
            "leaked_bytes": record.leaked_bytes,
            "leaked_blocks": record.leaked_blocks,
            "direct_bytes": record.direct_bytes,
            "fd": record.fd,
        }
        _append(self._records, row)
        for aux in record.aux:
            _append(
                self._remarks,
                {
                    "what": self._text(aux.what),
                    "stack": self._stack(aux.frames),
                    "file": self._text(aux.file),
                    "line": aux.line,
                },
            )

    def columns(self) -> ErrorColumns:
        return ErrorColumns(
            list(self._texts),
            {name: memoryview(column) for name, column in self._records.items()},
            {name: memoryview(column) for name, column in self._remarks.items()},
            memoryview(self._stacks),
            memoryview(self._stack_frames),
            {name: memoryview(column) for name, column in self._frames.items()},
        )

    def _text(self, text: str | None) -> int | None:
        return None if text is None else self._texts.setdefault(text, len(self._texts))

    def _stack(self, frames: tuple[Frame, ...]) -> int | None:
        if not frames:
            return None
        stack = self._stack_of.get(frames)
        if stack is None:
            stack = self._stack_of[frames] = len(self._stacks) - 1
            self._stack_frames.extend(map(self._frame, frames))
            self._stacks.append(len(self._stack_frames))
        return stack

    def _frame(self, frame: Frame) -> int:
        place = self._frame_of.get(frame)
        if place is None:
            place = self._frame_of[frame] = len(self._frame_of)
            ip = frame.ip
            _append(
                self._frames,
                {
                    "ip": ip if ip is None or ip < 1 << 63 else ip - (1 << 64),
                    "fn": self._text(frame.fn),
                    "obj": self._text(frame.obj),
                    "dir": self._text(frame.dir),
                    "file": self._text(frame.file),
                    "line": frame.line,
                },
            )
        return place


def _append(columns: "Mapping[str, array[int]]", row: Mapping[str, int | None]) -> None:
    for name, column in columns.items():
        value = row[name]
        column.append(NONE if value is None else value)
