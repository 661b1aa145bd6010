"""Errors of two sessions: new, fixed, unchanged.

An error is the same in both when its fingerprint is (profiler/fingerprint.py): its kind and
the program's own functions on its stack. Addresses and lines move with every build.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from collectors.records.errors import ErrorProfile, ErrorRecord
from profiler.fingerprint import error_fingerprint


class Change(StrEnum):
    """What became of an error."""

    NEW = "new"
    FIXED = "fixed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class ErrorChange:
    """An error and what became of it; `was` is the baseline's record of an unchanged one."""

    change: Change
    record: ErrorRecord
    was: ErrorRecord | None = None

    @property
    def fingerprint(self) -> str:
        return error_fingerprint(self.record)

    @property
    def bytes_delta(self) -> int:
        """By how many bytes a leak that is in both has grown."""
        if self.was is None:
            return 0
        return (self.record.leaked_bytes or 0) - (self.was.leaked_bytes or 0)


def error_changes(
    baseline: Sequence[ErrorProfile], profiles: Sequence[ErrorProfile]
) -> list[ErrorChange]:
    """New errors, then those that are gone (as the baseline had them), then the unchanged."""
    before: dict[str, list[ErrorRecord]] = {}
    for profile in baseline:
        for record in profile.records:
            before.setdefault(error_fingerprint(record), []).append(record)
    found: dict[Change, list[ErrorChange]] = {change: [] for change in Change}
    for profile in profiles:
        for record in profile.records:
            same = before.get(error_fingerprint(record))
            change = Change.UNCHANGED if same else Change.NEW
            was = same.pop(0) if same else None
            found[change].append(ErrorChange(change, record, was))
    found[Change.FIXED] = [
        ErrorChange(Change.FIXED, record) for left in before.values() for record in left
    ]
    return [change for changes in found.values() for change in changes]
