"""Errors of two sessions: new, fixed, unchanged.

An error is the same in both when its kind and the functions on its stack are: addresses and
lines move with every build.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from collectors.records.errors import ErrorProfile, ErrorRecord
from profiler.diff.matching import canonical_name

STACK_DEPTH = 12


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
    def bytes_delta(self) -> int:
        """By how many bytes a leak that is in both has grown."""
        if self.was is None:
            return 0
        return (self.record.leaked_bytes or 0) - (self.was.leaked_bytes or 0)


def error_key(record: ErrorRecord) -> tuple[str, ...]:
    """What makes an error the same one in another build."""
    frames = record.frames[:STACK_DEPTH]
    return record.kind, *(
        canonical_name(f.fn) if f.fn else (f.obj or "").rpartition("/")[2] for f in frames
    )


def error_fingerprint(record: ErrorRecord) -> str:
    """The key as 16 hexadecimal digits."""
    text = "\0".join(error_key(record)).encode("utf-8", "surrogateescape")
    return hashlib.sha256(text).hexdigest()[:16]


def error_changes(
    baseline: Sequence[ErrorProfile], profiles: Sequence[ErrorProfile]
) -> list[ErrorChange]:
    """New errors, then those that are gone (as the baseline had them), then the unchanged."""
    before: dict[tuple[str, ...], list[ErrorRecord]] = {}
    for profile in baseline:
        for record in profile.records:
            before.setdefault(error_key(record), []).append(record)
    found: dict[Change, list[ErrorChange]] = {change: [] for change in Change}
    for profile in profiles:
        for record in profile.records:
            same = before.get(error_key(record))
            change = Change.UNCHANGED if same else Change.NEW
            was = same.pop(0) if same else None
            found[change].append(ErrorChange(change, record, was))
    found[Change.FIXED] = [
        ErrorChange(Change.FIXED, record) for left in before.values() for record in left
    ]
    return [change for changes in found.values() for change in changes]
