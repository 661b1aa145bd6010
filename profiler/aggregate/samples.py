"""Samples in few figures: totals of each thread, statistics of each column."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

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
    first: dict[str, list[float]] = {}
    last: dict[str, list[float]] = {}
    for column in table.columns:
        first[column.name], last[column.name] = first_and_last(table, column.name)

    def growth(name: str, place: int) -> float:
        if name not in last:  # a table need not have every column
            return math.nan
        started = table.entities[place].started
        if started is None or started > -_SPAWN_SECONDS:
            return last[name][place]
        return last[name][place] - first[name][place]

    return [
        ThreadTotals(
            tid=entity.number,
            name=entity.name,
            pid=entity.pid,
            run_seconds=_seconds(growth("run_seconds", i)),
            wait_seconds=_seconds(growth("wait_seconds", i)),
            voluntary=_whole(growth("voluntary", i)),
            involuntary=_whole(growth("involuntary", i)),
            last_cpu=_whole(last["cpu"][i]) if "cpu" in last else None,
        )
        for i, entity in enumerate(table.entities)
    ]


def first_and_last(table: SampleTable, name: str) -> tuple[list[float], list[float]]:
    """The first and the last known value of each entity in a column; NaN where none is."""
    values = table.column(name)
    if len(table) >= _MANY_ROWS:
        return _ends_of_many(table, values)
    first, last = [math.nan] * len(table.entities), [math.nan] * len(table.entities)
    for entity, value in zip(table.entity, values, strict=True):
        if value == value:  # not NaN, without a call for each value
            last[entity] = value
            if math.isnan(first[entity]):
                first[entity] = value
    return first, last


def _ends_of_many(
    table: SampleTable, values: "memoryview[float]"
) -> tuple[list[float], list[float]]:
    import numpy as np

    entity, cells = np.asarray(table.entity), np.asarray(values)
    latest = np.full(len(table.entities), np.nan)
    earliest = np.full(len(table.entities), np.nan)
    for rows in pieces(table.entity, values):  # hours of samples need no copies
        block, who = cells[rows], entity[rows]
        known = np.flatnonzero(~np.isnan(block))
        latest[who[known]] = block[known]  # of several values for a thread the last stays
        fresh = known[np.isnan(earliest[who[known]])][::-1]  # here the first
        earliest[who[fresh]] = block[fresh]
    return earliest.tolist(), latest.tolist()


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
