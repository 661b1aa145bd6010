"""Who ran and who waited: system load, CPUs, and threads as lanes, on one time axis."""

from array import array
from collections.abc import Sequence
from typing import Any

from profiler.charts.series import Matrix, Series
from profiler.charts.style import HEAT, LOAD, Figure, axis, figure, label, layout

MOST_LANES = 16
LANES_HEIGHT = 200  # of few lanes together, in pixels; many have LEAST_LANE each
LEAST_LANE, MOST_LANE = 26, 48
SHARES = (
    ("us", "user", "@user"),
    ("sy", "system", "@system"),
    ("wa", "waiting for I/O", "@iowait"),
    ("st", "stolen by the hypervisor", "@steal"),
    ("id", "idle", "@idle"),
)


# All figures of time lie below each other: the same margins put a moment at the same place.
TIME_MARGIN = {"l": 150, "r": 72, "t": 12, "b": 26}


def _time_layout(height: int, **more: Any) -> dict[str, Any]:
    return layout(
        height,
        margin=TIME_MARGIN,
        xaxis=axis(None, ticksuffix=" s", hoverformat=".2f", automargin=False),
        **more,
    )


def _held(values: Any) -> Any:
    """Values of the time before each sample, so that a line drawn as `vh` begins at the first.

    The first sample ends no span: it takes the value of the span that it begins.
    """
    import numpy as np

    values = np.asarray(values)
    if len(values) > 1 and np.isnan(values[0]):
        values = values.copy()
        values[0] = values[1]
    return values


def _floats(values: Any) -> "array[float]":
    """A numpy column as an array that is neither pickled nor boxed on its way to the page."""
    import numpy as np

    return array("f", np.ascontiguousarray(values, dtype=np.float32).tobytes())


def _shares(values: Any) -> "array[float]":
    """A column of measured shares and rates, to one part in 8,000: a screen has fewer rows.

    Digits that nobody can see would be most of a page's bytes.
    """
    import numpy as np

    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    return _floats(((bits + 0x400) & 0xFFFFF800).view(np.float32))


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
            # A level at a moment: half of it before, half after, so that the last is seen.
            "line": {"color": "@user", "width": 2, "shape": "hvh"},
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
                "line": {"color": "@iowait", "width": 2, "shape": "hvh", "dash": "dot"},
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
                "xanchor": "left",
                "xshift": 4,
                "text": f"{cpus} CPUs" if cpus > 1 else "1 CPU",
                "showarrow": False,
                "font": {"size": 12, "color": "@waiting"},
            }
        ]
    return figure(
        data,
        _time_layout(
            180,
            yaxis=axis(None, rangemode="tozero", tickformat=",d", nticks=6, automargin=False),
            hovermode="x unified",
            showlegend=len(data) > 1,
            **more,
        ),
        columns={"x": "seconds", "y": "tasks"},
    )


def cpu_time_figure(series: Series) -> Figure | None:
    """What the CPUs did, in percent of all their time, stacked."""
    import numpy as np

    time = _floats(series.time)
    data: list[dict[str, Any]] = []
    for name, title, colour in SHARES:
        values = series.columns.get(name)
        if values is None or not np.isfinite(values).any():
            continue  # shares are of the time between two samples: one alone has none
        if name in {"st", "wa"} and not (values > 0).any():
            continue
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": title,
                "x": time,
                "y": _shares(_held(values)),
                "stackgroup": "cpu",
                "line": {"width": 0, "shape": "vh"},
                "fillcolor": colour,
                "hovertemplate": f"{title} %{{y:.1f}} %<extra></extra>",
            }
        )
    if not data:
        return None
    return figure(
        data,
        _time_layout(
            190,
            yaxis=axis(
                None, range=[0, 100], ticksuffix=" %", fixedrange=True, automargin=False
            ),
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
                    "y": _floats(_held(values)),
                    "line": {"color": colour, "width": 2, "dash": dash, "shape": "vh"},
                    "hovertemplate": f"%{{y:,.0f}} {title} a second<extra></extra>",
                }
            )
    if not data:
        return None
    return figure(
        data,
        _time_layout(
            160,
            yaxis=axis(
                None, rangemode="tozero", tickformat="~s", ticksuffix="/s", automargin=False
            ),
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

    grid, edges = matrix.values[name], matrix.edges
    if matrix.width > 1 and edges[0] == edges[1]:  # a first sample ends no span
        grid, edges = grid[:, 1:], edges[1:]
    top = float(np.nanmax(grid)) if np.isfinite(grid).any() else 1.0
    digits = ".1f" if unit == "%" else ".2f"
    return figure(
        [
            {
                "type": "heatmap",
                "x": _floats(edges),
                "y": [label(rows[i], 22) for i in order],
                "z": [_shares(grid[i]) for i in order],
                "zmin": 0,
                "zmax": 100 if unit == "%" else top,
                "colorscale": HEAT if hot else LOAD,
                "hoverongaps": False,
                "colorbar": {
                    "thickness": 10,
                    "len": 1,
                    "lenmode": "fraction",
                    "x": 1,
                    "xpad": 6,
                    "outlinewidth": 0,
                    "ticksuffix": " %" if unit == "%" else "",
                    "nticks": 4,
                },
                "hovertemplate": f"%{{y}}<br>%{{x:.2f}} s: %{{z:{digits}}} {unit}"
                "<extra></extra>",
            }
        ],
        _time_layout(
            max(44 + 18 * len(order), 110),
            yaxis=axis(
                None,
                type="category",
                tickmode="array",
                tickvals=list(range(len(order))),
                ticktext=[label(rows[i], 22) for i in order],
                autorange="reversed",
                fixedrange=True,
                automargin=False,
            ),
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


def lane_height(lanes: int) -> int:
    """Pixels of each of some lanes: where they are few there is room to see little shares."""
    return min(MOST_LANE, max(LEAST_LANE, LANES_HEIGHT // max(lanes, 1)))


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
                    "y": _shares(top),
                    "customdata": _shares(100 * share),
                    "fill": "tonexty",
                    "fillcolor": colour,
                    "line": {"width": 0, "shape": "vh", "color": colour},
                    # The name as a field: in a template its own signs might be obeyed.
                    "hovertemplate": "%{fullData.name} %{customdata:.1f} %<br>"
                    "%{x:.2f} s<extra></extra>",
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
        _time_layout(
            44 + lane_height(len(order)) * len(order),
            yaxis=axis(
                None,
                tickmode="array",
                tickvals=[len(order) - 1 - lane + 0.4 for lane in range(len(order))],
                ticktext=[label(rows[i], 22) for i in order],
                range=[-0.1, len(order)],
                fixedrange=True,
                showgrid=False,
                zeroline=False,
                automargin=False,
            ),
            hovermode="closest",
        ),
        columns={"x": "seconds", "y": "%"},
    )
