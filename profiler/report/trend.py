"""A trend as a page of its own, in the report's clothes."""

from pathlib import Path

from profiler.charts.trend import trend_figure
from profiler.report.bundle import library
from profiler.report.markup import esc, facts, figure, table
from profiler.report.page import assemble, check_output, pack_section, publish, visible_title
from profiler.report.sections import Section
from profiler.trend import Trend, written

_PART = "trend"
_HEIGHT = 360


def write_trend(trend: Trend, output: Path, *, force: bool = False) -> Path:
    """Write the page to `output` and return it.

    Raises `UsageError` when `output` exists and `force` is not set, `InputError` when it
    cannot be written.
    """
    check_output(output, force=force)
    return publish(render_trend(trend), output)


def render_trend(trend: Trend) -> str:
    """The page as text."""
    program = trend.program or "the whole system"
    section = Section("trend", f"Trend: how did {trend.metric} move?")
    section.parts.append(
        (
            _PART,
            {
                "figures": {
                    "trend-figure": trend_figure(
                        trend.points, trend.metric, trend.unit, trend.by
                    )
                }
            },
        )
    )
    notes = "".join(f" {esc(note, 500)}." for note in trend.notes)
    section.body = figure(
        "trend-figure",
        _PART,
        f"{trend.metric}, by {trend.by}",
        f"Medians of the sessions of each group, measured by {esc(trend.tool)}; the thin bar "
        f"is the range of its sessions. Groups are in order of their first session.{notes}",
        _HEIGHT,
    ) + table(
        (trend.by, "Sessions", "Median", "Least", "Most"),
        [
            [
                esc(point.group, 200),
                str(point.sessions),
                *(
                    esc(written(trend.unit, value))
                    for value in (point.median, point.least, point.most)
                ),
            ]
            for point in trend.points
        ],
        (1, 2, 3, 4),
    )
    change = trend.change_percent
    verdict = (
        "one group only"
        if change is None
        else f"{change:+.1f} % from first to last".replace("-", "−")
    )
    overview = (
        '<section id="overview" aria-labelledby="overview-title">'
        '<h2 id="overview-title" class="offscreen">Verdict</h2>'
        f'<p class="verdict">{esc(trend.metric)} of {esc(program, 200)}: {esc(verdict)}</p>'
        "</section>"
    )
    header = (
        f'<div class="title"><h1>{esc(trend.metric)} of {esc(program, 200)}</h1>'
        '<div class="buttons"><button type="button" id="theme">☾ Dark</button>'
        '<button type="button" id="print">Print</button></div></div>'
        + facts([("Grouped by", esc(trend.by)), ("Measured by", esc(trend.tool))])
    )
    title = visible_title(f"{trend.metric} of {program} · droidgrind")
    return assemble(title, header, overview, [pack_section(section)], None, library())
