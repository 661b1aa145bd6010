"""Samples in few figures: totals of each thread, statistics of each column."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from collectors.records.samples import SampleProfile, SampleTable, Scope
from profiler.tables.mapped import pieces

# A thread this much older than the first sample was not started by the recording: a
# sampler on a slow link begins seconds after the target.
_SPAWN_SECONDS = 5.0
_MANY_ROWS = 1 << 15  # above, numpy costs less than a plain loop, its import included


@dataclass(frozen=True, slots=True)
class ThreadTotals:
    """What the scheduler did to a thread while it was watched; None: not measured.

    Times and switches are those since the thread's start, or since the first sample for a
    thread that was there before the recording (`--pid`).
    """

    tid: int
    name: str
    pid: int | None
    run_seconds: float | None
    wait_seconds: float | None
    voluntary: int | None
    involuntary: int | None
    last_cpu: int | None


def thread_totals(profile: SampleProfile) -> list[ThreadTotals]:
    """One row a thread, in order of first appearance."""
    table = profile.table(Scope.THREAD)
    if table is None:
        return []
    ends = first_and_last(table, [column.name for column in table.columns])

    def growth(name: str, place: int) -> float:
        if name not in ends:  # a table need not have every column
            return math.nan
        first, last = ends[name]
        started = table.entities[place].started
        if started is None or started > -_SPAWN_SECONDS:
            return last[place]
        return last[place] - first[place]

    return [
        ThreadTotals(
            tid=entity.number,
            name=entity.name,
            pid=entity.pid,
            run_seconds=_seconds(growth("run_seconds", i)),
            wait_seconds=_seconds(growth("wait_seconds", i)),
            voluntary=_whole(growth("voluntary", i)),
            involuntary=_whole(growth("involuntary", i)),
            last_cpu=_whole(ends["cpu"][1][i]) if "cpu" in ends else None,
        )
        for i, entity in enumerate(table.entities)
    ]


def first_and_last(
    table: SampleTable, names: Sequence[str]
) -> dict[str, tuple[list[float], list[float]]]:
    """The first and the last known value of each entity, by column; NaN where none is."""
    if len(table) >= _MANY_ROWS:
        return _ends_of_many(table, names)
    found: dict[str, tuple[list[float], list[float]]] = {}
    for name in names:
        first, last = [math.nan] * len(table.entities), [math.nan] * len(table.entities)
        for entity, value in zip(table.entity, table.column(name), strict=True):
            if value == value:  # not NaN, without a call for each value
                last[entity] = value
                if math.isnan(first[entity]):
                    first[entity] = value
        found[name] = first, last
    return found


def _ends_of_many(
    table: SampleTable, names: Sequence[str]
) -> dict[str, tuple[list[float], list[float]]]:
    import numpy as np

    entity, count = np.asarray(table.entity), len(table.entities)
    columns = {name: table.column(name) for name in names}
    ends = {name: (np.full(count, np.nan), np.full(count, np.nan)) for name in names}
    for rows in pieces(table.entity, *columns.values()):  # hours of samples need no copies
        who = entity[rows]
        of_all = _rows_at_ends(who, np.arange(len(who)), count)
        for name, values in columns.items():
            block = np.asarray(values)[rows]
            known = ~np.isnan(block)
            if known.all():  # as most columns are: their ends lie in the same rows
                seen, begin, end = of_all
            else:
                seen, begin, end = _rows_at_ends(who, np.flatnonzero(known), count)
            earliest, latest = ends[name]
            latest[seen] = block[end]
            fresh = np.isnan(earliest[seen])
            earliest[seen[fresh]] = block[begin[fresh]]
    return {name: (first.tolist(), last.tolist()) for name, (first, last) in ends.items()}


def _rows_at_ends(who: Any, rows: Any, count: int) -> tuple[Any, Any, Any]:
    """The entities that have any of `rows`, and the first and the last row of each."""
    import numpy as np

    first, last = np.full(count, -1), np.full(count, -1)
    last[who[rows]] = rows  # of several rows of an entity the last stays
    first[who[rows[::-1]]] = rows[::-1]  # here the first
    seen = np.flatnonzero(last >= 0)
    return seen, first[seen], last[seen]


def column_statistics(profile: SampleProfile) -> dict[str, dict[str, float]]:
    """Mean, median, 95th percentile and maximum of every system-wide column."""
    table = profile.table(Scope.SYSTEM)
    if table is None or not len(table):
        return {}
    statistics: dict[str, dict[str, float]] = {}
    for column, values in zip(table.columns, table.values, strict=True):
        known = sorted(value for value in values if not math.isnan(value))
        if known:
            statistics[column.name] = {
                "mean": round(sum(known) / len(known), 3),
                "p50": percentile(known, 0.5),
                "p95": percentile(known, 0.95),
                "max": known[-1],
            }
    return statistics


def percentile(ordered: Sequence[float], share: float) -> float:
    """The nearest-rank percentile of sorted values: always a value that was measured."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _seconds(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)


def _whole(value: float) -> int | None:
    return None if math.isnan(value) else int(value)
