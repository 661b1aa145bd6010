"""Who ran and who waited: system load, CPUs, and threads as lanes, on one time axis."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collectors.records.samples import SampleTable
from profiler.charts.style import HEAT, LOAD, Figure, axis, figure, label, layout
from profiler.charts.thin import MOST_POINTS, Buckets, bucket_max, bucket_mean

MOST_LANES = 16
LANE_POINTS = 1500
SHARES = (
    ("us", "user", "@user"),
    ("sy", "system", "@system"),
    ("wa", "waiting for I/O", "@iowait"),
    ("st", "stolen by the hypervisor", "@steal"),
    ("id", "idle", "@idle"),
)


def _column(table: SampleTable, *names: str) -> Any | None:
    """The first of the columns that the table has, as a float64 array."""
    import numpy as np

    have = {
        column.name: values for column, values in zip(table.columns, table.values, strict=True)
    }
    return next((np.asarray(have[name]) for name in names if name in have), None)


def _time_axis(**more: Any) -> dict[str, Any]:
    return axis("seconds since the first sample", **more)


def _floats(values: Any) -> "array[float]":
    """A numpy column as an array that is neither pickled nor boxed on its way to the page."""
    import numpy as np

    return array("f", np.ascontiguousarray(values, dtype=np.float32).tobytes())


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
            for name, values in shares.values.items():
                with np.errstate(invalid="ignore"):
                    columns[_VMSTAT_NAMES[name]] = 100 * _mean_of_rows(values)
    kept = f"{samples:,} samples drawn as {len(time):,} spans" if samples > len(time) else ""
    return Series(time, columns, columns, kept)


def _mean_of_rows(values: Any) -> Any:
    """The mean over CPUs, those that were offline left out."""
    import numpy as np

    known = ~np.isnan(values)
    counts = known.sum(axis=0)
    sums = np.where(known, values, 0).sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def run_queue_figure(series: Series, cpus: int | None) -> Figure | None:
    """Runnable tasks against the number of CPUs, and tasks blocked on I/O."""
    queue = series.largest.get("r")
    if queue is None:
        return None
    time = _floats(series.time)
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "runnable tasks (r)",
            "x": time,
            "y": _floats(queue),
            "line": {"color": "@user", "width": 1.5, "shape": "hv"},
            "fill": "tozeroy",
            "fillcolor": "@scale1",
            "hovertemplate": "%{y} runnable<extra></extra>",
        }
    ]
    blocked = series.largest.get("b")
    if blocked is not None and blocked.any():
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": "blocked (b)",
                "x": time,
                "y": _floats(blocked),
                "line": {"color": "@iowait", "width": 1.5, "shape": "hv", "dash": "dot"},
                "hovertemplate": "%{y} blocked<extra></extra>",
            }
        )
    more: dict[str, Any] = {}
    if cpus:
        more["shapes"] = [
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": cpus,
                "y1": cpus,
                "line": {"color": "@waiting", "width": 1.5, "dash": "dash"},
            }
        ]
        more["annotations"] = [
            {
                "xref": "paper",
                "x": 1,
                "y": cpus,
                "xanchor": "right",
                "yanchor": "bottom",
                "text": f"{cpus} CPUs: above this line tasks wait",
                "showarrow": False,
                "font": {"size": 11, "color": "@waiting"},
                "bgcolor": "@card",
            }
        ]
    return figure(
        data,
        layout(
            200,
            xaxis=_time_axis(),
            yaxis=axis("tasks", rangemode="tozero"),
            hovermode="x unified",
            showlegend=len(data) > 1,
            **more,
        ),
        columns={"x": "seconds", "y": "tasks"},
    )


def cpu_time_figure(series: Series) -> Figure | None:
    """What the CPUs did, in percent of all their time, stacked."""
    time = _floats(series.time)
    data: list[dict[str, Any]] = []
    for name, title, colour in SHARES:
        values = series.columns.get(name)
        if values is None or (name in {"st", "wa"} and not (values > 0).any()):
            continue
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": title,
                "x": time,
                "y": _floats(values),
                "stackgroup": "cpu",
                "line": {"width": 0, "shape": "hv"},
                "fillcolor": colour,
                "hovertemplate": f"{title} %{{y:.1f}} %<extra></extra>",
            }
        )
    if not data:
        return None
    return figure(
        data,
        layout(
            220,
            xaxis=_time_axis(),
            yaxis=axis(None, range=[0, 100], ticksuffix=" %", fixedrange=True),
            hovermode="x unified",
            showlegend=True,
        ),
        columns={"x": "seconds", "y": "%"},
    )


def switches_figure(series: Series) -> Figure | None:
    """Context switches and interrupts a second."""
    time = _floats(series.time)
    data: list[dict[str, Any]] = []
    for name, title, colour, dash in (
        ("cs", "context switches (cs)", "@user", "solid"),
        ("in", "interrupts (in)", "@system", "dot"),
    ):
        values = series.columns.get(name)
        if values is not None:
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": title,
                    "x": time,
                    "y": _floats(values),
                    "line": {"color": colour, "width": 1.5, "dash": dash},
                    "hovertemplate": f"%{{y:,.0f}} {title} a second<extra></extra>",
                }
            )
    if not data:
        return None
    return figure(
        data,
        layout(
            180,
            xaxis=_time_axis(),
            yaxis=axis("a second", rangemode="tozero", tickformat="~s"),
            hovermode="x unified",
            showlegend=True,
        ),
        columns={"x": "seconds", "y": "a second"},
    )


@dataclass(frozen=True, slots=True)
class Matrix:
    """Values by entity (rows) and span of time (columns); NaN where there is none."""

    time: Any
    values: Mapping[str, Any]
    samples: int

    @property
    def width(self) -> int:
        return len(self.time)


# Rows are worked through in blocks, so that hours of hundreds of threads need no copies.
_BLOCK = 1 << 19


class _Moments:
    """The columns of a matrix: samples themselves, else spans of time."""

    def __init__(self, table: SampleTable, start: float, most: int) -> None:
        import numpy as np

        self._time = np.asarray(table.time)
        self._start = start
        found = [np.unique(self._time[rows]) for rows in _blocks(len(table))]
        moments = np.unique(np.concatenate(found)) - start if found else np.zeros(0)
        self.samples = len(moments)
        self._buckets: Buckets | None = None
        self.time: Any = moments
        if self.samples > most:
            self._buckets = Buckets(float(moments[0]), float(moments[-1]), most)
            self.time = self._buckets.centres()

    def of(self, rows: slice) -> tuple[Any, Any]:
        """The times of some rows, and the columns that they fall into."""
        import numpy as np

        time = self._time[rows] - self._start
        if self._buckets is not None:
            return time, self._buckets.index(time)
        return time, np.searchsorted(self.time, time)


def _blocks(length: int) -> list[slice]:
    return [slice(first, first + _BLOCK) for first in range(0, length, _BLOCK)]


def level_matrix(
    table: SampleTable, start: float, names: Sequence[str], most: int = 600
) -> Matrix:
    """Means of level columns by entity and span of time."""
    import numpy as np

    moments = _Moments(table, start, most)
    width, size = len(moments.time), len(table.entities) * len(moments.time)
    entity = np.asarray(table.entity)
    values: dict[str, Any] = {}
    for name in names:
        column = _column(table, name)
        if column is None:
            continue
        sums, counts = np.zeros(size), np.zeros(size)
        for rows in _blocks(len(table)):
            cell = entity[rows].astype(np.int64) * width + moments.of(rows)[1]
            known = ~np.isnan(column[rows])
            sums += np.bincount(cell[known], weights=column[rows][known], minlength=size)
            counts += np.bincount(cell[known], minlength=size)
        with np.errstate(invalid="ignore", divide="ignore"):
            values[name] = np.where(counts > 0, sums / counts, np.nan).reshape(-1, width)
    return Matrix(moments.time, values, moments.samples)


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
    count, width = len(table.entities), len(moments.time)
    entity = np.asarray(table.entity)
    values: dict[str, Any] = {}
    for column_name, name in names.items():
        column = _column(table, column_name)
        if column is None:
            continue
        # Column 0 holds the first sample of all, so that the first span has a beginning.
        seen_time = np.full((count, width + 1), np.nan)
        seen = np.full((count, width + 1), np.nan)
        for rows in _blocks(len(table)):
            time, place = moments.of(rows)
            known = ~np.isnan(column[rows])
            who, time, place, value = (
                part[known] for part in (entity[rows], time, place, column[rows])
            )
            # Of several values for one cell the last stays.
            seen_time[who, place + 1] = time
            seen[who, place + 1] = value
            fresh = np.isnan(seen[who, 0])
            if fresh.any():
                back = slice(None, None, -1)  # so that here the first stays
                seen_time[who[fresh][back], 0] = time[fresh][back]
                seen[who[fresh][back], 0] = value[fresh][back]
        values[name] = _growth(seen_time, seen, bounded=column_name.endswith("_seconds"))
    return Matrix(moments.time, values, moments.samples)


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


def heat_figure(
    matrix: Matrix,
    name: str,
    rows: Sequence[str],
    order: Sequence[int],
    *,
    unit: str,
    hot: bool,
) -> Figure:
    """One value by entity and time as colours; `rows` names all, `order` picks some."""
    import numpy as np

    grid = matrix.values[name]
    top = float(np.nanmax(grid)) if np.isfinite(grid).any() else 1.0
    return figure(
        [
            {
                "type": "heatmap",
                "x": _floats(matrix.time),
                "y": [label(rows[i], 28) for i in order],
                "z": [_floats(grid[i]) for i in order],
                "zmin": 0,
                "zmax": 100 if unit == "%" else top,
                "colorscale": HEAT if hot else LOAD,
                "hoverongaps": False,
                "colorbar": {
                    "thickness": 10,
                    "len": 0.9,
                    "outlinewidth": 0,
                    "title": {"text": unit, "font": {"size": 11}},
                },
                "hovertemplate": f"%{{y}}<br>%{{x:.2f}} s: %{{z:.3~f}} {unit}<extra></extra>",
            }
        ],
        layout(
            max(90 + 18 * len(order), 160),
            xaxis=_time_axis(),
            yaxis=axis(None, type="category", autorange="reversed", fixedrange=True),
        ),
        columns={"x": "seconds", "y": "row", "z": unit},
    )


def lane_scale(matrix: Matrix, order: Sequence[int]) -> float:
    """The share of time that fills a lane: threads that mostly sleep would not be seen else."""
    import numpy as np

    rows = list(order)
    both = np.nan_to_num(matrix.values["running"][rows] + matrix.values["waiting"][rows])
    largest = float(both.max()) if both.size else 1.0
    return next((full for full in (0.05, 0.1, 0.25, 0.5) if largest <= full), 1.0)


def thread_lanes_figure(matrix: Matrix, rows: Sequence[str], order: Sequence[int]) -> Figure:
    """One lane a thread: running from the floor up, waiting for a CPU on top, hatched."""
    import numpy as np

    run, wait = np.nan_to_num(matrix.values["running"]), np.nan_to_num(matrix.values["waiting"])
    full = lane_scale(matrix, order)
    time = _floats(matrix.time)
    ends = [float(matrix.time[0]), float(matrix.time[-1])] if matrix.width else [0.0, 1.0]
    data: list[dict[str, Any]] = []
    for lane, thread in enumerate(order):
        floor = len(order) - 1 - lane
        name = label(rows[thread], 60)
        running = floor + 0.86 * np.minimum(run[thread] / full, 1)
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": ends,
                "y": [floor, floor],
                "line": {"color": "@grid", "width": 1},
                "hoverinfo": "skip",
            }
        )
        for state, top, colour, share in (
            ("running", running, "@running", run[thread]),
            (
                "waiting",
                np.minimum(running + 0.86 * wait[thread] / full, floor + 0.86),
                "@waiting",
                wait[thread],
            ),
        ):
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": f"{name} {state}",
                    "meta": "percent",
                    "x": time,
                    "y": _floats(top),
                    "customdata": _floats(100 * share),
                    "text": name,
                    "fill": "tonexty",
                    "fillcolor": colour,
                    "line": {"width": 0, "shape": "hv", "color": colour},
                    "hovertemplate": "%{text}<br>%{x:.2f} s: "
                    f"{state} %{{customdata:.0f}} %<extra></extra>",
                }
            )
            if state == "waiting":
                data[-1]["fillpattern"] = {
                    "shape": "/",
                    "size": 5,
                    "fgcolor": colour,
                    "bgcolor": "@card",
                }
    return figure(
        data,
        layout(
            80 + 26 * len(order),
            margin={"l": 130, "r": 12, "t": 12, "b": 40},
            xaxis=_time_axis(),
            yaxis=axis(
                None,
                tickmode="array",
                tickvals=[len(order) - 1 - lane + 0.4 for lane in range(len(order))],
                ticktext=[label(rows[i], 22) for i in order],
                range=[-0.1, len(order)],
                fixedrange=True,
                showgrid=False,
                zeroline=False,
            ),
            hovermode="closest",
        ),
        columns={"x": "seconds", "y": "%"},
    )
