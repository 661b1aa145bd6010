"""The heap over time, and two snapshots apart."""

from collections.abc import Sequence
from typing import Any

from collectors.records.heap import HeapProfile, HeapSnapshot, TreeKind
from profiler.charts.style import Figure, axis, figure, layout
from profiler.charts.thin import MOST_POINTS
from profiler.figures import size

_BINARY = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "B"))
_ONE_LABEL = 0.2  # of the time axis: two labels would lie over each other
TIME_TITLES = {
    "i": "instructions executed",
    "ms": "milliseconds under Massif",
    "B": "bytes allocated and freed so far",
}


def binary_unit(largest: int) -> tuple[int, str]:
    """The unit in which `largest` bytes read best: its size and its name."""
    return next((size, name) for size, name in _BINARY if largest >= size or size == 1)


def drawn_snapshots(snapshots: Sequence[HeapSnapshot]) -> Sequence[HeapSnapshot]:
    """The snapshots that are drawn: all, or the largest and the detailed ones of each span."""
    if len(snapshots) <= MOST_POINTS:
        return snapshots
    span = len(snapshots) / MOST_POINTS
    best: dict[int, HeapSnapshot] = {}
    for position, snapshot in enumerate(snapshots):
        bucket = int(position / span)
        seen = best.get(bucket)
        if seen is None or snapshot.total_bytes > seen.total_bytes:
            best[bucket] = snapshot
    kept = {snapshot.index for snapshot in best.values()}
    return [s for s in snapshots if s.index in kept or s.tree is not TreeKind.EMPTY]


def heap_timeline_figure(profile: HeapProfile) -> Figure:
    """Useful, extra and stack bytes, stacked, with the true peak and the one Massif marked."""
    peak = profile.peak
    scale, unit = binary_unit(peak.total_bytes if peak else 0)
    snapshots = drawn_snapshots(profile.snapshots)
    time = [s.time for s in snapshots]
    notes = [
        f"<br>snapshot {s.index} · {size(s.total_bytes)} in total ({s.total_bytes:,} B)"
        for s in snapshots
    ]
    layers = (
        (
            "mapped pages" if profile.pages else "useful heap",
            "heap",
            [s.heap_bytes for s in snapshots],
        ),
        ("extra (allocator)", "extra", [s.extra_bytes for s in snapshots]),
        ("stacks", "stacks", [s.stacks_bytes for s in snapshots]),
    )
    data: list[dict[str, Any]] = []
    for number, (name, colour, values) in enumerate(layers):
        if not any(values) and number:
            continue
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "x": time,
                "y": [value / scale for value in values],
                "stackgroup": "heap",
                "line": {"color": f"@{colour}", "width": 1},
                "fillcolor": f"@{colour}",
                "text": [
                    f"{size(value)}{note if number == 0 else ''}"
                    for value, note in zip(values, notes, strict=True)
                ],
                "hovertemplate": f"{name} %{{text}}<extra></extra>",
            }
        )
    detailed = [s for s in snapshots if s.tree is not TreeKind.EMPTY]
    data.append(
        {
            "type": "scatter",
            "mode": "markers",
            "name": "with allocation tree: click",
            "x": [s.time for s in detailed],
            "y": [s.total_bytes / scale for s in detailed],
            "customdata": [s.index for s in detailed],
            "cliponaxis": False,
            "marker": {
                "size": 9,
                "color": "@card",
                "line": {"color": "@text", "width": 1.5},
                "symbol": [
                    "triangle-up" if s.tree is TreeKind.PEAK else "circle" for s in detailed
                ],
            },
            "hovertemplate": "click: allocation tree of snapshot %{customdata}<extra></extra>",
        }
    )
    x_axis = axis(
        TIME_TITLES.get(profile.time_unit, profile.time_unit),
        tickformat="~s",
        hoverformat=".4s",
    )
    if len(time) > 1 and time[-1] > time[0]:  # else markers ask for room before the start
        x_axis["range"] = [time[0], time[-1]]
    y_axis = axis(None, ticksuffix=f" {unit}", rangemode="tozero")
    return figure(
        data,
        layout(
            300,
            xaxis=x_axis,
            yaxis=y_axis,
            hovermode="x unified",
            showlegend=True,
            annotations=_peak_notes(profile, scale),
        ),
        columns={"x": TIME_TITLES.get(profile.time_unit, "time"), "y": unit},
    )


def _peak_notes(profile: HeapProfile, scale: int) -> list[dict[str, Any]]:
    peak, marked = profile.peak, profile.marked_peak
    notes: list[dict[str, Any]] = []
    if peak is None or profile.is_one_moment:
        return notes
    last = max((s.time for s in profile.snapshots), default=0)
    text = f"● peak {size(peak.total_bytes)}"
    wanted = [(peak, text, -26)]
    if marked is not None and abs(marked.time - peak.time) < last * _ONE_LABEL:
        same = marked.index == peak.index
        wanted = [(peak, f"▲{text[1:]}" if same else f"{text} · ▲ marked as peak", -26)]
    elif marked is not None:
        # The peak is the higher point: its label above it, and the other's below its own,
        # neither covers the other's line. Far below the peak there is room above, too.
        low = marked.total_bytes < peak.total_bytes / 2
        wanted.append((marked, "▲ marked as peak", -26 if low else 30))
    for snapshot, text, offset in wanted:
        notes.append(
            {
                "x": snapshot.time,
                "y": snapshot.total_bytes / scale,
                "text": text,
                "showarrow": True,
                "arrowhead": 0,
                "arrowwidth": 1,
                "arrowcolor": "@muted",
                "ax": -60 if last and snapshot.time > last * 0.6 else 60,
                "ay": offset,
                "bgcolor": "@card",
                "borderpad": 2,
                "font": {"size": 12, "color": "@text"},
            }
        )
    return notes
