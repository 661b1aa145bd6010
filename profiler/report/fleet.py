"""A fleet as a page of its own: the matrix, what failed and why, devices that stand out."""

import html
from pathlib import Path
from urllib.parse import quote

from profiler.fleet.ledger import CellEntry, CellState
from profiler.fleet.overview import DEVIATIONS, LEAST_SHARE, FleetOverview
from profiler.fleet.plan import FleetPlan
from profiler.metrics import unit_of
from profiler.report.bundle import library
from profiler.report.markup import empty, esc, facts, table
from profiler.report.page import assemble, pack_section, publish, visible_title
from profiler.report.sections import Section
from profiler.trend import written

_SIGNS = {
    CellState.DONE: ("ok", "✔"),
    CellState.FAILED: ("error", "✖"),
    CellState.RUNNING: ("info", "…"),
    CellState.PENDING: ("warning", "–"),
}


def write_fleet(overview: FleetOverview, plan: FleetPlan, output: Path) -> Path:
    """Write the page, over an older one of the same fleet, and return `output`."""
    return publish(render_fleet(overview, plan), output)


def render_fleet(overview: FleetOverview, plan: FleetPlan) -> str:
    """The page as text. Links lead to the sessions' folders beside it."""
    name = plan.file.stem
    sections = [_matrix(overview), _metrics(overview), _attempts(overview)]
    tally = "".join(
        f'<span class="sign {_SIGNS[state][0]}">{_SIGNS[state][1]} {overview.count(state):,} '
        f"{state.value}</span>"
        for state in CellState
        if overview.count(state)
    )
    outliers = overview.outliers
    listed = "".join(
        '<li class="finding warning"><span class="sign warning" role="img" '
        f'aria-label="warning">▲</span><h3>{esc(figure.device)}: {esc(row.metric)} of '
        f"{esc(row.target)} is {esc(written(unit_of(row.metric), figure.median))}</h3>"
        f"<p>The median of {len(row.devices)} devices is "
        f"{esc(written(unit_of(row.metric), row.median))}.</p></li>"
        for row, figure in outliers
    )
    body = (
        f'<ul class="findings">{listed}</ul>'
        if outliers
        else '<p class="empty">No device stands out.</p>'
    )
    overview_section = (
        '<section id="overview" aria-labelledby="overview-title">'
        '<h2 id="overview-title" class="offscreen">Verdict</h2>'
        f'<p class="verdict">{tally}</p>{body}</section>'
    )
    header = (
        f'<div class="title"><h1>Fleet {esc(name, 200)}</h1><div class="buttons">'
        '<button type="button" id="theme">☾ Dark</button>'
        '<button type="button" id="print">Print</button></div></div>'
        + facts(
            [
                ("Devices", str(len(plan.devices))),
                ("Targets", str(len(plan.targets))),
                ("Repeats", str(plan.repeats)),
                ("Cells", str(len(overview.entries))),
            ]
        )
    )
    return assemble(
        visible_title(f"Fleet {name} · droidgrind"),
        header,
        overview_section,
        [pack_section(section) for section in sections],
        None,
        library(),
    )


def _mark(entry: CellEntry) -> str:
    severity, sign = _SIGNS[entry.state]
    label = html.escape(f"{entry.id}: {entry.state.value}", quote=True)
    shown = f'<span class="sign {severity}" role="img" aria-label="{label}">{sign}</span>'
    if entry.state is not CellState.DONE:
        return shown
    return f'<a href="{quote(entry.id)}/" title="{label}">{shown}</a>'


def _matrix(overview: FleetOverview) -> Section:
    section = Section("matrix", "Matrix: what ran where?")
    section.body = (
        '<p class="muted">One sign a repeat; a done one leads to its session\'s folder.</p>'
        + table(
            ("Target", "Tools", *overview.devices),
            [
                [
                    esc(row[0], 200),
                    esc(row[1].replace(",", ", "), 200),
                    *(
                        " ".join(_mark(e) for e in overview.cells(device, row)) or "–"
                        for device in overview.devices
                    ),
                ]
                for row in overview.rows
            ],
        )
    )
    return section


def _metrics(overview: FleetOverview) -> Section:
    section = Section("metrics", "Metrics: how do the devices differ?")
    if not overview.metrics:
        section.body = empty("No cell is done yet: figures come with the first.")
        return section
    rows: list[list[str]] = []
    for row in overview.metrics:
        by_device = {figure.device: figure for figure in row.devices}
        cells = [esc(row.target, 200), esc(row.metric)]
        for device in overview.devices:
            figure = by_device.get(device)
            if figure is None:
                cells.append("–")
                continue
            text = esc(written(unit_of(row.metric), figure.median))
            if figure.least != figure.most:
                least, most = (
                    esc(written(unit_of(row.metric), value))
                    for value in (figure.least, figure.most)
                )
                text += f'<br><span class="muted">{least} to {most}</span>'
            cells.append(
                f'<span class="sign warning">▲</span> {text}' if figure.outlier else text
            )
        rows.append(cells)
    section.body = (
        '<p class="muted">Medians over the repeats, their range below. ▲ is more than '
        f"{DEVIATIONS:g} robust standard deviations and {100 * LEAST_SHARE:g} % from the "
        "median of the devices; of fewer than three devices none can stand out.</p>"
        + table(
            ("Target", "Metric", *overview.devices), rows, range(2, 2 + len(overview.devices))
        )
    )
    return section


def _attempts(overview: FleetOverview) -> Section:
    section = Section("attempts", "Attempts: what went wrong?")
    rows = [
        [
            esc(entry.id, 300),
            str(number),
            f'<time datetime="{esc(attempt.started)}">{esc(attempt.started)}</time>',
            esc(attempt.outcome),
            esc(attempt.reason, 500),
        ]
        for entry in overview.entries
        for number, attempt in enumerate(entry.attempts, start=1)
        if attempt.reason
    ]
    section.body = (
        table(("Cell", "Attempt", "Started", "Outcome", "Reason"), rows, (1,))
        if rows
        else empty("Every attempt ended well.")
    )
    return section
