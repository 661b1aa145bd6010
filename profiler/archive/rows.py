"""A session as rows of the archive's tables."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from collectors import registry
from collectors.records.cost import CostProfile, Symbol
from collectors.records.errors import ErrorProfile
from collectors.records.heap import HeapProfile
from collectors.records.samples import SampleProfile, Scope
from profiler.archive.layout import EVENTS, TABLES, Row
from profiler.command_line import target_words
from profiler.metrics import session_metrics
from profiler.store import Session

if TYPE_CHECKING:
    from profiler.aggregate.cost import CostSums

_MOST_FRAMES = 40


class FunctionRows:
    """Rows of `functions`, each made at its turn: there may be hundreds of thousands."""

    def __init__(self, session: str) -> None:
        self._session = session
        self._sums: list[tuple[str, CostSums[Symbol]]] = []

    def add(self, tool: str, profiles: Sequence[CostProfile]) -> None:
        from profiler.aggregate.cost import by_function

        self._sums.append((tool, by_function(profiles)))

    def __len__(self) -> int:
        return sum(len(sums) for _, sums in self._sums)

    def __iter__(self) -> Iterator[Row]:
        for tool, sums in self._sums:
            for row in _functions(sums):
                yield self._session, tool, *row


def session_rows(session: Session, stamp: str) -> dict[str, list[Row] | FunctionRows]:
    """Table → rows, each row in the order of the table's columns.

    Tools that this version does not know have no rows; their session has.
    """
    rows: dict[str, list[Row]] = {table: [] for table in TABLES}
    functions = FunctionRows(session.id)
    rows["sessions"].append(_session(session, stamp))
    rows["metrics"] = [
        (session.id, metric.tool, metric.name, float(metric.value), metric.unit.value)
        for metric in session_metrics(session)
    ]
    known = registry.tool_names()
    for tool in session.tools:
        costs: list[CostProfile] = []
        for profile in session.profiles(tool) if tool in known else ():
            match profile:
                case CostProfile():
                    costs.append(profile)
                case ErrorProfile():
                    rows["errors"].extend((session.id, tool, *row) for row in _errors(profile))
                case HeapProfile():
                    rows["heap"].extend((session.id, tool, *row) for row in _heap(profile))
                case SampleProfile():
                    rows["threads"].extend(
                        (session.id, tool, *row) for row in _threads(profile)
                    )
        if costs:
            functions.add(tool, costs)
    return {**rows, "functions": functions}


def _session(session: Session, stamp: str) -> Row:
    manifest = session.manifest
    device = manifest.device
    return (
        session.id,
        _utc(manifest.created),
        session.state.value,
        target_words(session),
        _program(session),
        device.serial,
        device.model,
        device.abi,
        device.android,
        device.kernel,
        None if manifest.toolchain is None else manifest.toolchain.version,
        manifest.droidgrind,
        manifest.labels.get("build"),
        json.dumps(dict(manifest.labels), ensure_ascii=True, sort_keys=True),
        str(session.directory.resolve()),
        stamp,
        manifest.target_status,
    )


def _program(session: Session) -> str | None:
    """The file name or the app of what was recorded; None where nothing names it."""
    target = session.manifest.target
    return Path(target.argv[0]).name if target.argv else target.app


def _utc(created: str) -> datetime | None:
    try:
        return datetime.fromisoformat(created).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def _functions(sums: "CostSums[Symbol]") -> Iterator[Row]:
    empty: Sequence[int | None] = [None] * len(sums)
    columns = [
        sums.counts[sums.events.index(event)] if event in sums.events else empty
        for event in EVENTS
    ]
    for symbol, counts in zip(sums.keys, zip(*columns, strict=True), strict=True):
        yield symbol.fn, symbol.file, symbol.obj or None, *counts


def _errors(profile: ErrorProfile) -> Iterator[Row]:
    for record in profile.records:
        top = record.frames[0] if record.frames else None
        yield (
            record.pid,
            record.kind,
            record.what,
            record.count,
            record.leaked_bytes,
            record.leaked_blocks,
            None if top is None else top.fn,
            None if top is None else top.file,
            None if top is None else top.line,
            None if top is None else top.obj,
            "\n".join(frame.place for frame in record.frames[:_MOST_FRAMES]),
        )


def _heap(profile: HeapProfile) -> Iterator[Row]:
    marked = profile.marked_peak
    for snapshot in profile.snapshots:
        yield (
            profile.process.pid,
            snapshot.index,
            snapshot.time,
            profile.time_unit,
            snapshot.heap_bytes,
            snapshot.extra_bytes,
            snapshot.stacks_bytes,
            snapshot is marked,
        )


def _threads(profile: SampleProfile) -> Iterator[Row]:
    from profiler.aggregate.samples import thread_totals

    if profile.table(Scope.THREAD) is None:
        return
    for row in thread_totals(profile):
        yield (
            row.pid,
            row.tid,
            row.name,
            row.run_seconds,
            row.wait_seconds,
            row.voluntary,
            row.involuntary,
            row.last_cpu,
        )
