"""What formats take from a session: profiles by shape, records with their places."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from collectors import registry
from collectors.errors import UsageError
from collectors.records.cost import CostProfile
from collectors.records.errors import ErrorProfile, ErrorRecord
from collectors.records.heap import HeapProfile
from collectors.records.samples import SampleProfile
from collectors.records.shared import Frame
from profiler.aggregate.error_severity import record_severities
from profiler.finding import worst
from profiler.fingerprint import error_fingerprint, fingerprint
from profiler.own_code import OwnCode
from profiler.project import load_project
from profiler.rules.context import Context
from profiler.rules.errors import judged_errors
from profiler.store import Session

MOST_STACKS = 10  # of one group of errors
# Leak kinds that are no fault by themselves: Valgrind does not count them as errors either.
HARMLESS = frozenset({"Leak_StillReachable", "Leak_IndirectlyLost"})


def error_profiles(session: Session) -> list[tuple[str, ErrorProfile]]:
    """(tool, profile) of every process."""
    return [(t, p) for t, p in _profiles(session) if isinstance(p, ErrorProfile)]


def cost_profiles(session: Session) -> tuple[str, list[CostProfile]]:
    """The first tool that counted costs, and its processes: two tools count the same run."""
    found = [(t, p) for t, p in _profiles(session) if isinstance(p, CostProfile)]
    if not found:
        raise UsageError(f"{session.id} has no costs: record with -t cachegrind or callgrind")
    tool = found[0][0]
    return tool, [profile for t, profile in found if t == tool]


def heap_profiles(session: Session) -> list[HeapProfile]:
    return [profile for _, profile in _profiles(session) if isinstance(profile, HeapProfile)]


def sample_profiles(session: Session) -> list[SampleProfile]:
    return [profile for _, profile in _profiles(session) if isinstance(profile, SampleProfile)]


def _profiles(session: Session) -> Iterator[tuple[str, object]]:
    known = registry.tool_names()
    for tool in session.tools:
        for profile in session.profiles(tool) if tool in known else ():
            yield tool, profile


def need_errors(session: Session) -> list[tuple[str, ErrorProfile]]:
    """Like `error_profiles`; raises `UsageError` where no tool looked for errors.

    A session whose tools found none has profiles without records: that is a result.
    """
    found = error_profiles(session)
    if not found:
        raise UsageError(f"{session.id} has no memory errors: record with -t memcheck")
    return found


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Errors of one kind at one line of one's own code (`frame`), and a mark of their own.

    One uninitialised number that is printed is ninety reports from inside of printf: to a
    person it is one. Leaks are told apart: each has its blocks. The mark is the fingerprint
    of the first error; where that is another group's too, it counts. `severity` is the worst
    that findings say of them: `error`, `warning` or `info`.
    """

    tool: str
    mark: str
    frame: Frame | None
    records: Sequence[ErrorRecord]
    severity: str


def error_groups(session: Session, own: OwnCode) -> Iterator[ErrorGroup]:
    """The groups of all tools, in the order of their first errors."""
    seen: dict[str, int] = {}
    for tool, frame, found in _by_place(session, own):
        records = [record for record, _ in found]
        mark = error_fingerprint(records[0])
        seen[mark] = seen.get(mark, 0) + 1
        if seen[mark] > 1:
            mark = fingerprint(mark, str(seen[mark]))
        harmless = records[0].kind in HARMLESS
        severity = "info" if harmless else worst(severity for _, severity in found)
        yield ErrorGroup(tool, mark, frame, records, severity)


_Group = tuple[str, Frame | None, list[tuple[ErrorRecord, str]]]


def _by_place(session: Session, own: OwnCode) -> Iterable[_Group]:
    found: dict[tuple[object, ...], _Group] = {}
    read = need_errors(session)
    profiles = [profile for _, profile in read]
    context = Context(session.manifest, load_project().thresholds, own)
    all_records = [record for profile in profiles for record in profile.records]
    severities = iter(record_severities(all_records, judged_errors(profiles, context)))
    for tool, profile in read:
        for record in profile.records:
            frame = own.frame(record.frames)
            alone = record.is_leak or frame is None or frame.line is None
            place = id(record) if alone else (frame and (frame.path, frame.line, frame.fn))
            found.setdefault((tool, record.kind, place), (tool, frame, []))[2].append(
                (record, next(severities))
            )
    return found.values()


def own_code(session: Session) -> OwnCode:
    return load_project().own_code(session)


def source_path(frame: Frame | None) -> str | None:
    """The source file of a frame, relative to the current folder where it lies below it."""
    from pathlib import Path

    if frame is None or frame.path is None:
        return None
    path = Path(frame.path)
    try:
        return path.relative_to(Path.cwd()).as_posix() if path.is_absolute() else frame.path
    except ValueError:
        return frame.path


def stack_lines(frames: Sequence[Frame]) -> list[str]:
    """A stack as Valgrind writes it: `at …`, `by …`."""
    return [f"{'by' if i else 'at'} {frame.place}" for i, frame in enumerate(frames)]
