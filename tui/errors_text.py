"""The errors of one tool as text, by their cause: what `droidgrind show` lists."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from collectors.records.errors import ErrorRecord
from profiler.figures import plural
from profiler.functions import name_in_stack
from profiler.own_code import OwnCode
from profiler.rules.context import Context
from profiler.rules.errors import groups_by_cause
from profiler.store import Session
from profiler.thresholds import Thresholds
from tui.place_text import place_text
from tui.text import printable

_MOST_GROUPS = 12
_MOST_FRAMES = 3


def error_lines(
    session: Session,
    records: Sequence[ErrorRecord],
    own: OwnCode,
    *,
    whole: bool,
    first: int = 0,
    within: int | None = None,
) -> Iterator[str]:
    """Errors of one cause together, leaks of one place; the most of them unless `whole`.

    `first` is the number of the first record, as `suppress --record` and a report's links
    count them; a group is known by the number of the record that leads it.
    """
    numbers = {id(record): number for number, record in enumerate(records, start=first)}
    groups = _groups(session, records, own)
    shown = groups if whole else groups[:_MOST_GROUPS]
    for group in shown:
        yield f"  #{numbers[id(group[0])]} {_title(group)}"
        for word, place in _telling_frames(group[0], own):
            frame = group[0].frames[place]
            named = replace(frame, fn=name_in_stack(group[0].frames, place))
            yield f"      {word} {place_text(named.place, within and within - 9)}"
    left = sum(len(group) for group in groups[len(shown) :])
    if left:
        yield f"  … and {plural(left, 'more report')} (--all shows them)"


def _groups(
    session: Session, records: Sequence[ErrorRecord], own: OwnCode
) -> list[list[ErrorRecord]]:
    context = Context(session.manifest, Thresholds(), own)
    errors = [record for record in records if not record.is_leak]
    groups = [list(group.records) for group in groups_by_cause(errors, context)]
    leaks: dict[tuple[object, ...], list[ErrorRecord]] = {}
    for record in records:
        if record.is_leak:
            key = (
                record.kind,
                *(record.frames[i].place for _, i in _telling_frames(record, own)),
            )
            leaks.setdefault(key, []).append(record)
    groups += leaks.values()
    for group in groups:
        group.sort(key=lambda record: not own.has_own(record.frames))
    return sorted(groups, key=lambda group: _rank(group, own))


def _rank(group: Sequence[ErrorRecord], own: OwnCode) -> tuple[bool, bool, int]:
    lost = sum(record.leaked_bytes or 0 for record in group)
    return group[0].is_leak, not own.has_own(group[0].frames), -lost


def _title(group: Sequence[ErrorRecord]) -> str:
    kinds = ", ".join(dict.fromkeys(record.kind for record in group))
    first, total = group[0], sum(record.count for record in group)
    if len(group) == 1:
        times = f"  ({plural(total, 'time')})" if total > 1 else ""
        return f"{kinds}: {printable(first.what)}{times}"
    if first.is_leak:
        lost = sum(record.leaked_bytes or 0 for record in group)
        blocks = sum(record.leaked_blocks or 0 for record in group)
        return (
            f"{kinds}: {lost:,} bytes in {plural(blocks, 'block')}, in "
            f"{plural(len(group), 'loss record')}"
        )
    counts = f"{plural(len(group), 'report')} of one cause, {plural(total, 'time')}"
    return f"{kinds}: {printable(first.what)}  ({counts})"


def _telling_frames(record: ErrorRecord, own: OwnCode) -> Iterator[tuple[str, int]]:
    """From the first frame of own code on: allocators and libraries are passed over."""
    start = next((i for i, frame in enumerate(record.frames) if own.owns(frame)), 0)
    for i in range(start, min(start + _MOST_FRAMES, len(record.frames))):
        yield ("at" if i == start else "by"), i
