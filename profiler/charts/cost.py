"""Where the instructions and the cache misses are: a bar chart and a treemap of functions."""

from typing import Any

from collectors.records.cost import UNKNOWN
from profiler.aggregate.samples import percentile
from profiler.charts.style import HEAT, VISIBLE, Figure, axis, figure, label, layout
from profiler.functions import (
    ESTIMATE,
    TERMS,
    FunctionCosts,
    distinct_names,
    miss_rate,
    short_name,
    weights_of,
)

TREEMAP_FUNCTIONS = 250
SHARES = tuple(
    (title if weight == 1 else f"{title} × {weight}", events, colour)
    for (weight, title, events), colour in zip(
        TERMS, ("@user", "@extra", "@waiting", "@stacks"), strict=True
    )
)


def top_functions_figure(costs: FunctionCosts, most: int = 12) -> Figure:
    """Estimated cycles of the costliest functions, split by what they are spent on."""
    worth = int((costs.cycles >= VISIBLE * costs.cycles[0]).sum()) if len(costs) else 0
    shown = range(min(most, worth))
    names = [
        label(name, 42)
        for name in distinct_names(costs.functions[: len(shown)], costs.files[: len(shown)])
    ]
    total = float(costs.cycles.sum()) or 1.0
    data: list[dict[str, Any]] = []
    weights, by = weights_of(costs.events), costs.ranked_by
    for title, events, colour in SHARES if by == ESTIMATE else ((by, (by,), "@user"),):
        columns = [(weights[e], costs.event(e)) for e in events if costs.has(e)]
        values = [float(sum(weight * column[i] for weight, column in columns)) for i in shown]
        if not any(values):
            continue
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": title,
                "x": values,
                "y": list(shown),
                "marker": {
                    "color": colour,
                    "pattern": {"shape": "/" if colour == "@waiting" else ""},
                },
                "text": [
                    f"{label(costs.functions[i], 300)}<br>{label(costs.files[i], 200)}"
                    f"<br>{100 * float(costs.cycles[i]) / total:.1f} % of all {label(by)}"
                    for i in shown
                ],
                "textposition": "none",
                "hovertemplate": f"%{{text}}<br>{title}: %{{x:,.4s}}<extra></extra>",
                "customdata": list(shown),
            }
        )
    return figure(
        data,
        layout(
            90 + 24 * len(shown),
            barmode="stack",
            bargap=0.25,
            showlegend=len(data) > 1,
            xaxis=axis(label(by), tickformat="~s", rangemode="tozero"),
            yaxis=axis(
                None,
                autorange="reversed",
                tickmode="array",
                tickvals=list(shown),
                ticktext=names,
                fixedrange=True,
            ),
            hovermode="closest",
        ),
        columns={"x": label(by), "y": "function", "labels": names},
    )


def treemap_figure(costs: FunctionCosts) -> Figure:
    """Modules (where they are known), directories, files and functions by estimated cycles.

    Coloured by D1 miss rate.
    """
    rates = miss_rate(costs)
    accesses = None if rates is None else costs.event("Dr") + costs.event("Dw")
    misses = None if rates is None else costs.event("D1mr") + costs.event("D1mw")
    nodes = _Nodes()
    for i in range(len(costs)):
        cost = float(costs.cycles[i])
        if cost <= 0:
            continue
        folder, _, name = costs.files[i].rpartition("/")
        if costs.files[i] == UNKNOWN:
            folder, name = "no debug information", "unknown file"
        missed = 0.0 if misses is None else float(misses[i])
        used = 0.0 if accesses is None else float(accesses[i])
        obj = costs.objects[i]
        module = () if obj is None else (obj.rpartition("/")[2],)
        path = (*module, folder or ".", name)
        if i < TREEMAP_FUNCTIONS:
            nodes.add(
                (*path, costs.functions[i]), cost, missed, used, short_name(costs.functions[i])
            )
        else:
            nodes.add(("other functions",), cost, missed, used, None)
    colours = [
        100 * m / u if u else 0.0 for m, u in zip(nodes.misses, nodes.accesses, strict=True)
    ]
    top = percentile(sorted(colours), 0.95) if colours else 1.0
    marker: dict[str, Any] = {
        "line": {"width": 1, "color": "@page"},
        "pad": {"t": 20, "l": 2, "r": 2, "b": 2},
    }
    if rates is not None:
        marker |= {
            "colors": colours,
            "colorscale": HEAT,
            "cmin": 0,
            "cmax": max(top, 1.0),
            "showscale": True,
            "colorbar": {
                "title": {"text": "D1 miss %", "font": {"size": 11}},
                "thickness": 10,
                "len": 0.9,
                "outlinewidth": 0,
            },
        }
    else:
        marker["colors"] = ["@scale1"] * len(nodes.ids)
    total = nodes.values[0] or 1.0
    return figure(
        [
            {
                "type": "treemap",
                "ids": nodes.ids,
                "labels": nodes.labels,
                "parents": nodes.parents,
                "values": nodes.values,
                "branchvalues": "total",
                "marker": marker,
                "tiling": {"pad": 1},
                "pathbar": {"visible": True},
                "maxdepth": 5,
                "text": [
                    f"{100 * value / total:.1f} % of estimated cycles"
                    + (
                        f"<br>{colour:.1f} % of {used:,.0f} data accesses miss D1"
                        if used
                        else ""
                    )
                    for value, colour, used in zip(
                        nodes.values, colours, nodes.accesses, strict=True
                    )
                ],
                "textinfo": "label",
                "hovertemplate": "%{label}<br>%{text}<extra></extra>",
            }
        ],
        layout(
            420,
            margin={"l": 0, "r": 0, "t": 4, "b": 4},
            uniformtext={"minsize": 10, "mode": "hide"},
        ),
        columns={"values": "estimated cycles"},
    )


class _Nodes:
    """A treemap's columns; a node's value includes those below it."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.labels: list[str] = []
        self.parents: list[str] = []
        self.values: list[float] = []
        self.misses: list[float] = []
        self.accesses: list[float] = []
        self._places: dict[tuple[str, ...], int] = {}
        self._node((), "all", None)

    def _node(self, path: tuple[str, ...], name: str, parent: int | None) -> int:
        place = self._places.get(path)
        if place is None:
            place = self._places[path] = len(self.ids)
            self.ids.append(f"n{place}")
            self.labels.append(label(name, 60))
            self.parents.append("" if parent is None else f"n{parent}")
            self.values.append(0.0)
            self.misses.append(0.0)
            self.accesses.append(0.0)
        return place

    def add(
        self, path: tuple[str, ...], cost: float, missed: float, used: float, name: str | None
    ) -> None:
        place = 0
        for depth in range(len(path) + 1):
            if depth:
                own = name if name is not None and depth == len(path) else path[depth - 1]
                place = self._node(path[:depth], own, place)
            self.values[place] += cost
            self.misses[place] += missed
            self.accesses[place] += used
