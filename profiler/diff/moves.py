"""What inlining did: source lines that cost as before, but within another function.

Valgrind charges an inlined line to the function that it was inlined into, under its own
file and number. So a function that lost lines, and another that has them now, tell of a
compiler's decision and not of a change of the program.
"""

from collections.abc import Sequence

from profiler.diff.function import FunctionDelta, Moved
from profiler.diff.lines import Lines, shift_between

# Of what a function lost, at least this much must be found again in one other.
_WORTH_SAYING = 0.2


def find_moved(functions: Sequence[FunctionDelta], sides: tuple[Lines, Lines]) -> None:
    """Note in each function what it lost to others, or got from them, by inlining alone.

    `functions` are those that `sides` hold the lines of, in the same order.
    """
    old, new = sides
    places = range(len(functions))
    own_shift = {
        (place, file): shift_between(old.lines(place, file), new.lines(place, file))
        for place in places
        for file in {**old.of[place], **new.of[place]}
    }
    shifts: dict[int, set[int]] = {}
    for (place, file), shift in own_shift.items():
        if old.lines(place, file) and new.lines(place, file):
            shifts.setdefault(file, set()).add(shift)
    losers = [p for p in places if functions[p].delta < 0]
    gainers = [p for p in places if functions[p].delta > 0]
    for loser in losers:
        for gainer in gainers:
            totals = [0] * len(old.weight)
            for file in old.of[loser]:
                if new.lines(gainer, file):
                    best = max(
                        (
                            _moved(sides, file, loser, gainer, shift, own_shift)
                            for shift in sorted(shifts.get(file, {0}), key=abs)
                        ),
                        key=old.cycles,
                    )
                    totals = [a + b for a, b in zip(totals, best, strict=True)]
            cycles = old.cycles(totals)
            lost, got = functions[loser], functions[gainer]
            if cycles > 0 and cycles >= _WORTH_SAYING * -lost.delta:
                counts = tuple(totals)
                lost.moved.append(Moved(got.function, got.file, True, counts, cycles))
                got.moved.append(Moved(lost.function, lost.file, False, counts, cycles))


def _moved(
    sides: tuple[Lines, Lines],
    file: int,
    loser: int,
    gainer: int,
    shift: int,
    own_shift: dict[tuple[int, int], int],
) -> tuple[int, ...]:
    """What the loser's lines lost and the gainer's got, with the file shifted by `shift`."""
    old, new = sides
    before, after = new.lines(loser, file), new.lines(gainer, file)
    gainer_before = old.lines(gainer, file)
    gainer_shift = own_shift.get((gainer, file), 0)
    totals = [0] * len(old.weight)
    nothing = (0,) * len(old.weight)
    for line, counts in old.lines(loser, file).items():
        there = after.get(line + shift) if line else None
        if there is None:
            continue
        kept = before.get(line + shift, nothing)
        had = gainer_before.get(line + shift - gainer_shift, nothing)
        for event, count in enumerate(counts):
            lost, got = count - kept[event], there[event] - had[event]
            totals[event] += max(0, min(lost, got))
    return tuple(totals)
