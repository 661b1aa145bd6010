"""The sections of a page: what stands in each, as HTML, and the parts that fill it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from collectors.records.cost import CostProfile
from collectors.records.errors import ErrorProfile
from collectors.records.shared import Shape
from profiler.aggregate.error_severity import kind_severities
from profiler.cache_words import simulated_words
from profiler.error_kinds import SIGNS, kind_order, kind_words
from profiler.figures import size
from profiler.finding import RANK
from profiler.functions import (
    ESTIMATE,
    FunctionCosts,
    estimate_formula,
    function_costs,
    miss_rate,
)
from profiler.report.content import ReportInput
from profiler.report.headline import Headline, headlines
from profiler.report.markup import empty, esc, facts, figure, number, table
from profiler.report.parts_cost import MOST_FUNCTIONS, cost_parts
from profiler.report.parts_errors import MOST_RECORDS, error_parts
from profiler.rules.cache import cache_findings
from profiler.rules.errors import is_crash, judged_errors
from profiler.rules.heap import heap_findings
from profiler.rules.words import listed
from profiler.sources import Sources
from profiler.summary import simulated_caches

Part = tuple[str, Mapping[str, Any]]


@dataclass(slots=True)
class Section:
    """One section; `parts` are the data that its figures and tables load.

    `made_with` are facts for the last section, which tells how all was made.
    """

    id: str
    title: str
    body: str = ""
    parts: list[Part] = field(default_factory=list[Part])
    headlines: list[Headline] = field(default_factory=list[Headline])
    made_with: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def html(self) -> str:
        return (
            f'<section id="{self.id}" aria-labelledby="{self.id}-title">'
            f'<h2 id="{self.id}-title">{esc(self.title)}</h2>{self.body}</section>'
        )


def damage_lines(content: ReportInput, tool: str) -> str:
    """What was damaged in a tool's output."""
    return "".join(
        f'<p class="damage">▲ {esc(str(damage))}</p>' for damage in content.damage.get(tool, ())
    )


_TITLES = {"dhat": "DHAT", "drd": "DRD"}


def tool_title(tool: str) -> str:
    """A tool as prose names it; the samplers have the names of commands."""
    return _TITLES.get(tool, tool if tool in {"vmstat", "schedstat"} else tool.capitalize())


def tool_titles(tools: Sequence[str]) -> str:
    return listed([tool_title(tool) for tool in tools], most=len(tools))


def missing(content: ReportInput, tool: str, what: str) -> str:
    """Why there is nothing of a tool: not recorded, failed, or unreadable."""
    capture = next((c for c in content.captures if c.tool == tool), None)
    if capture is None:
        return empty(f"No {what}: record with <code>-t {tool}</code>.")
    note = f": {esc(capture.note)}" if capture.note else "."
    return empty(f"No {what}: {tool} ended as {esc(str(capture.state))}{note}") + damage_lines(
        content, tool
    )


def cache_section(content: ReportInput, sources: Sources) -> Section:
    section = Section("cache", "Cache: where do the instructions go, and what misses?")
    tool, profiles = content.costs()
    if not profiles:
        recorded = (*content.tools(Shape.COST), "cachegrind")
        section.body = missing(content, recorded[0], "instruction counts")
        return section
    costs = function_costs(profiles)
    section.headlines = headlines(
        (
            *cache_findings(profiles, content.context, costs),
            *heap_findings((), profiles, content.context, costs),
        )
    )
    section.parts.extend(cost_parts(profiles, costs, sources))
    cost = section.parts[-1][1]
    listed = cost["sources"]
    simulated = costs.has("D1mr")
    caption = f"{tool_title(tool)}, self cost. "
    if costs.ranked_by == ESTIMATE:
        caption += (
            f"Estimated cycles = {estimate_formula(costs.events)}: "
            "a rule of thumb to rank by, not a time."
        )
    else:
        caption += "No instructions were counted: functions are ranked by the first event."
    caches = _simulated_caches(profiles)
    miss = ""
    if caches:
        miss = f" Misses are of a simulated cache ({esc(caches)}), not of the hardware."
        section.made_with.append(("Simulated cache", esc(caches)))
    if not simulated and costs.has("Ir"):
        miss = " No cache was simulated: only instructions were counted."
    body = [damage_lines(content, tool), facts(_cost_facts(costs))]
    height = cost["figures"]["cost-top"]["layout"]["height"]
    body.append(
        figure("cost-top", "cost", "Which functions cost the most?", caption + miss, height)
    )
    module = "module, " if any(obj is not None for obj in costs.objects) else ""
    colours = (
        "; colour: share of data accesses that miss the simulated D1 cache"
        if miss_rate(costs) is not None
        else ""
    )
    if "cost-treemap" in cost["figures"]:
        body.append(
            figure(
                "cost-treemap",
                "cost",
                "Which files do they come from?",
                f"Area: {esc(costs.ranked_by)} by {module}directory, file and function"
                f"{colours}. Click to go in.",
                420,
            )
        )
    shown = min(len(costs), MOST_FUNCTIONS)
    rest = (
        ""
        if shown == len(costs)
        else f" The page holds the costliest {shown:,} of {len(costs):,}."
    )
    body.append(
        "<h3>All functions</h3>"
        f'<p class="muted">Every event that was counted; click a column to sort.{rest}</p>'
        '<div class="bar"><input type="search" id="function-filter" '
        'placeholder="Filter by function or file" aria-label="Filter functions"></div>'
        '<div class="scroll" id="functions" tabindex="0" role="region" '
        'aria-label="Functions by cost"></div><h3 id="source-title">Which lines?</h3>'
    )
    if listed:
        body.append(
            f'<p class="muted">The costliest {len(listed)} source files that could be read '
            'here, line by line.</p><div id="source"></div>'
        )
    elif not sources.allowed:
        body.append(empty("Source code was left out (<code>--no-source</code>)."))
    else:
        body.append(
            empty(
                "None of the source files can be read on this machine: build with "
                "<code>-g</code> and make the report where the source is."
            )
        )
    section.body = "".join(body)
    return section


def _cost_facts(costs: FunctionCosts) -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    titles = {"Ir": "Instructions", "Dr": "Data reads", "Dw": "Data writes"}
    for event, title in titles.items():
        if costs.has(event):
            lines.append((title, number(float(costs.event(event).sum()))))
    for title, misses, accesses in (
        ("D1 miss rate (reads and writes)", ("D1mr", "D1mw"), ("Dr", "Dw")),
        ("LL miss rate (of all accesses)", ("ILmr", "DLmr", "DLmw"), ("Ir", "Dr", "Dw")),
        ("Mispredicted branches", ("Bcm", "Bim"), ("Bc", "Bi")),
    ):
        if costs.has(*misses, *accesses):
            total = sum(float(costs.event(name).sum()) for name in accesses)
            missed = sum(float(costs.event(name).sum()) for name in misses)
            if total:
                lines.append((title, f"{100 * missed / total:.2f} %"))
    lines.append(("Functions", number(len(costs))))
    return lines


def _simulated_caches(profiles: tuple[CostProfile, ...]) -> str:
    for profile in profiles:
        lines = simulated_caches(profile)[:3]  # those of the first process: all have the same
        if lines:
            return "; ".join(simulated_words(line) for line in lines)
    return ""


def errors_section(content: ReportInput, sources: Sources) -> Section:
    section = Section("errors", "Memory errors: what is wrong?")
    profiles = content.errors()
    tools = content.tools(Shape.ERRORS)
    if not profiles:
        section.body = missing(content, (*tools, "memcheck")[0], "memory errors")
        return section
    judged = judged_errors(profiles, content.context)
    section.headlines = headlines(finding for finding, _ in judged)
    records = [record for profile in profiles for record in profile.records]
    body = [damage_lines(content, tool) for tool in tools]
    timed_out = {entry.tool for entry in content.captures if entry.timed_out}
    body += [_fatal(profile, timed_out) for profile in profiles]
    whole = content.whole_tools(tools)
    others = [tool for tool in tools if tool not in whole]
    if others:
        body.append(not_whole(others))
    if not records:
        if whole:
            body.append(
                f'<p class="finding ok"><span class="sign ok">✔</span> {tool_titles(whole)} '
                "found no error.</p>"
            )
        section.body = "".join(body)
        return section
    section.parts.extend(error_parts(profiles, sources, content.context.own))
    counts: dict[str, int] = {}
    for record in records[:MOST_RECORDS]:
        counts[record.kind] = counts.get(record.kind, 0) + 1
    severities = kind_severities(records, judged)
    order = sorted(counts, key=lambda kind: (RANK[severities[kind]], kind_order(kind)))
    chips = "".join(_chip(kind, counts[kind], severities[kind]) for kind in order)
    body.append(_leak_table(profiles))
    kept = (
        ""
        if len(records) <= MOST_RECORDS
        else f" The page holds the first {MOST_RECORDS:,} of {len(records):,} errors."
    )
    body.append(
        f'<p class="muted">{tool_titles(tools)}; each error once, with the place where it '
        f"happened.{kept} Choose kinds to see only those.</p>{error_filter(chips)}"
    )
    section.body = "".join(body)
    return section


def not_whole(tools: Sequence[str]) -> str:
    return (
        f'<p class="damage">▲ Not whole: {tool_titles(tools)}. There may be errors that are '
        "not shown here.</p>"
    )


def error_filter(chips: str) -> str:
    """The list of errors and what filters it; `chips` are the buttons of its groups."""
    return (
        f'<div class="chips" id="error-kinds" role="group" aria-label="Kinds of error">{chips}'
        '</div><div class="bar"><input type="search" id="error-filter" placeholder="Filter by '
        'text, function or file" aria-label="Filter errors"><label for="error-module">Module '
        '</label><select id="error-module"><option value="">all</option></select>'
        '<span id="error-count" class="muted" aria-live="polite"></span></div>'
        '<div id="error-list"></div>'
    )


def _chip(kind: str, count: int, severity: str) -> str:
    words = kind_words(kind)
    sign = SIGNS[severity]
    return (
        f'<button type="button" aria-pressed="false" data-kind="{esc(kind, 80)}" '
        f'data-severity="{severity}" data-sign="{sign}" data-title="{esc(words.title)}" '
        f'title="{esc(kind, 80)}"><span class="sign {severity}">{sign}</span> '
        f"{esc(words.title)} <b>{number(count)}</b></button>"
    )


def _fatal(profile: ErrorProfile, timed_out: Collection[str]) -> str:
    """The signals that ended processes: a crash is an error, one that was sent a note."""
    ends: list[str] = []
    for process in profile.processes:
        signal = process.fatal_signal
        if signal is not None:
            event = f": {esc(signal.event)}" if signal.event else ""
            where = f" at {esc(signal.frames[0].place)}" if signal.frames else ""
            if not is_crash(process):
                by = " by droidgrind's --timeout" if process.tool in timed_out else ""
                ends.append(
                    f'<p class="muted"><span class="sign info">●</span> Process {process.pid} '
                    f"was ended{by} ({esc(signal.signame)}){where}.</p>"
                )
                continue
            ends.append(
                f'<p class="damage">✖ Process {process.pid} ended by {esc(signal.signame)}'
                f"{event}{where}.</p>"
            )
    return "".join(ends)


_LEAKS = {
    "definitely_lost": "definitely lost",
    "indirectly_lost": "indirectly lost",
    "possibly_lost": "possibly lost",
    "still_reachable": "still reachable",
}


def _leak_table(profiles: tuple[ErrorProfile, ...]) -> str:
    rows: list[list[str]] = []
    for name, title in _LEAKS.items():
        totals = [profile.leak_totals()[name] for profile in profiles]
        lost, blocks = sum(t.bytes for t in totals), sum(t.blocks for t in totals)
        if blocks:
            exact = f"{number(lost)} B"
            shown = exact if lost < 1024 else f"{size(lost)} ({exact})"
            rows.append([title, shown, number(blocks)])
    if not rows:
        return ""
    return "<h3>What was not freed?</h3>" + table(
        ("Leak", "Lost, direct", "Blocks"), rows, (1, 2), narrow=True
    )
