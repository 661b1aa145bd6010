"""Two sessions on one figure: heaps laid over each other, functions by how they changed."""

from collections.abc import Sequence
from typing import Any

from collectors.records.heap import HeapProfile
from profiler.charts.heap import TIME_TITLES, binary_unit, drawn_snapshots
from profiler.charts.style import Figure, axis, figure, label, layout
from profiler.figures import size
from profiler.functions import distinct_names


def heap_overlay_figure(baseline: HeapProfile, profile: HeapProfile) -> Figure:
    """Total heap of both: the baseline dashed, the other as an area."""
    peaks = [p.peak.total_bytes for p in (baseline, profile) if p.peak is not None]
    scale, unit = binary_unit(max(peaks, default=0))
    data: list[dict[str, Any]] = []
    for name, source, line, fill in (
        ("this session", profile, {"color": "@heap", "width": 2}, "tozeroy"),
        ("baseline", baseline, {"color": "@text", "width": 2, "dash": "dash"}, "none"),
    ):
        snapshots = drawn_snapshots(source.snapshots)
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "x": [s.time for s in snapshots],
                "y": [s.total_bytes / scale for s in snapshots],
                "text": [size(s.total_bytes) for s in snapshots],
                "line": line,
                "fill": fill,
                "fillcolor": "@scale1",
                "hovertemplate": f"{name}: %{{text}}<extra></extra>",
            }
        )
    title = TIME_TITLES.get(profile.time_unit, profile.time_unit)
    return figure(
        data,
        layout(
            280,
            xaxis=axis(title, tickformat="~s"),
            yaxis=axis(None, ticksuffix=f" {unit}", rangemode="tozero"),
            hovermode="closest",
            showlegend=True,
        ),
        columns={"x": title, "y": unit},
    )


def function_changes_figure(changes: Sequence[tuple[str, str, float]], unit: str) -> Figure:
    """Bars to the right for more, to the left for less, one a (function, file, delta)."""
    shown = range(len(changes))
    functions, files = [name for name, _, _ in changes], [file for _, file, _ in changes]
    names = [label(name, 42) for name in distinct_names(functions, files)]
    return figure(
        [
            {
                "type": "bar",
                "orientation": "h",
                "name": f"change of {unit}",
                "x": [delta for _, _, delta in changes],
                "y": list(shown),
                "marker": {"color": ["@more" if d > 0 else "@less" for _, _, d in changes]},
                "text": [f"{'+' if d > 0 else '−'}{abs(d):,.0f}" for _, _, d in changes],
                "customdata": [f"{label(n, 300)}<br>{label(f)}" for n, f, _ in changes],
                "textposition": "auto",
                "hovertemplate": "%{customdata}<br>%{text} " + unit + "<extra></extra>",
            }
        ],
        layout(
            80 + 24 * len(changes),
            bargap=0.25,
            xaxis=axis(f"{unit}: less ◀ ▶ more", tickformat="~s", zerolinecolor="@muted"),
            yaxis=axis(
                None,
                autorange="reversed",
                tickmode="array",
                tickvals=list(shown),
                ticktext=names,
                fixedrange=True,
            ),
        ),
        columns={"y": "function", "labels": names},
    )
