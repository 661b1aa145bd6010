"""A comparison's costs: events, functions, the lines that changed, what inlining moved."""

from array import array
from collections.abc import Sequence
from typing import Any

from collectors.records.cost import UNKNOWN
from profiler.charts.comparison import function_changes_figure
from profiler.charts.style import VISIBLE
from profiler.diff.cost import NOISE, CostDiff
from profiler.diff.function import FunctionDelta
from profiler.diff.sessions import SessionDiff
from profiler.figures import change_text, plural, signed
from profiler.functions import estimate_formula, listed_names, short_name
from profiler.report.comparison_sections import nothing_to_compare
from profiler.report.headline import Headline
from profiler.report.markup import empty, esc, figure, number, table
from profiler.report.sections import Section
from profiler.visible import visible

TOP = 15
# A change below this share of all cycles is not worth a line on the first screen.
WORTH_SAYING = 0.01


def cost_comparison(diff: SessionDiff) -> Section:
    section = Section("cache", "Cost: which functions cost more, which less?")
    cost = diff.cost
    if cost is None:
        section.body = nothing_to_compare(diff, "cost", "instruction counts", "cachegrind")
        return section
    document: dict[str, Any] = {"figures": {}, **_columns(cost)}
    moved = sorted(cost.functions, key=lambda f: -abs(f.own_delta))[:TOP]
    least = VISIBLE * abs(moved[0].own_delta) if moved else 0
    moved = [function for function in moved if abs(function.own_delta) > least]
    if moved:
        bars = [(f.function, f.file, float(f.own_delta)) for f in moved]
        document["figures"]["cost-changes"] = function_changes_figure(bars, "estimated cycles")
        section.body += figure(
            "cost-changes",
            "cost-compare",
            "Which functions changed the most?",
            f"{diff.cost_tool.capitalize()}, self cost, without what only moved by inlining. "
            f"Estimated cycles = {estimate_formula(cost.events)}.{_noise(cost, moved)}",
            80 + 24 * len(moved),
        )
    section.body += (
        "<h3>How much of each event?</h3>"
        + table(
            ("Event", "Baseline", "This session", "Change"),
            _totals(cost),
            (1, 2, 3),
            narrow=True,
        )
        + f'<p class="muted">Instruction counts of identical runs differ by up to about '
        f"{100 * NOISE:g} %: a smaller change says nothing.</p>"
    )
    shown = len(cost.functions)
    kept = f" The {shown:,} largest of {cost.changed:,}." if shown < cost.changed else ""
    if not shown:
        section.body += empty(
            f"No function costs more or less: {plural(cost.unchanged, 'is', 'are')} the same."
        )
        section.parts.append(("cost-compare", document))
        return section
    section.body += (
        f'<h3>Functions that changed</h3><p class="muted">Matched over renamed paths and '
        f"compilers' copies; {number(cost.unchanged)} did not change, {number(cost.new)} are "
        f"new, {number(cost.gone)} are gone.{kept}</p>"
        '<div class="bar"><input type="search" id="change-filter" '
        'placeholder="Filter functions" aria-label="Filter functions"></div>'
        '<div class="scroll" id="function-changes" '
        'tabindex="0" role="region" aria-label="Functions by change"></div>'
    )
    section.parts.append(("cost-compare", document))
    section.headlines = _headlines(cost, moved)
    return section


def _noise(cost: CostDiff, moved: Sequence[FunctionDelta]) -> str:
    """What keeps a figure of little changes from looking like one of large ones."""
    if abs(moved[0].own_delta) > NOISE * max(cost.cycles):
        return ""
    return f" None is above {100 * NOISE:g} % of all cycles: runs of one build differ as much."


def _headlines(cost: CostDiff, moved: Sequence[FunctionDelta]) -> list[Headline]:
    before, after = cost.cycles
    if not moved or not before:
        return []
    found: list[Headline] = []
    if abs(after - before) > WORTH_SAYING * before:
        worst = moved[0]
        found.append(
            Headline(
                "warning" if after > before else "ok",
                f"Estimated cycles {change_text(before, after)}",
                f"The largest change is {short_name(worst.function)}: "
                f"{signed(worst.own_delta)}.",
                "See which functions changed the most.",
                "cache",
            )
        )
    found += [
        _function_headline(function)
        for function in moved[:3]
        if abs(function.own_delta) > WORTH_SAYING * before
    ]
    return found


def _function_headline(function: FunctionDelta) -> Headline:
    name = short_name(function.function)
    before, after = function.cycles
    change = f"{signed(function.own_delta)} estimated cycles"
    if function.before is None:
        title, change = f"{name} is new", f"{after:,} estimated cycles"
    elif function.after is None:
        title = f"{name} is gone"
    else:
        title = f"{name} costs {change_text(before, before + function.own_delta)}"
    line = next(
        (n for n in function.lines if 2 * abs(n.delta) >= abs(function.own_delta)), None
    )
    where = ""
    if line is not None and line.line:
        where = f", most of it in {line.file.rpartition('/')[2]}:{line.line}"
    return Headline(
        "warning" if function.own_delta > 0 else "ok",
        title,
        f"{change}{where}.",
        "",
        f"cache/function={name.rpartition('::')[2]}",
    )


def _totals(cost: CostDiff) -> list[list[str]]:
    rows = [
        [esc(event), number(was), number(now), change_text(was, now)]
        for event, was, now in zip(cost.events, cost.before, cost.after, strict=True)
        if was or now
    ]
    was, now = cost.cycles
    return [["estimated cycles", number(was), number(now), change_text(was, now)], *rows]


def _columns(cost: CostDiff) -> dict[str, Any]:
    """The table's columns; `pairs` of before and after."""
    functions = cost.functions
    wanted = {"instructions": ("Ir",), "misses": ("D1mr", "D1mw")}
    columns: dict[str, Any] = {
        "functions": [visible(f.function, 2000) for f in functions],
        "names": [
            visible(name, 500)
            for name in listed_names(
                [f.function for f in functions], [f.file for f in functions]
            )
        ],
        "files": [visible(f.file, 500) for f in functions],
        "cycles": [array("d", (f.cycles[side] for f in functions)) for side in (0, 1)],
        "own": array("d", (f.own_delta for f in functions)),
        "notes": [_note(f) for f in functions],
    }
    for name, events in wanted.items():
        if set(events) <= set(cost.events):
            places = [cost.events.index(event) for event in events]
            columns[name] = [
                array("d", (_sum(f.before, places) for f in functions)),
                array("d", (_sum(f.after, places) for f in functions)),
            ]
    return columns


def _sum(counts: tuple[int, ...] | None, places: Sequence[int]) -> int:
    return 0 if counts is None else sum(counts[place] for place in places)


def _note(function: FunctionDelta) -> str:
    """What a person should know of a function's change, in one line."""
    parts: list[str] = []
    if function.before is None:
        parts.append("new")
    elif function.after is None:
        parts.append("gone")
    if function.was_file is not None:
        parts.append(f"was in {function.was_file}")
    for moved in function.moved:
        way = "inlined into" if moved.outward else "inlined from"
        cycles = signed(-moved.cycles if moved.outward else moved.cycles)
        parts.append(f"{way} {short_name(moved.function)} ({cycles})")
    for line in function.lines[:2]:
        known = line.file and line.file != UNKNOWN
        if not function.moved and known and 2 * abs(line.delta) >= abs(function.delta):
            name = f"{line.file.rpartition('/')[2]}:{line.line or line.was_line}"
            parts.append(f"{name} {signed(line.delta)}")
    return visible("; ".join(parts), 600)
