"""Where a figure comes from: the stacks, functions and lines that a person looks at first."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from collectors.records.cost import CostProfile
from collectors.records.errors import LEAK_KINDS, ErrorProfile, ErrorRecord
from collectors.records.heap import HeapProfile
from collectors.records.shared import Frame
from profiler.aggregate.heap import top_stacks
from profiler.diff.cost import CostDiff
from profiler.diff.function import FunctionDelta
from profiler.diff.heap import HeapDiff, largest
from profiler.finding import Finding
from profiler.functions import short_name
from profiler.own_code import OwnCode, alloc_frame, own_frame
from profiler.store import Session
from profiler.suppressions.choose import error_records

MOST = 10
_ALL = sys.maxsize
_KIND_OF = {name: kind for kind, name in LEAK_KINDS.items()}


@dataclass(frozen=True, slots=True)
class Where:
    """One place, in words; `file` (with its folder where that is known) and `line`."""

    text: str
    file: str | None = None
    line: int | None = None


def _at(text: str, frame: Frame | None) -> Where:
    if frame is None:
        return Where(text)
    named = frame if frame.fn is None else replace(frame, fn=short_name(frame.fn))
    return Where(f"{text} at {named.place}", frame.path, frame.line)


def of_record(record: ErrorRecord) -> Where:
    """The program's own innermost frame of an error's stack."""
    what = f"{record.kind}: {record.what.partition(chr(10))[0]}"
    return _at(what, own_frame(record.frames))


def of_finding(finding: Finding, session: Session, own: OwnCode | None = None) -> Where:
    """Where a finding is: the line that it names, or its error's own innermost frame."""
    text = f"{finding.rule}: {finding.title}; {finding.evidence}"
    file, line = finding.place.get("file"), finding.place.get("line")
    record = finding.place.get("record")
    if file is None and record is not None:
        frames = error_records(session)[int(record)].frames
        frame = own_frame(frames) if own is None else own.frame(frames)
        return Where(text) if frame is None else Where(text, frame.path, frame.line)
    return Where(text, file, None if line is None else int(line))


def of_metric(
    session: Session, name: str, tool: str, own: OwnCode | None = None
) -> list[Where]:
    """What makes up a metric of a session, the largest first."""
    profiles = session.profiles(tool) if tool in session.tools else ()
    errors = [p for p in profiles if isinstance(p, ErrorProfile)]
    if errors:
        return _of_errors([r for p in errors for r in p.records], name)
    heap = largest([p for p in profiles if isinstance(p, HeapProfile)])
    if heap is not None:
        return _of_heap(heap, own)
    costs = [p for p in profiles if isinstance(p, CostProfile)]
    return _of_costs(costs, name)


def _of_heap(profile: HeapProfile, own: OwnCode | None) -> list[Where]:
    """The own places that hold the most at the peak, whatever they call to allocate it."""
    top = top_stacks(profile, _ALL)
    held: dict[str, int] = {}
    frames: dict[str, Frame | None] = {}
    for stack in top.stacks if top else ():
        frame = alloc_frame(stack.frames, own)
        place = frame.place if frame else ""
        held[place] = held.get(place, 0) + stack.bytes
        frames.setdefault(place, frame)
    largest_first = sorted(held, key=lambda place: -held[place])
    return [_at(f"{held[place]:,} bytes", frames[place]) for place in largest_first[:3]]


def _of_errors(records: Iterable[ErrorRecord], name: str) -> list[Where]:
    kind = _KIND_OF.get(name, name)
    chosen = [r for r in records if kind in {"errors", "occurrences", r.kind}]
    chosen.sort(key=lambda record: -(record.leaked_bytes or 0))
    return [of_record(record) for record in chosen[:MOST]]


def _of_costs(profiles: Sequence[CostProfile], event: str) -> list[Where]:
    from profiler.aggregate.cost import by_function

    sums = by_function(profiles) if profiles else None
    if sums is None or event not in sums.events:
        return []
    column = sums.counts[list(sums.events).index(event)]
    order = sorted(range(len(column)), key=lambda i: -column[i])[:3]
    return [
        Where(
            f"{short_name(sums.keys[i].fn)}: {int(column[i]):,} {event}",
            _file(sums.keys[i].file),
        )
        for i in order
    ]


def _file(name: str) -> str | None:
    return None if name == "???" else name


def of_cost_change(diff: CostDiff, event: str) -> list[Where]:
    """The functions whose event rose most."""
    place = diff.events.index(event)
    rising = [f for f in diff.functions if own_change(f, place) > 0]
    rising.sort(key=lambda function: -own_change(function, place))
    return [of_function(function, place, event) for function in rising[:3]]


def own_change(function: FunctionDelta, event: int) -> int:
    """How much more a function costs, without what only moved between functions."""
    moved = sum(m.counts[event] * (-1 if m.outward else 1) for m in function.moved)
    return function.change(event) - moved


def of_function(function: FunctionDelta, place: int, event: str) -> Where:
    before = 0 if function.before is None else function.before[place]
    after = 0 if function.after is None else function.after[place]
    lines = [line for line in function.lines if line.delta > 0 and line.line is not None]
    worst = max(lines, key=lambda line: line.delta, default=None)
    return Where(
        f"{short_name(function.function)}: {event} {before:,} → {after:,}",
        _file(function.file) if worst is None else worst.file,
        None if worst is None else worst.line,
    )


def of_heap_change(diff: HeapDiff, own: OwnCode | None = None) -> list[Where]:
    """The stacks that hold more than they did."""
    return [
        _at(
            f"{stack.before or 0:,} → {stack.after or 0:,} bytes",
            alloc_frame(stack.frames, own),
        )
        for stack in diff.stacks[:MOST]
        if stack.delta > 0
    ][:3]
