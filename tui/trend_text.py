"""A trend as text: a table with a bar for each group, and one line that says what it is."""

import sys
from collections.abc import Sequence
from typing import Any

from profiler import figures
from profiler.trend import Trend, written
from tui.text import printable, table_lines

_BARS = "▁▂▃▄▅▆▇█"
_ASCII_BARS = "_.-=+*#@"


def trend_json(trend: Trend) -> dict[str, Any]:
    return {
        "metric": trend.metric,
        "unit": trend.unit.value,
        "tool": trend.tool,
        "by": trend.by,
        "program": trend.program,
        "arguments": list(trend.arguments),
        "failed_sessions": trend.failed,
        "change_percent": trend.change_percent,
        "points": [
            {
                "group": point.group,
                "sessions": point.sessions,
                "median": point.median,
                "min": point.least,
                "max": point.most,
            }
            for point in trend.points
        ],
    }


def sparkline(values: Sequence[float], *, ascii_only: bool) -> str:
    """One sign a value, from the least (lowest sign) to the most."""
    signs = _ASCII_BARS if ascii_only else _BARS
    least, most = min(values), max(values)
    span = most - least
    if not span:
        return signs[len(signs) // 2] * len(values)
    return "".join(signs[round((v - least) / span * (len(signs) - 1))] for v in values)


def trend_lines(trend: Trend) -> list[str]:
    program = "the whole system" if trend.program is None else printable(trend.program)
    encoding = (sys.stdout.encoding or "ascii").lower()
    line = sparkline([p.median for p in trend.points], ascii_only="utf" not in encoding)
    rows: list[tuple[str, ...]] = []
    before: float | None = None
    for point in trend.points:
        rows.append(
            (
                point.group,
                figures.count(point.sessions),
                written(trend.unit, point.median),
                ""
                if point.sessions == 1
                else f"{written(trend.unit, point.least)} to {written(trend.unit, point.most)}",
                _change(before, point.median),
            )
        )
        before = point.median
    change = trend.change_percent
    whole = "" if change is None else f"  {change:+.1f} % from first to last"
    lines = [
        f"{trend.metric} of {program}, by {trend.by}  [{trend.tool}]",
        f"{line}{whole}",
        "",
        *table_lines(
            (trend.by, "sessions", "median", "range", "change"), rows, right=(1, 2, 4)
        ),
    ]
    if trend.notes:
        lines += ["", *(printable(note) for note in trend.notes)]
    return lines


def _change(before: float | None, now: float) -> str:
    if before is None:
        return ""
    if now == before:
        return "same"
    return f"{100 * (now - before) / abs(before):+.1f} %" if before else "new"
