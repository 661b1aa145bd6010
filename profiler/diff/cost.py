"""Costs of two sessions: which functions and lines cost more, which less.

Functions are matched over renamed paths and compilers' copies (matching.py); what only moved
from one function into another, by inlining, is told apart (moves.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from collectors.records.cost import CostProfile
from profiler.diff.function import FunctionDelta
from profiler.diff.lines import Lines, line_changes
from profiler.diff.matching import Names, Side, pairs, side, without
from profiler.diff.moves import find_moved
from profiler.functions import weights_of

MOST_FUNCTIONS = 3000
MOST_LINE_FUNCTIONS = 40
# Two runs of one build differ by about this share of all instructions: threads that spin or
# wait, addresses that decide a hash table's order.
NOISE = 0.001


@dataclass(frozen=True, slots=True)
class CostDiff:
    """`functions` are those that changed the most, by estimated cycles; `changed` counts all.

    `events` are those that both sessions counted.
    """

    events: tuple[str, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    cycles: tuple[int, int]
    functions: Sequence[FunctionDelta]
    changed: int
    unchanged: int
    new: int
    gone: int

    def total(self, event: str) -> tuple[int, int]:
        place = self.events.index(event)
        return self.before[place], self.after[place]


def weights(events: Sequence[str]) -> list[int]:
    """What each event counts for, in their order."""
    known = weights_of(events)
    return [known.get(event, 0) for event in events]


def cost_diff(
    baseline: Sequence[CostProfile],
    profiles: Sequence[CostProfile],
    *,
    events: Sequence[str] | None = None,
    most: int = MOST_FUNCTIONS,
) -> CostDiff:
    """Compare two sessions' costs; `events` limits what is compared."""
    import numpy as np

    counted = [{event for p in group for event in p.events} for group in (baseline, profiles)]
    order = dict.fromkeys(event for p in (*baseline, *profiles) for event in p.events)
    common = [
        event
        for event in order
        if event in counted[0] & counted[1] and (events is None or event in events)
    ]
    names = Names()
    sides = (side(baseline, common, names), side(profiles, common, names))
    weight = np.array(weights(common), dtype=np.int64)
    one, other = pairs(*sides, names)
    gone = without(np.arange(len(sides[0].name)), one)
    new = without(np.arange(len(sides[1].name)), other)
    nothing = np.full(len(gone), -1)
    rows = [
        np.concatenate([one, gone, np.full(len(new), -1)]),
        np.concatenate([other, nothing, new]),
    ]
    cycles = [
        np.where(row >= 0, (weight @ s.counts)[row], 0) if s.counts.size else np.zeros(len(row))
        for row, s in zip(rows, sides, strict=True)
    ]
    delta = cycles[1] - cycles[0]
    differs = delta != 0
    both = np.flatnonzero(~differs[: len(one)])
    if len(both):
        same = (sides[0].counts[:, one[both]] == sides[1].counts[:, other[both]]).all(axis=0)
        differs[both[~same]] = True
    changed = np.flatnonzero(differs)
    ranked = changed[np.lexsort((changed, -np.abs(delta[changed])))][:most]
    functions = [
        _function(int(i), rows, sides, (int(cycles[0][i]), int(cycles[1][i])), names)
        for i in ranked.tolist()
    ]
    chosen = ranked[:MOST_LINE_FUNCTIONS]
    lines = (
        Lines(sides[0], rows[0][chosen], names, weight),
        Lines(sides[1], rows[1][chosen], names, weight),
    )
    for place, function in enumerate(functions[: len(chosen)]):
        function.lines = line_changes(lines, place)
    find_moved(functions[: len(chosen)], lines)
    totals = [tuple(int(n) for n in s.counts.sum(axis=1)) for s in sides]
    return CostDiff(
        tuple(common),
        totals[0],
        totals[1],
        (int(weight @ sides[0].counts.sum(axis=1)), int(weight @ sides[1].counts.sum(axis=1))),
        functions,
        len(changed),
        len(delta) - len(changed),
        len(new),
        len(gone),
    )


def _function(
    place: int,
    rows: Sequence[Any],
    sides: tuple[Side, Side],
    cycles: tuple[int, int],
    names: Names,
) -> FunctionDelta:
    counts: list[tuple[int, ...] | None] = []
    paths: list[str | None] = []
    function = ""
    for row, s in zip(rows, sides, strict=True):
        index = int(row[place])
        if index < 0:
            counts.append(None)
            paths.append(None)
            continue
        counts.append(tuple(int(n) for n in s.counts[:, index]))
        paths.append(names.files[int(s.file[index])])
        function = names.functions[int(s.name[index])]
    file = paths[1] if paths[1] is not None else paths[0] or ""
    moved = paths[0] is not None and paths[1] is not None and paths[0] != paths[1]
    return FunctionDelta(
        function, file, counts[0], counts[1], cycles, paths[0] if moved else None
    )
