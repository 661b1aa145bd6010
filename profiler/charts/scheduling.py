"""Who ran and who waited: system load, CPUs, and threads as lanes, on one time axis."""

from array import array
from collections.abc import Sequence
from typing import Any

from profiler.charts.series import Matrix, Series
from profiler.charts.style import HEAT, LOAD, Figure, axis, figure, label, layout

MOST_LANES = 16
SHARES = (
    ("us", "user", "@user"),
    ("sy", "system", "@system"),
    ("wa", "waiting for I/O", "@iowait"),
    ("st", "stolen by the hypervisor", "@steal"),
    ("id", "idle", "@idle"),
)


def _time_axis(**more: Any) -> dict[str, Any]:
    return axis("seconds since the first sample", **more)


def _floats(values: Any) -> "array[float]":
    """A numpy column as an array that is neither pickled nor boxed on its way to the page."""
    import numpy as np

    return array("f", np.ascontiguousarray(values, dtype=np.float32).tobytes())


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
