"""Errors of two sessions: new, fixed, unchanged.

An error is the same in both when its fingerprint is (profiler/fingerprint.py): its kind and
the program's own functions on its stack; definitely and possibly lost are one kind here.
Addresses and lines move with every build.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest

from collectors.records.errors import ErrorProfile, ErrorRecord
from profiler.fingerprint import error_fingerprint

_DEFINITELY, _POSSIBLY, _LOST = "Leak_DefinitelyLost", "Leak_PossiblyLost", "Leak_Lost"


class Change(StrEnum):
    """What became of an error."""

    NEW = "new"
    FIXED = "fixed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class ErrorChange:
    """An error and what became of it; `was` is the baseline's record of an unchanged one.

    `bytes_delta` is by how many bytes a leak that is in both has grown.
    """

    change: Change
    record: ErrorRecord
    was: ErrorRecord | None = None
    bytes_delta: int = 0

    @property
    def fingerprint(self) -> str:
        return error_fingerprint(self.record)


def error_changes(
    baseline: Sequence[ErrorProfile],
    profiles: Sequence[ErrorProfile],
    programs: tuple[str, str] = ("", ""),
) -> list[ErrorChange]:
    """New errors, then those that are gone (as the baseline had them), then the unchanged.

    `programs` are the names of the files that were recorded: one program of two builds may
    have two.
    """
    before, after = _told_apart(baseline, programs[0]), _told_apart(profiles, programs[1])
    found: dict[Change, list[ErrorChange]] = {change: [] for change in Change}
    for identity, errors in after.items():
        same = before.pop(identity, [])
        for now, was in zip_longest(errors, same):
            if was is None:
                found[Change.NEW].append(ErrorChange(Change.NEW, now.record))
            elif now is None:
                found[Change.FIXED].append(ErrorChange(Change.FIXED, was.record))
            else:
                delta = now.leaked_bytes - was.leaked_bytes
                change = ErrorChange(Change.UNCHANGED, now.record, was.record, delta)
                found[Change.UNCHANGED].append(change)
    found[Change.FIXED] += [
        ErrorChange(Change.FIXED, was.record) for left in before.values() for was in left
    ]
    return [change for changes in found.values() for change in changes]


@dataclass(slots=True)
class _Error:
    record: ErrorRecord
    leaked_bytes: int


def _told_apart(profiles: Sequence[ErrorProfile], program: str) -> dict[str, list[_Error]]:
    """Errors by what is the same in another run.

    Whether a lost block counts as definitely or possibly lost is chance: a stray value on a
    stack that points into it decides. Those that one stack lost are one leak.
    """
    found: dict[str, list[_Error]] = {}
    for profile in profiles:
        for record in profile.records:
            kind = _LOST if record.kind in {_DEFINITELY, _POSSIBLY} else record.kind
            error = _Error(record, record.leaked_bytes or 0)
            found.setdefault(error_fingerprint(record, kind, program=program), []).append(error)
    for errors in found.values():
        definite = [error for error in errors if error.record.kind == _DEFINITELY]
        possible = [error for error in errors if error.record.kind == _POSSIBLY]
        if definite and possible:
            definite[0].leaked_bytes += sum(error.leaked_bytes for error in possible)
            errors[:] = definite
    return found
