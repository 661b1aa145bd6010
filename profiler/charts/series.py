"""Samples as series and matrices, made as short as a screen can show."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collectors.records.samples import SampleTable
from profiler.charts.thin import MOST_POINTS, Buckets, bucket_max, bucket_mean
from profiler.tables.mapped import pieces

LANE_POINTS = 1500


def _columns(table: SampleTable, names: Iterable[str]) -> dict[str, Any]:
    """Those of the columns that the table has, as float64 arrays."""
    import numpy as np

    have = {
        column.name: values for column, values in zip(table.columns, table.values, strict=True)
    }
    return {name: np.asarray(have[name]) for name in names if name in have}


@dataclass(frozen=True, slots=True)
class Series:
    """Columns of one system-wide table, thinned alike. `kept` tells how, or is empty."""

    time: Any
    columns: Mapping[str, Any]
    largest: Mapping[str, Any]
    kept: str


def system_series(table: SampleTable, start: float) -> Series:
    """Means of at most 4,000 spans of time (and the largest value of each)."""
    import numpy as np

    time = np.asarray(table.time) - start
    columns = {
        column.name: np.asarray(values)
        for column, values in zip(table.columns, table.values, strict=True)
    }
    if len(time) <= MOST_POINTS:
        return Series(time, columns, columns, "")
    buckets = Buckets(float(time[0]), float(time[-1]), MOST_POINTS)
    index = buckets.index(time)
    return Series(
        buckets.centres(),
        {name: bucket_mean(index, values, MOST_POINTS) for name, values in columns.items()},
        {name: bucket_max(index, values, MOST_POINTS) for name, values in columns.items()},
        f"{len(time):,} samples drawn as {MOST_POINTS:,} spans of {buckets.width:.3g} s",
    )


# The names that /proc has for vmstat's columns.
_VMSTAT_NAMES = {
    "running": "r",
    "blocked": "b",
    "context_switches": "cs",
    "interrupts": "in",
    "user_seconds": "us",
    "system_seconds": "sy",
    "idle_seconds": "id",
    "iowait_seconds": "wa",
    "steal_seconds": "st",
}


def proc_series(system: SampleTable | None, cpus: SampleTable | None, start: float) -> Series:
    """The same columns as vmstat's, from /proc: counters turned into rates and shares."""
    import numpy as np

    columns: dict[str, Any] = {}
    time: Any = np.zeros(0)
    samples = 0
    if system is not None and len(system) > 1:
        levels = [c.name for c in system.columns if not c.cumulative]
        counters = {c.name: c.name for c in system.columns if c.cumulative}
        rates = growth_matrix(system, start, counters, MOST_POINTS)
        level = level_matrix(system, start, levels, MOST_POINTS)
        time, samples = rates.time, rates.samples
        for name, values in (*rates.values.items(), *level.values.items()):
            columns[_VMSTAT_NAMES.get(name, name)] = values[0]
    if cpus is not None and len(cpus) > 1:
        names = {name: name for name in _VMSTAT_NAMES if name.endswith("_seconds")}
        shares = growth_matrix(cpus, start, names, MOST_POINTS)
        if not columns:
            time, samples = shares.time, shares.samples
        if shares.width == len(time):
            whole = sum(np.nan_to_num(values) for values in shares.values.values())
            for name, values in shares.values.items():
                with np.errstate(invalid="ignore", divide="ignore"):
                    columns[_VMSTAT_NAMES[name]] = 100 * _mean_of_rows(
                        # Ticks are counted whole: in a short span they are a tenth more or
                        # less than its length. A CPU with none was not there.
                        np.where(whole > 0, values / whole, np.nan)
                    )
    kept = f"{samples:,} samples drawn as {len(time):,} spans" if samples > len(time) else ""
    return Series(time, columns, columns, kept)


def _mean_of_rows(values: Any) -> Any:
    """The mean over CPUs, those that were offline left out."""
    import numpy as np

    known = ~np.isnan(values)
    counts = known.sum(axis=0)
    sums = np.where(known, values, 0).sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


@dataclass(frozen=True, slots=True)
class Matrix:
    """Values by entity (rows) and span of time (columns); NaN where there is none.

    Column i is of the time from `edges[i]` to `edges[i + 1]`; where columns are samples, it
    ends at `time[i]`, and the first has no length.
    """

    time: Any
    edges: Any
    values: Mapping[str, Any]
    samples: int

    @property
    def width(self) -> int:
        return len(self.time)


class _Moments:
    """The columns of a matrix: samples themselves, else spans of time."""

    def __init__(self, table: SampleTable, start: float, most: int) -> None:
        import numpy as np

        self._time = np.asarray(table.time)
        self._start = start
        # Samples of an interval have many rows: sorting what differs is far less than all.
        found = [self._time[rows][_begins(self._time[rows])] for rows in _pieces(table)]
        # As np.unique, which would import numpy.ma: a sixtieth of the time of a page.
        moments = np.sort(np.concatenate(found)) if found else np.zeros(0)
        moments = moments[_begins(moments)] - start
        self.samples = len(moments)
        self._buckets: Buckets | None = None
        self.time: Any = moments
        self.edges: Any = np.concatenate([moments[:1], moments])
        if self.samples > most:
            self._buckets = Buckets(float(moments[0]), float(moments[-1]), most)
            self.time = self._buckets.centres()
            self.edges = self._buckets.edges()

    def of(self, rows: slice) -> tuple[Any, Any]:
        """The times of some rows, and the columns that they fall into."""
        import numpy as np

        time = self._time[rows] - self._start
        begins = _begins(time)
        distinct = time[begins]
        if self._buckets is not None:
            columns = self._buckets.index(distinct)
        else:
            columns = np.searchsorted(self.time, distinct)
        return time, np.repeat(columns, np.diff(begins, append=len(time)))


def _begins(time: Any) -> Any:
    """Where runs of equal times begin."""
    import numpy as np

    return np.flatnonzero(np.diff(time, prepend=np.nan) != 0)


def _pieces(table: SampleTable) -> Iterator[slice]:
    """Rows piece by piece: hours of hundreds of threads need neither copies nor memory."""
    return pieces(table.time, table.entity, *table.values)


def level_matrix(
    table: SampleTable, start: float, names: Sequence[str], most: int = 600
) -> Matrix:
    """Means of level columns by entity and span of time."""
    import numpy as np

    moments = _Moments(table, start, most)
    width, size = len(moments.time), len(table.entities) * len(moments.time)
    entity = np.asarray(table.entity)
    columns = _columns(table, names)
    sums = {name: np.zeros(size) for name in columns}
    counts = {name: np.zeros(size) for name in columns}
    for rows in _pieces(table):
        cell = entity[rows].astype(np.int64) * width + moments.of(rows)[1]
        for name, column in columns.items():
            known = ~np.isnan(column[rows])
            sums[name] += np.bincount(cell[known], weights=column[rows][known], minlength=size)
            counts[name] += np.bincount(cell[known], minlength=size)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = {
            name: np.where(counts[name] > 0, sums[name] / counts[name], np.nan).reshape(
                -1, width
            )
            for name in columns
        }
    return Matrix(moments.time, moments.edges, values, moments.samples)


def growth_matrix(
    table: SampleTable, start: float, names: Mapping[str, str], most: int = LANE_POINTS
) -> Matrix:
    """How fast cumulative columns grow, per second, by entity and span of time.

    For a column in seconds that is a share of time. `names` gives the wanted columns and
    what to call them. A span's growth is that from the last sample before its end to the
    last one before the span; rows must be in order of time.
    """
    import numpy as np

    moments = _Moments(table, start, most)
    shape = len(table.entities), len(moments.time) + 1
    entity = np.asarray(table.entity)
    columns = _columns(table, names)
    # Column 0 holds the first sample of all, so that the first span has a beginning.
    seen_time = {name: np.full(shape, np.nan) for name in columns}
    seen = {name: np.full(shape, np.nan) for name in columns}
    for rows in _pieces(table):
        all_time, all_places = moments.of(rows)
        for name, column in columns.items():
            who, time, place, value = entity[rows], all_time, all_places, column[rows]
            known = ~np.isnan(value)
            if not known.all():
                who, time, place, value = (part[known] for part in (who, time, place, value))
            # Of several values for one cell the last stays.
            seen_time[name][who, place + 1] = time
            seen[name][who, place + 1] = value
            fresh = np.isnan(seen[name][:, 0])
            if fresh.any():
                picked = np.flatnonzero(fresh[who])[::-1]  # so that here the first stays
                seen_time[name][who[picked], 0] = time[picked]
                seen[name][who[picked], 0] = value[picked]
    values = {
        wanted: _growth(seen_time[name], seen[name], bounded=name.endswith("_seconds"))
        for name, wanted in names.items()
        if name in columns
    }
    return Matrix(moments.time, moments.edges, values, moments.samples)


def _growth(time: Any, value: Any, *, bounded: bool) -> Any:
    """Growth per second from each known column to the next known one, by rows."""
    import numpy as np

    known: Any = ~np.isnan(value)
    columns: Any = np.where(known, np.arange(int(value.shape[1])), 0)
    before = np.maximum.accumulate(columns, axis=1)[:, :-1]
    rows: Any = np.arange(int(value.shape[0]))[:, None]
    elapsed = time[:, 1:] - time[rows, before]
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = (value[:, 1:] - value[rows, before]) / elapsed
        good = known[:, 1:] & (elapsed > 0)
    # Counters of the kernel are no snapshot: a share may seem a little above the whole.
    return np.where(good, np.clip(rate, 0, 1 if bounded else None), np.nan)
