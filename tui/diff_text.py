"""A comparison as text: what `droidgrind diff` prints."""

from collections.abc import Iterator, Sequence

from collectors.records.shared import Frame
from profiler.diff.compared import Compared
from profiler.diff.cost import NOISE, CostDiff
from profiler.diff.errors import Change, ErrorChange
from profiler.diff.function import FunctionDelta
from profiler.diff.heap import HeapDiff
from profiler.diff.runs import FEWEST_RUNS, RunsDelta, Verdict
from profiler.diff.sessions import NEITHER, SessionDiff
from profiler.figures import NOT_MEASURED, change_text, count, plural, signed, signed_size, size
from profiler.functions import short_name
from profiler.own_code import alloc_frame, own_frame
from tui.text import printable, table_lines

_MOST_ERRORS = 12
_MOST_FUNCTIONS = 12
_MOST_STACKS = 8
_MOST_LINES = 2
_MOST_THREADS = 6
_SIGNS = {Change.NEW: "✖ new", Change.FIXED: "✔ fixed", Change.UNCHANGED: "● in both"}


def diff_lines(diff: SessionDiff, within: int | None = None) -> Iterator[str]:
    """The lines of the text; names are cut where their line would pass `within` cells."""
    yield from _head(diff)
    if diff.errors is not None:
        yield from _errors(diff.errors, diff.error_tools)
    if diff.cost is not None:
        yield from _cost(diff.cost, diff.cost_tool, within)
    if diff.heap is not None:
        yield from _heap(diff.heap)
    if diff.scheduling is not None:
        yield from _scheduling(diff.scheduling, within)
    for part, reason in diff.refused.items():
        yield from _heading(f"{_TITLES[part]}: not compared")
        yield printable(f"  {reason}")
    for part, reason in diff.missing.items():
        if reason == NEITHER:
            continue
        yield from _heading(f"{_TITLES[part]}: nothing to compare")
        yield printable(f"  {reason}")


_TITLES = {
    "errors": "Memory errors",
    "cost": "Cost",
    "heap": "Heap",
    "scheduling": "Scheduling",
}


def _head(diff: SessionDiff) -> Iterator[str]:
    for term, side in (("baseline", diff.baseline), ("session ", diff.session)):
        yield printable(f"{term}  {_named(side)}")
    for warning in diff.warnings:
        yield printable(f"▲ {warning}")


def _named(side: Compared) -> str:
    manifest = side.manifest
    labels = " ".join(f"{name}={value}" for name, value in manifest.labels.items())
    return "  ".join(
        part for part in (manifest.id, manifest.target_label, manifest.created, labels) if part
    )


def _heading(title: str) -> Iterator[str]:
    yield ""
    yield title


def _errors(changes: Sequence[ErrorChange], tools: Sequence[str]) -> Iterator[str]:
    number = {change: sum(c.change is change for c in changes) for change in Change}
    yield from _heading(
        f"Memory errors: {number[Change.NEW]} new, {number[Change.FIXED]} fixed, "
        f"{number[Change.UNCHANGED]} in both  "
        f"[{', '.join(tools)}; the same by kind and functions]"
    )
    shown = [c for c in changes if c.change is not Change.UNCHANGED or c.bytes_delta]
    for change in shown[:_MOST_ERRORS]:
        record = change.record
        grown = f"  ({signed_size(change.bytes_delta)})" if change.bytes_delta else ""
        yield printable(f"  {_SIGNS[change.change]}  {record.kind}: {record.what}{grown}")
        frame = own_frame(record.frames)
        if frame is not None:
            yield printable(f"      at {_place(frame)}  [{change.fingerprint}]")
    yield from _more(len(shown), "error", _MOST_ERRORS)


def _more(number: int, word: str, shown: int) -> Iterator[str]:
    if number > shown:
        yield f"  … and {plural(number - shown, f'more {word}')}: --json has them"


def _place(frame: Frame) -> str:
    where = (frame.file or frame.obj or "").rpartition("/")[2]
    line = f":{frame.line}" if frame.file and frame.line else ""
    name = short_name(frame.fn or "???")
    return f"{name} ({where}{line})" if where else name


def _cost(diff: CostDiff, tool: str, within: int | None) -> Iterator[str]:
    before, after = diff.cycles
    yield from _heading(
        f"Cost: estimated cycles {change_text(before, after)}, "
        f"{plural(diff.changed, 'function')} changed, {count(diff.unchanged)} did not  "
        f"[{tool}, self cost]"
    )
    rows = [
        [event, count(old), count(new), signed(new - old), change_text(old, new)]
        for event, old, new in zip(diff.events, diff.before, diff.after, strict=True)
        if old or new
    ]
    for line in table_lines(
        ("event", "baseline", "session", "change", ""), rows, right=(1, 2, 3, 4)
    ):
        yield f"  {line}"
    yield (
        f"  Instruction counts of identical runs differ by up to about {100 * NOISE:g} %: "
        "a smaller change says nothing."
    )
    if diff.functions:
        yield from _functions(diff, within)


def _functions(diff: CostDiff, within: int | None) -> Iterator[str]:
    least = NOISE / 10 * max(diff.cycles)
    shown = [f for f in diff.functions[:_MOST_FUNCTIONS] if abs(f.delta) >= least]
    if not shown:
        yield f"  No function changed by more than {100 * NOISE / 10:g} % of all."
        return
    yield "  Functions that changed the most, by estimated cycles:"
    rows = [
        [
            signed(function.delta),
            change_text(*function.cycles),
            signed(function.change(diff.events.index("Ir"))) if "Ir" in diff.events else "",
            f"{short_name(function.function)} ({_file(function)})",
        ]
        for function in shown
    ]
    lines = table_lines(
        ("cycles", "", "Ir", "function (file)"),
        rows,
        right=(0, 1, 2),
        shrink=[3],
        within=within and within - 2,
    )
    yield f"  {lines[0]}"
    for line, function in zip(lines[1:], shown, strict=True):
        yield f"  {line}"
        for moved in function.moved:
            way = "now in" if moved.outward else "from"
            cycles = signed(-moved.cycles if moved.outward else moved.cycles)
            yield printable(
                f"      {cycles} is inlining: {way} {short_name(moved.function)}; "
                f"{signed(function.own_delta)} without it"
            )
        for changed in () if function.moved else function.lines[:_MOST_LINES]:
            if 2 * abs(changed.delta) >= abs(function.delta) and changed.file:
                number = changed.line or changed.was_line
                where = f"{changed.file.rpartition('/')[2]}:{number}"
                yield printable(f"      {where}: {signed(changed.delta)}")
    yield from _more(diff.changed, "function", len(shown))


def _file(function: FunctionDelta) -> str:
    name = function.file.rpartition("/")[2]
    was = (function.was_file or "").rpartition("/")[2]
    return f"{name}, was in {was}" if was and was != name else name


def _heap(diff: HeapDiff) -> Iterator[str]:
    old, new = diff.before, diff.after
    yield from _heading(
        f"Heap: peak {change_text(old.peak.total_bytes, new.peak.total_bytes)}, "
        f"{size(old.peak.total_bytes)} → {size(new.peak.total_bytes)}  [massif]"
    )
    yield f"  held at the last snapshot {size(old.held)} → {size(new.held)}"
    growth = f"{signed_size(old.growth)} → {signed_size(new.growth)}"
    yield f"  growth from the first to the last third {growth}"
    for stack in diff.stacks[:_MOST_STACKS]:
        frames = [f for f in stack.frames if f.fn]
        own = alloc_frame(stack.frames)
        place = _place(own) if own is not None else "???"
        via = " < ".join(short_name(f.fn or "") for f in frames[:3])
        sides = " → ".join(
            "below the threshold" if value is None else size(value)
            for value in (stack.before, stack.after)
        )
        yield printable(f"  {signed_size(stack.delta):>12}  {place}  ({sides})")
        yield printable(f"                {via}")
    yield from _more(len(diff.stacks), "stack", _MOST_STACKS)


def _scheduling(deltas: Sequence[RunsDelta], within: int | None) -> Iterator[str]:
    runs = [
        max(len(side) for side in sides)
        for sides in zip(*((d.before, d.after) for d in deltas), strict=True)
    ]
    yield from _heading(
        f"Scheduling: {plural(runs[0], 'native run')} of the baseline, {runs[1]} of the session"
    )
    if min(runs) < FEWEST_RUNS:
        yield (
            f"  Times vary from run to run: `record --repeat {FEWEST_RUNS}` or more on "
            "both sides tells a difference from chance."
        )
    threads = [d for d in deltas if d.name.startswith("waiting: ")]
    shown = [d for d in deltas if d not in threads] + threads[:_MOST_THREADS]
    shown += [d for d in threads[_MOST_THREADS:] if d.verdict in {Verdict.MORE, Verdict.LESS}]
    rows = [
        [
            delta.name,
            _figure(delta.medians[0], delta.unit),
            _figure(delta.medians[1], delta.unit),
            NOT_MEASURED
            if delta.interval is None
            else f"{delta.interval[0]:+.3g} … {delta.interval[1]:+.3g}".replace("-", "−"),
            delta.verdict.value,
        ]
        for delta in shown
    ]
    for line in table_lines(
        ("median of the runs", "baseline", "session", "change, 95 % interval", ""),
        rows,
        right=(1, 2, 3),
        shrink=[0],
        within=within and within - 2,
    ):
        yield f"  {line}"


def _figure(value: float, unit: str) -> str:
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{text} {unit}".rstrip()
