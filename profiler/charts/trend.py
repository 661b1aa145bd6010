"""A metric from group to group: medians as a line, the range of each group as a bar."""

from collections.abc import Sequence
from typing import Any

from profiler.charts.heap import binary_unit
from profiler.charts.style import Figure, axis, figure, label, layout
from profiler.figures import plural
from profiler.metrics import Unit
from profiler.trend import TrendPoint


def trend_figure(points: Sequence[TrendPoint], metric: str, unit: Unit, by: str) -> Figure:
    """One marker a group, in order of time; groups keep their names at every zoom."""
    size, suffix = 1, {Unit.SECONDS: " s", Unit.PERCENT: " %"}.get(unit, "")
    if unit is Unit.BYTES:
        size, name = binary_unit(round(max(point.most for point in points)))
        suffix = f" {name}"
    places = list(range(len(points)))
    error: dict[str, Any] = {
        "type": "data",
        "symmetric": False,
        "array": [(point.most - point.median) / size for point in points],
        "arrayminus": [(point.median - point.least) / size for point in points],
        "color": "@muted",
        "thickness": 1,
        "width": 4,
    }
    names = [label(point.group, 60) for point in points]
    return figure(
        [
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": f"median {metric}",
                "x": places,
                "y": [point.median / size for point in points],
                "error_y": error,
                "line": {"color": "@user", "width": 2},
                "marker": {"color": "@user", "size": 8},
                "text": [
                    f"{name}: {plural(point.sessions, 'session')}"
                    for name, point in zip(names, points, strict=True)
                ],
                "hovertemplate": f"%{{text}}<br>%{{y:,.6~g}}{suffix}<extra></extra>",
            }
        ],
        layout(
            360,
            xaxis=axis(label(by), tickmode="array", tickvals=places, ticktext=names),
            yaxis=axis(None, ticksuffix=suffix, tickformat="~s" if size == 1 else ""),
            hovermode="closest",
        ),
        columns={"x": by, "y": metric, "labels": names},
    )
