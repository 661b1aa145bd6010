"""Which errors of a session to suppress, and which suppressions it has no use for."""

from collections.abc import Sequence
from pathlib import Path

from collectors import registry
from collectors.records.errors import ErrorProfile, ErrorRecord
from profiler.own_code import OwnCode
from profiler.rules.known_noise import known_noise
from profiler.store import Session
from profiler.suppressions.apply import matches, subject_of
from profiler.suppressions.text import Suppression, read_suppressions


def error_records(session: Session) -> tuple[ErrorRecord, ...]:
    """All records of the session's error tools; a record's place is its number in links."""
    known = registry.tool_names()
    return tuple(
        record
        for tool in session.tools
        if tool in known
        for profile in session.profiles(tool)
        if isinstance(profile, ErrorProfile)
        for record in profile.records
    )


def foreign_records(records: Sequence[ErrorRecord], own: OwnCode) -> list[ErrorRecord]:
    """Those that are likely noise, or on whose stacks there is no own code."""
    return [
        record
        for record in records
        if known_noise(record) is not None
        or not any(own.has_own(s) for s in (record.frames, *(a.frames for a in record.aux)))
    ]


def is_known(record: ErrorRecord, entries: Sequence[Suppression]) -> bool:
    """Whether some entry would hide a record."""
    subject = subject_of(record)
    return any(matches(entry, subject) for entry in entries)


def unused(session: Session, file: Path) -> tuple[list[Suppression], int]:
    """The entries of a file that hide nothing in a session, and how many it has."""
    entries = read_suppressions([file])
    applied = session.with_suppressions(entries)
    error_records(applied)
    hits = [0] * len(entries)
    for of_tool in applied.suppressed.values():
        hits = [a + b for a, b in zip(hits, of_tool, strict=True)]
    idle = [entry for entry, count in zip(entries, hits, strict=True) if not count]
    return idle, len(entries)
