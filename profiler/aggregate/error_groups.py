"""Errors as a tree of groups: by root cause, by kind or by module, the worst first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from collectors.records.errors import ErrorProfile, ErrorRecord
from profiler.error_kinds import kind_order, kind_words
from profiler.figures import plural
from profiler.finding import RANK, worst
from profiler.own_code import module_of
from profiler.rules.context import Context
from profiler.rules.errors import groups_by_cause, is_crash
from profiler.rules.words import function_of, where

FATAL_SIGNAL = "FatalSignal"
STOP_SIGNAL = "StopSignal"


class ErrorGrouping(StrEnum):
    """What the errors of a group have in common."""

    CAUSE = "cause"
    KIND = "kind"
    MODULE = "module"


@dataclass(frozen=True, slots=True)
class ErrorNode:
    """A group, or one error: then `record` is its number among all records.

    `reports` counts distinct errors, `times` how often they happened; `lost` is in bytes
    (None: no leak is in it).
    """

    title: str
    severity: str
    reports: int
    times: int
    lost: int | None
    record: int | None = None

    @property
    def text(self) -> str:
        """The title, and of a group how many errors are in it."""
        return (
            self.title if self.record is not None else f"{self.title}  ({self.reports} reports)"
        )


@dataclass(frozen=True, slots=True)
class ErrorTree:
    """Groups and errors depth first, the root at 0; node i holds those up to `end[i]`-1."""

    depth: Sequence[int]
    end: Sequence[int]
    nodes: Sequence[ErrorNode]

    def tops(self) -> list[ErrorNode]:
        """The groups, and the errors that are alone."""
        return [n for n, depth in zip(self.nodes, self.depth, strict=True) if depth == 1]

    def node_of(self, record: int) -> int | None:
        """The node of an error by its number."""
        return next((i for i, node in enumerate(self.nodes) if node.record == record), None)


def all_records(profiles: Sequence[ErrorProfile]) -> list[ErrorRecord]:
    """Every error in the order of the tools, then the signals that ended processes.

    The numbers of errors are those that findings and reports use.
    """
    records = [record for profile in profiles for record in profile.records]
    for profile in profiles:
        for process in profile.processes:
            fatal = process.fatal_signal
            if fatal is not None:
                event = f": {fatal.event}" if fatal.event else ""
                records.append(
                    ErrorRecord(
                        FATAL_SIGNAL if is_crash(process) else STOP_SIGNAL,
                        f"The process was ended by {fatal.signame}{event}",
                        fatal.frames,
                        pid=process.pid,
                        tid=fatal.tid,
                        thread_name=fatal.thread_name,
                    )
                )
    return records


def error_tree(
    records: Sequence[ErrorRecord],
    severities: Sequence[str],
    context: Context,
    grouping: ErrorGrouping,
    shown: Iterable[int] | None = None,
) -> ErrorTree:
    """The errors with these numbers (None: all) in groups. A group of one is that error.

    `severities` has one for each record (`profiler.aggregate.error_severity`).
    """

    def rank(number: int) -> tuple[int, tuple[int, int, str], int, int]:
        """The worst first, then the largest leaks, then as they were reported."""
        record = records[number]
        lost = -(record.leaked_bytes or 0)
        return RANK[severities[number]], kind_order(record.kind), lost, number

    chosen = sorted(range(len(records)) if shown is None else shown)
    groups = [
        (title, sorted(numbers, key=rank))
        for title, numbers in _groups(records, chosen, context, grouping)
    ]
    groups.sort(key=lambda group: rank(group[1][0]))
    depth, end = [0], [0]
    nodes = [_summed(_all_title(len(chosen)), records, severities, chosen)]
    for title, numbers in groups:
        alone = len(numbers) == 1
        if not alone:
            depth.append(1)
            end.append(len(depth) + len(numbers))
            nodes.append(_summed(title, records, severities, numbers))
        for number in numbers:
            depth.append(1 if alone else 2)
            end.append(len(depth))
            nodes.append(_node(records[number], number, severities[number], context))
    end[0] = len(depth)
    return ErrorTree(depth, end, nodes)


def _all_title(count: int) -> str:
    return "no error" if not count else plural(count, "error")


def _groups(
    records: Sequence[ErrorRecord],
    chosen: Sequence[int],
    context: Context,
    grouping: ErrorGrouping,
) -> list[tuple[str, list[int]]]:
    if grouping is ErrorGrouping.CAUSE:
        return _by_cause(records, chosen, context)
    found: dict[str, list[int]] = {}
    for number in chosen:
        record = records[number]
        by_kind = grouping is ErrorGrouping.KIND
        title = kind_words(record.kind).title if by_kind else module_of(record)
        found.setdefault(title, []).append(number)
    return list(found.items())


def _by_cause(
    records: Sequence[ErrorRecord], chosen: Sequence[int], context: Context
) -> list[tuple[str, list[int]]]:
    """Errors by the block or value at fault, leaks by the place that allocated."""
    errors = [number for number in chosen if not records[number].is_leak]
    result: list[tuple[str, list[int]]] = []
    for group in groups_by_cause([records[number] for number in errors], context):
        numbers = [errors[place] for place in group.numbers]
        frame = context.own.frame(group.records[0].frames)
        result.append((f"{where(frame)}: {group.rule.verdict}", numbers))
    leaks: dict[str, list[int]] = {}
    for number in chosen:
        if records[number].is_leak:
            place = where(context.own.frame(records[number].frames))
            title = f"{place}: {kind_words(records[number].kind).title}"
            leaks.setdefault(title, []).append(number)
    return [*result, *leaks.items()]


def _summed(
    title: str,
    records: Sequence[ErrorRecord],
    severities: Sequence[str],
    numbers: Sequence[int],
) -> ErrorNode:
    inside = [records[number] for number in numbers]
    lost = [r.leaked_bytes for r in inside if r.leaked_bytes is not None]
    return ErrorNode(
        title,
        worst([*(severities[number] for number in numbers), "ok"]),
        len(inside),
        sum(record.count for record in inside),
        sum(lost) if lost else None,
    )


def _node(record: ErrorRecord, number: int, severity: str, context: Context) -> ErrorNode:
    frame = context.own.frame(record.frames)
    named = frame is not None and frame.fn is not None
    inside = f" in {function_of(frame, record.frames)}" if named else ""
    return ErrorNode(
        f"{where(frame)}: {kind_words(record.kind).title}{inside}",
        severity,
        1,
        record.count,
        record.leaked_bytes,
        number,
    )
