"""The heap section: each process over time, its allocation trees, and what DHAT measured."""

from collections.abc import Mapping, Sequence
from typing import Any

from collectors.records.heap import AllocPoint, AllocSites, HeapProfile, TreeKind
from collectors.records.shared import Frame, Shape
from profiler.aggregate.heap import SiteWords, site_words, sites_by_size, top_sites
from profiler.charts.heap import TIME_TITLES
from profiler.figures import size
from profiler.functions import name_in_stack, short_name
from profiler.own_code import is_library
from profiler.report.content import ReportInput
from profiler.report.headline import headlines
from profiler.report.markup import empty, esc, facts, figure, number, table
from profiler.report.parts_heap import TreeBudget, heap_parts
from profiler.report.sections import Section, damage_lines, missing, tool_title
from profiler.rules.heap import heap_findings

MOST_HEAPS = 8
MOST_SITES = 20


def heap_section(content: ReportInput) -> Section:
    section = Section("heap", "Heap: who holds the memory?")
    heaps = content.heaps()
    if not heaps:
        section.body = missing(content, "massif", "heap data")
        return section
    budget = TreeBudget()
    body = [damage_lines(content, tool) for tool in content.tools(Shape.HEAP)]
    if len(heaps) > MOST_HEAPS:
        body.append(
            f'<p class="muted">The {MOST_HEAPS} largest of {len(heaps):,} processes.</p>'
        )
        heaps = tuple(sorted(heaps, key=lambda h: -_peak_bytes(h[1]))[:MOST_HEAPS])
    for place, (tool, profile) in enumerate(heaps):
        parts = list(heap_parts(profile, place, budget))
        section.parts.extend(parts)
        title = tool_title(tool)
        if len(heaps) > 1:
            body.append(f"<h3>{title}, {esc(_process_name(profile, place), 200)}</h3>")
        body.append(_heap_process(title, profile, place, parts[-1][1]))
        if profile.sites is not None:
            body.append(_sites_table(title, profile.sites, site_words(profile.measures)))
    section.headlines = headlines(
        heap_findings(
            [profile for _, profile in heaps], (), content.context, held=content.held()
        )
    )
    section.body = "".join(body)
    return section


def _peak_bytes(profile: HeapProfile) -> int:
    return profile.peak.total_bytes if profile.peak else 0


def _heap_process(
    title: str, profile: HeapProfile, place: int, overview: Mapping[str, Any]
) -> str:
    peak, marked = profile.peak, profile.marked_peak
    if peak is None:
        return "" if profile.sites is not None else empty(f"{title} took no snapshot.")
    what = "mapped pages (address space, not heap)" if profile.pages else "heap"
    if profile.is_one_moment:
        lines = [("In use at that moment", size(peak.heap_bytes))]
    else:
        lines = [
            (
                "Peak",
                f"{size(peak.total_bytes)} in snapshot {peak.index} of "
                f"{number(len(profile.snapshots))}",
            ),
            ("Of it useful", size(peak.heap_bytes)),
            ("Allocator's extra", size(peak.extra_bytes)),
        ]
    if any(s.stacks_bytes for s in profile.snapshots):
        lines.append(("Stacks", size(peak.stacks_bytes)))
    if marked is not None and marked.index != peak.index:
        lines.append(("Marked as peak", f"snapshot {marked.index}, {size(marked.total_bytes)}"))
    detailed = sum(s.tree is not TreeKind.EMPTY for s in profile.snapshots)
    kept = (
        f"{len(overview['trees'])} of {detailed} allocation trees are in this page. "
        "Click a snapshot to see its tree."
        if detailed
        else ""
    )
    if len(overview["snapshots"]) < len(profile.snapshots):
        kept += (
            f" {len(overview['snapshots']):,} of {len(profile.snapshots):,} snapshots are "
            "drawn: the largest of each span."
        )
    unit = TIME_TITLES.get(profile.time_unit, profile.time_unit)
    caption = f"{title}, {what} by {esc(unit)}: not by time on the device. {kept}"
    if profile.is_one_moment:
        caption = "The heap at one moment, when the file was written: no peak is known."
    elif profile.sites is not None:
        caption = (
            f"{title} tells of its peak and its end alone: the line between them was not "
            "measured. Click one to see its tree."
        )
    name = f"heap-{place}"
    return (
        facts(lines)
        + figure(f"{name}-timeline", name, "How does memory grow?", caption, 300)
        + f'<div data-heap="{place}"></div>'
    )


def _sites_table(title: str, sites: AllocSites, words: SiteWords) -> str:
    """Who allocates the most, over the whole run, and what becomes of it."""
    rows = top_sites(sites, MOST_SITES)
    if not rows:
        return ""
    stacks = [sites.stack(i) for i in sites_by_size(sites, MOST_SITES)]
    columns = [
        (name, heading, text)
        for name, heading, text in (
            ("total_bytes", words.amount.capitalize(), size if words.in_bytes else number),
            ("total_blocks", words.number.capitalize(), number),
            ("mean_lifetime", "Mean lifetime, instr.", number),
            ("read_bytes", "Read", size),
            ("written_bytes", "Written", size),
        )
        if name in rows[0]
    ]
    cells = [
        [f'<span class="code">{esc(_stack(stack), 400)}</span>']
        + ["–" if row.get(name) is None else text(row[name]) for name, _, text in columns]
        for row, stack in zip(rows, stacks, strict=True)
    ]
    advice = (
        ", all blocks of the run: what lives shortly could be kept for the next time, what is "
        "hardly read or written need not be so large"
        if "mean_lifetime" in rows[0]
        else ""
    )
    return (
        f"<h3>{words.question}</h3>"
        f'<p class="muted">{title}{advice}. '
        f"The {len(rows)} largest of {number(len(sites))} places.</p>"
        + table(
            (words.by.capitalize(), *(heading for _, heading, _ in columns)),
            cells,
            range(1, len(columns) + 1),
        )
    )


def _stack(frames: Sequence[Frame]) -> str:
    """A stack's first frames behind the allocator and libraries."""
    mine = [i for i, frame in enumerate(frames) if not is_library(AllocPoint("", frame))]
    shown = mine or range(len(frames))
    return " ← ".join(
        f"{short_name(name_in_stack(frames, i) or '???')} {_place(frames[i])}"
        for i in shown[:3]
    )


def _place(frame: Frame) -> str:
    if frame.file is None:
        return "" if frame.obj is None else f"in {frame.obj.rpartition('/')[2]}"
    return frame.file if frame.line is None else f"{frame.file}:{frame.line}"


def _process_name(profile: HeapProfile, place: int) -> str:
    process = profile.process
    pid = f"process {process.pid}" if process.pid is not None else f"process {place + 1}"
    return f"{pid}: {process.command}" if process.command else pid
