"""What changed between two sessions: errors that are new or gone, functions that cost more.

An error is the same in both when its kind and the functions on its stack are: addresses and
lines move with every build.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from collectors.records.errors import ErrorProfile, ErrorRecord
from profiler.functions import FunctionCosts

STACK_DEPTH = 12


class Change(StrEnum):
    """What became of an error."""

    NEW = "new"
    FIXED = "fixed"
    UNCHANGED = "unchanged"


def error_key(record: ErrorRecord) -> tuple[str, ...]:
    """What makes an error the same one in another build."""
    frames = record.frames[:STACK_DEPTH]
    return record.kind, *(f.fn or (f.obj or "").rpartition("/")[2] for f in frames)


def error_changes(
    baseline: Sequence[ErrorProfile], profiles: Sequence[ErrorProfile]
) -> list[tuple[Change, ErrorRecord]]:
    """New errors, then those that are gone (as the baseline had them), then the unchanged."""
    before: dict[tuple[str, ...], list[ErrorRecord]] = {}
    for profile in baseline:
        for record in profile.records:
            before.setdefault(error_key(record), []).append(record)
    found: dict[Change, list[ErrorRecord]] = {change: [] for change in Change}
    for profile in profiles:
        for record in profile.records:
            same = before.get(error_key(record))
            found[Change.UNCHANGED if same else Change.NEW].append(record)
            if same:
                same.pop()
    found[Change.FIXED] = [record for left in before.values() for record in left]
    return [(change, record) for change, records in found.items() for record in records]


@dataclass(frozen=True, slots=True)
class FunctionChange:
    """A function's estimated cycles, instructions and D1 misses, before and after.

    None: the event was not measured.
    """

    function: str
    file: str
    cycles: tuple[float, float]
    instructions: tuple[float, float]
    misses: tuple[float, float] | None

    @property
    def delta(self) -> float:
        return self.cycles[1] - self.cycles[0]


def function_changes(baseline: FunctionCosts, costs: FunctionCosts) -> list[FunctionChange]:
    """All functions of both, the largest change first. Files are matched by their names."""
    both = baseline.has("D1mr", "D1mw") and costs.has("D1mr", "D1mw")
    sums: dict[tuple[str, str], list[list[float]]] = {}
    files: dict[tuple[str, str], str] = {}
    for side, source in enumerate((baseline, costs)):
        instructions = source.event("Ir") if source.has("Ir") else source.cycles
        misses = source.event("D1mr") + source.event("D1mw") if both else source.cycles
        for i in range(len(source)):
            key = source.functions[i], source.files[i].rpartition("/")[2]
            files[key] = source.files[i]
            row = sums.setdefault(key, [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
            for cell, column in zip(row, (source.cycles, instructions, misses), strict=True):
                cell[side] += float(column[i])
    changes = [
        FunctionChange(
            key[0],
            files[key],
            (cycles[0], cycles[1]),
            (instructions[0], instructions[1]),
            (misses[0], misses[1]) if both else None,
        )
        for key, (cycles, instructions, misses) in sums.items()
    ]
    return sorted(changes, key=lambda c: (-abs(c.delta), c.function, c.file))
