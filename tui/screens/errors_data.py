"""What the errors screen shows: all errors of a session, their stacks as text and rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from collectors import registry
from collectors.errors import InputError
from collectors.records.errors import ErrorProfile, ErrorRecord
from collectors.records.shared import Frame, Shape
from profiler.aggregate.error_groups import all_records
from profiler.aggregate.error_severity import record_severities
from profiler.functions import name_in_stack, short_name
from profiler.own_code import OwnCode
from profiler.project import project_context
from profiler.rules.context import Context
from profiler.rules.errors import judged_errors
from profiler.source_map import session_sources
from profiler.sources import Sources
from profiler.store import Session
from profiler.suppressions.text import DEFAULT_FILE, Suppression, read_suppressions
from tui.text import printable


@dataclass(frozen=True, slots=True)
class ErrorContent:
    """The errors of all tools, and what is known of the session they come from."""

    tools: tuple[str, ...]
    records: Sequence[ErrorRecord]
    severities: Sequence[str]
    context: Context
    sources: Sources
    unfinished: int
    suppressed: int


@dataclass(frozen=True, slots=True)
class Stack:
    """One stack of an error: `what` says which."""

    title: str
    what: str
    frames: tuple[Frame, ...]


def error_profiles(session: Session) -> dict[str, list[ErrorProfile]]:
    """What each tool that reports errors saw."""
    return {
        tool: [p for p in session.profiles(tool) if isinstance(p, ErrorProfile)]
        for tool in registry.of_shapes(session.tools, Shape.ERRORS)
    }


def read_errors(session: Session) -> ErrorContent | None:
    """The errors of every tool that reports some."""
    by_tool = error_profiles(session)
    profiles = [profile for group in by_tool.values() for profile in group]
    if not profiles:
        return None
    context = project_context(session)
    processes = [process for profile in profiles for process in profile.processes]
    records = all_records(profiles)
    return ErrorContent(
        tuple(by_tool),
        records,
        record_severities(records, judged_errors(profiles, context)),
        context,
        session_sources(session),
        sum(not process.finished for process in processes),
        sum(count for process in processes for _, count in process.suppressed),
    )


def known_here() -> tuple[tuple[Suppression, ...], str | None]:
    """The entries of the working directory's suppression file, or why they cannot be had."""
    file = Path(DEFAULT_FILE)
    try:
        return (read_suppressions([file]) if file.is_file() else ()), None
    except InputError as error:
        return (), str(error)


def stacks_of(record: ErrorRecord) -> list[Stack]:
    """Where it happened, then what the tool says besides: allocation, free, origin."""
    stacks = [Stack("leaked block" if record.is_leak else "here", record.what, record.frames)]
    for aux in record.aux:
        what = aux.what or ""
        title = "also"
        for mark, name in (
            ("free'd", "freed"),
            ("alloc'd", "allocated"),
            ("created by", "origin"),
            ("stack of", "on a stack"),
            ("lock", "lock"),
            ("conflicts with", "other thread"),
        ):
            if mark in what:
                title = name
                break
        stacks.append(Stack(title, what, aux.frames))
    return stacks


def error_text(record: ErrorRecord) -> str:
    """The error as text to paste into a bug report."""
    lines = [f"{record.kind}: {printable(record.what)}"]
    for number, stack in enumerate(stacks_of(record)):
        if number:
            lines.append(f"  {printable(stack.what)}")
        for place, frame in enumerate(stack.frames):
            lines.append(f"    {'at' if not place else 'by'} {printable(frame.place)}")
    if record.count > 1:
        lines.append(f"  happened {record.count} times")
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class StackRow:
    """A frame, or how many frames of libraries are folded here (then `frame` is None)."""

    frame: Frame | None
    own: bool
    text: str
    where: str


def stack_rows(frames: Sequence[Frame], own: OwnCode, *, fold: bool) -> list[StackRow]:
    """The frames of a stack; with `fold` runs of library frames are one row."""
    rows: list[StackRow] = []
    folded = 0
    keep_all = not own.has_own(frames)
    for place, frame in enumerate(frames):
        mine = own.owns(frame)
        if fold and not mine and place and not keep_all:
            folded += 1
            continue
        if folded:
            rows.append(_folded(folded))
            folded = 0
        name = short_name(name_in_stack(frames, place) or "???")
        rows.append(StackRow(frame, mine, name, _where(frame)))
    if folded:
        rows.append(_folded(folded))
    return rows


def _folded(count: int) -> StackRow:
    return StackRow(None, False, f"({count} frame{'s' if count > 1 else ''} of libraries)", "")


def _where(frame: Frame) -> str:
    if frame.file is not None:
        name = frame.file.rpartition("/")[2]
        return name if frame.line is None else f"{name}:{frame.line}"
    if frame.obj is not None:
        return f"in {frame.obj.rpartition('/')[2]}"
    return "" if frame.ip is None else f"{frame.ip:#x}"
