"""A page that compares a session with a baseline: what is new, gone, more and less."""

from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from collectors.records.errors import ErrorProfile
from collectors.records.heap import HeapProfile
from collectors.records.samples import SampleProfile, Scope
from profiler.charts.comparison import function_changes_figure, heap_overlay_figure
from profiler.charts.heap import bytes_text
from profiler.error_kinds import kind_words
from profiler.functions import FunctionCosts, function_costs, short_name
from profiler.own_code import own_frame
from profiler.report.bundle import library
from profiler.report.changes import (
    Change,
    FunctionChange,
    error_changes,
    function_changes,
)
from profiler.report.content import ReportInput, moment, report_input
from profiler.report.headlines import Headline, place, worst_first
from profiler.report.markup import empty, esc, facts, figure, number, seconds_text, table
from profiler.report.page import (
    assemble,
    check_output,
    findings_section,
    pack_section,
    publish,
    shared_library,
)
from profiler.report.parts_errors import error_parts
from profiler.report.parts_heap import AllocationPoints, kept_nodes
from profiler.report.sections import Section, error_filter
from profiler.report.threads import thread_totals
from profiler.sources import Sources
from profiler.store import Session
from profiler.visible import visible

MOST_ROWS = 3000
TOP = 15
# A change below this share of all cycles is noise of the run, not worth a warning.
WORTH_SAYING = 0.02


def write_comparison(
    baseline: Session,
    session: Session,
    output: Path,
    *,
    force: bool = False,
    source: bool = True,
    assets: Path | None = None,
) -> Path:
    """Write the page that compares `session` with `baseline`; see `write_report`."""
    check_output(output, force=force)
    address = None if assets is None else shared_library(assets, output)
    page = render_comparison(
        report_input(baseline), report_input(session), source=source, assets=address
    )
    return publish(page, output)


def render_comparison(
    baseline: ReportInput,
    content: ReportInput,
    *,
    source: bool = True,
    assets: str | None = None,
) -> str:
    """The page as text."""
    sources = Sources(allowed=source, recorded=moment(content.manifest.created))
    builders = (_heap, _cost, _threads)
    sections = [pack_section(_errors(baseline.errors(), content.errors(), sources))]
    sections += [pack_section(build(baseline, content)) for build in builders]
    found = worst_first(headline for section in sections for headline in section.headlines)
    title = f"{_name(content)} against {_name(baseline)}"
    tally = f"{esc(content.manifest.id)} against {esc(baseline.manifest.id)}"
    return assemble(
        f"{title} · droidgrind",
        _header(baseline, content),
        findings_section(found, tally),
        sections,
        assets,
        library(),
    )


def _name(content: ReportInput) -> str:
    argv = content.manifest.target.argv
    return visible(argv[0].rpartition("/")[2] if argv else content.manifest.id, 60)


def _header(baseline: ReportInput, content: ReportInput) -> str:
    lines: list[tuple[str, str]] = []
    for term, side in (("This session", content), ("Baseline", baseline)):
        manifest = side.manifest
        command = " ".join(manifest.target.argv) or manifest.id
        lines.append(
            (
                term,
                f"{esc(command, 200)}<br>"
                f'<time datetime="{esc(manifest.created)}">{esc(manifest.created)}</time> · '
                f"{esc(manifest.device.model or manifest.device.serial)} · {esc(manifest.id)}",
            )
        )
        if manifest.native is not None:
            lines.append(("Native run", seconds_text(manifest.native.wall_seconds)))
    return (
        '<div class="title"><h1>What changed?</h1><div class="buttons">'
        '<button type="button" id="theme">☾ Dark</button>'
        '<button type="button" id="print">Print</button></div></div>' + facts(lines)
    )


def _one_sided(what: str, tool: str) -> str:
    return empty(f"No {what} to compare: record both sessions with <code>-t {tool}</code>.")


_CHANGES = {
    Change.NEW: ("New errors", "error", "✖"),
    Change.FIXED: ("Fixed: only the baseline has them", "ok", "✔"),
    Change.UNCHANGED: ("In both", "info", "●"),
}


def _errors(
    before: Sequence[ErrorProfile], after: Sequence[ErrorProfile], sources: Sources
) -> Section:
    section = Section("errors", "Memory errors: what is new, what is fixed?")
    if not before or not after:
        section.body = _one_sided("memory errors", "memcheck")
        return section
    changes = error_changes(before, after)
    counts = {change: sum(c is change for c, _ in changes) for change in Change}
    if not changes:
        section.body = (
            '<p class="finding ok"><span class="sign ok">✔</span> Neither has any.</p>'
        )
        return section
    merged = ErrorProfile([record for _, record in changes])
    ((name, document),) = error_parts([merged], sources)
    for row, (change, _) in zip(document["records"], changes, strict=False):
        row["what"] = f"{row['kind']}: {row['what']}"
        row["kind"] = change.value
    section.parts.append((name, document))
    chips = "".join(
        f'<button type="button" aria-pressed="false" data-kind="{change.value}" '
        f'data-severity="{severity}" data-sign="{sign}" data-title="{title}">'
        f'<span class="sign {severity}">{sign}</span> {title} <b>{number(counts[change])}</b>'
        "</button>"
        for change, (title, severity, sign) in _CHANGES.items()
        if counts[change]
    )
    section.body = (
        '<p class="muted">Memcheck. An error is the same in both when its kind and the '
        "functions on its stack are.</p>" + error_filter(chips)
    )
    for index, (change, record) in enumerate(changes):
        if change is Change.NEW and record.kind != "Leak_StillReachable":
            own = own_frame(record.frames)
            section.headlines.append(
                Headline(
                    kind_words(record.kind).severity,
                    f"New: {kind_words(record.kind).title.lower()}: {place(own)}",
                    f"{record.what}.",
                    "The baseline does not have it.",
                    f"errors/record={index}",
                )
            )
    del section.headlines[TOP // 3 :]
    if counts[Change.FIXED]:
        section.headlines.append(
            Headline(
                "ok",
                f"{counts[Change.FIXED]} memory errors of the baseline are gone",
                f"{counts[Change.UNCHANGED]} are in both, {counts[Change.NEW]} are new.",
                "",
                "errors/kind=fixed",
            )
        )
    return section


def _percent(before: float, after: float) -> str:
    if not before:
        return "new" if after else "–"
    change = 100 * (after - before) / before
    return f"{'+' if change > 0 else '−' if change < 0 else '±'}{abs(change):.1f} %"


def _heap(baseline: ReportInput, content: ReportInput) -> Section:
    section = Section("heap", "Heap: what grew?")
    before, after = baseline.heaps(), content.heaps()
    if not before or not after or not (before[0].peak and after[0].peak):
        section.body = _one_sided("heap data", "massif")
        return section
    one, other = before[0], after[0]
    was, now = one.peak, other.peak
    assert was is not None  # noqa: S101  # both were asked for above
    assert now is not None  # noqa: S101
    document: dict[str, Any] = {"figures": {"heap-overlay": heap_overlay_figure(one, other)}}
    section.body = facts(
        [
            ("Peak", bytes_text(now.total_bytes)),
            ("Baseline", bytes_text(was.total_bytes)),
            ("Change", _percent(was.total_bytes, now.total_bytes)),
        ]
    ) + figure(
        "heap-overlay",
        "heap-compare",
        "How did memory grow in each?",
        "Massif: useful heap, extra and stacks together. The first process of each session.",
        280,
    )
    points = AllocationPoints()
    for name, profile in (("baseline", one), ("now", other)):
        tree = _largest_tree(profile)
        if tree is not None:
            document[name] = _tree(*tree, points)
    if "baseline" in document and "now" in document:
        section.body += (
            "<h3>Which allocations make the difference?</h3>"
            '<p class="muted">The largest allocation trees of both laid over each other: '
            "orange grew, green shrank, gray is the same.</p>"
            '<div id="heap-compare" class="flame"></div>'
            '<div class="scroll" id="heap-compare-table" tabindex="0" role="region" '
            'aria-label="Functions by change of memory"></div>'
        )
        document |= points.columns()
    section.parts.append(("heap-compare", document))
    change = now.total_bytes - was.total_bytes
    if abs(change) > WORTH_SAYING * max(was.total_bytes, 1):
        section.headlines.append(
            Headline(
                "warning" if change > 0 else "ok",
                f"Peak heap {_percent(was.total_bytes, now.total_bytes)}",
                f"{bytes_text(now.total_bytes)} against {bytes_text(was.total_bytes)}.",
                "See which allocations make the difference.",
                "heap",
            )
        )
    return section


def _largest_tree(profile: HeapProfile) -> tuple[HeapProfile, int] | None:
    detailed = [s for s in profile.snapshots if s.tree != "empty"]
    largest = max(detailed, key=lambda s: s.total_bytes, default=None)
    return None if largest is None else (profile, largest.index)


def _tree(profile: HeapProfile, index: int, points: AllocationPoints) -> dict[str, Any]:
    tree = profile.load_tree(index)
    if tree is None:
        return {"snapshot": index, "depth": [], "bytes": [], "point": []}
    kept = kept_nodes(tree, 20_000)
    return {
        "snapshot": index,
        "depth": array("H", (tree.depth[i] for i in kept)),
        "bytes": array("d", (tree.bytes[i] for i in kept)),
        "point": array("i", (points.number(tree.points, tree.point[i]) for i in kept)),
    }


def _cost(baseline: ReportInput, content: ReportInput) -> Section:
    section = Section("cache", "Cache: which functions cost more, which less?")
    (_, before), (_, after) = baseline.costs(), content.costs()
    if not before or not after:
        section.body = _one_sided("instruction counts", "cachegrind")
        return section
    one, other = function_costs(before), function_costs(after)
    changes = function_changes(one, other)
    moved = [c for c in changes if c.delta][:TOP]
    rows = _cost_totals(one, other)
    section.body = table(("Event", "Baseline", "This session", "Change"), rows, (1, 2, 3))
    document: dict[str, Any] = {"figures": {}, **_change_columns(changes[:MOST_ROWS])}
    if moved:
        bars = [(c.function, c.file, c.delta) for c in moved]
        document["figures"]["cost-changes"] = function_changes_figure(bars, "estimated cycles")
        section.body += figure(
            "cost-changes",
            "cost-compare",
            "Which functions changed the most?",
            "Cachegrind, self cost; estimated cycles = Ir + 10 × first-level misses + 100 × "
            "last-level misses (+ 10 × mispredictions).",
            80 + 24 * len(moved),
        )
    kept = (
        f" The {MOST_ROWS:,} largest of {len(changes):,}." if len(changes) > MOST_ROWS else ""
    )
    section.body += (
        f'<h3>All functions</h3><p class="muted">Matched by name and file.{kept}</p>'
        '<div class="bar"><input type="search" id="change-filter" '
        'placeholder="Filter functions" aria-label="Filter functions"></div>'
        '<div class="scroll" id="function-changes" '
        'tabindex="0" role="region" aria-label="Functions by change"></div>'
    )
    section.parts.append(("cost-compare", document))
    total = float(one.cycles.sum()) or 1.0
    change = float(other.cycles.sum()) - total
    if abs(change) > WORTH_SAYING * total and moved:
        worst = moved[0]
        section.headlines.append(
            Headline(
                "warning" if change > 0 else "ok",
                f"Estimated cycles {_percent(total, total + change)}",
                f"The largest change is {short_name(worst.function)}: {worst.delta:+,.0f}.",
                "See which functions changed the most.",
                "cache",
            )
        )
    return section


def _cost_totals(one: FunctionCosts, other: FunctionCosts) -> list[list[str]]:
    rows: list[list[str]] = []
    for event in dict.fromkeys((*one.events, *other.events)):
        if one.has(event) and other.has(event):
            was, now = float(one.event(event).sum()), float(other.event(event).sum())
            rows.append([esc(event), number(was), number(now), _percent(was, now)])
    was, now = float(one.cycles.sum()), float(other.cycles.sum())
    return [["estimated cycles", number(was), number(now), _percent(was, now)], *rows]


def _change_columns(changes: Sequence[FunctionChange]) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "functions": [visible(c.function, 2000) for c in changes],
        "files": [visible(c.file, 500) for c in changes],
        "cycles": [array("d", (c.cycles[side] for c in changes)) for side in (0, 1)],
        "instructions": [
            array("d", (c.instructions[side] for c in changes)) for side in (0, 1)
        ],
    }
    if changes and changes[0].misses is not None:
        columns["misses"] = [
            array("d", (c.misses[side] if c.misses else 0.0 for c in changes))
            for side in (0, 1)
        ]
    return columns


def _threads(baseline: ReportInput, content: ReportInput) -> Section:
    section = Section("scheduling", "Scheduling: who runs and waits more?")
    sides = [_thread_sums(list(side.samples().values())) for side in (baseline, content)]
    if not all(sides):
        section.body = _one_sided("thread scheduling", "schedstat")
        return section
    before, after = sides
    names = sorted(
        {*before, *after}, key=lambda n: (-max(sum(s.get(n, (0, 0))) for s in sides), n)
    )
    rows = [
        [
            esc(name, 80),
            *(
                seconds_text(side[name][which]) if name in side else "–"
                for which in (0, 1)
                for side in sides
            ),
        ]
        for name in names[:100]
    ]
    section.body = (
        '<p class="muted">Threads of one name together; one native run each, so that small '
        "differences say little.</p>"
        + table(
            ("Thread", "Ran, baseline", "Ran, now", "Waited, baseline", "Waited, now"),
            rows,
            (1, 2, 3, 4),
        )
    )
    return section


def _thread_sums(profiles: Sequence[SampleProfile]) -> dict[str, tuple[float, float]]:
    sums: dict[str, tuple[float, float]] = {}
    for profile in profiles:
        threads = profile.table(Scope.THREAD)
        if threads is None or not len(threads):
            continue
        totals = thread_totals(threads)
        for entity, run, wait in zip(
            threads.entities, totals["run"], totals["wait"], strict=True
        ):
            name = entity.name or f"thread {entity.number}"
            seen = sums.get(name, (0.0, 0.0))
            sums[name] = (seen[0] + run, seen[1] + wait)
    return sums
