"""What all figures share: colour tokens, the base layout, safe labels.

The colours are Okabe and Ito's, chosen to be told apart by colour-blind people, and never
the only sign: every trace has a label, waiting is hatched.
"""

import html
from collections.abc import Mapping, Sequence
from typing import Any, cast

from profiler.visible import visible

Figure = dict[str, Any]

# token: (light page, dark page)
COLOURS: dict[str, tuple[str, str]] = {
    "user": ("#0072B2", "#56B4E9"),
    "heap": ("#0072B2", "#56B4E9"),
    "system": ("#E69F00", "#E69F00"),
    "extra": ("#E69F00", "#E69F00"),
    "iowait": ("#CC79A7", "#CC79A7"),
    "stacks": ("#CC79A7", "#CC79A7"),
    "steal": ("#7A5195", "#B794D6"),
    "idle": ("#D9D9D9", "#3A3A3A"),
    "waiting": ("#D55E00", "#FF8A3D"),
    "running": ("#009E73", "#2FCB97"),
    "more": ("#D55E00", "#FF8A3D"),
    "less": ("#009E73", "#2FCB97"),
    "text": ("#1B1F24", "#E8EAED"),
    "muted": ("#57606A", "#A8B0BA"),
    "grid": ("#E6E8EB", "#30353C"),
    "page": ("#FFFFFF", "#14171B"),
    "card": ("#FFFFFF", "#1B1F24"),
    "scale0": ("#F3F6F9", "#20262D"),
    "scale1": ("#9CC9E5", "#20567A"),
    "scale2": ("#0072B2", "#56B4E9"),
    "heat0": ("#F4F1EC", "#272320"),
    "heat1": ("#F3B27A", "#8A4A14"),
    "heat2": ("#B84A00", "#FF9B57"),
}

# Of the longest bar: what is shorter shows as nothing.
VISIBLE = 0.004

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
HEAT = [[0, "@heat0"], [0.5, "@heat1"], [1, "@heat2"]]
LOAD = [[0, "@scale0"], [0.5, "@scale1"], [1, "@scale2"]]


def themed(value: Any, theme: str) -> Any:
    """A copy of a figure (or a part) with its colour tokens replaced: `light` or `dark`."""
    if isinstance(value, str):
        if value.startswith("@"):
            return COLOURS[value[1:]][theme == "dark"]
        return value
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Any]", value)
        return {key: themed(part, theme) for key, part in fields.items()}
    if isinstance(value, list | tuple):
        return [themed(part, theme) for part in cast("Sequence[Any]", value)]
    return value


def label(text: str, limit: int = 120) -> str:
    """Text of a tool as a Plotly label: no tag in it is obeyed, and it is not endless."""
    return html.escape(visible(text, limit), quote=False)


def axis(title: str | None = None, **more: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "gridcolor": "@grid",
        "zerolinecolor": "@grid",
        "linecolor": "@grid",
        "automargin": True,
        "ticks": "",
        "spikethickness": 1,
        "spikecolor": "@muted",
        **more,
    }
    if title:
        fields["title"] = {"text": title, "font": {"size": 12, "color": "@muted"}}
    return fields


def layout(height: int, **more: Any) -> dict[str, Any]:
    """The layout of every figure; `more` is laid over it."""
    return {
        "height": height,
        "margin": {"l": 56, "r": 12, "t": 12, "b": 40},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "@card",  # Plotly lays a line of it below those at the pointer
        "font": {"family": FONT, "size": 12, "color": "@text"},
        "hoverlabel": {
            "bgcolor": "@card",
            "bordercolor": "@muted",
            "font": {"family": FONT, "size": 12, "color": "@text"},
            "align": "left",
        },
        "showlegend": False,
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "traceorder": "normal",
        },
        # Without these Plotly lays a gray box behind the buttons.
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "@muted", "activecolor": "@text"},
        "dragmode": "zoom",
        **more,
    }


def figure(
    data: Sequence[Mapping[str, Any]], layout_: Mapping[str, Any], **about: Any
) -> Figure:
    """A figure; `about` becomes `meta`: what the page needs to know of it."""
    return {
        "data": [dict(trace) for trace in data],
        "layout": {**layout_, "meta": about} if about else dict(layout_),
    }
