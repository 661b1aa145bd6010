"""Costs by source line of a few functions, before and after, over lines that have shifted."""

from collections.abc import Mapping, Sequence
from typing import Any

from profiler.diff.function import LineDelta
from profiler.diff.matching import Names, Side
from profiler.tables.mapped import release

MOST_LINES = 8
_MANY = 400  # lines of a function, above which not every shift is tried
_NO_LINES: "dict[int, tuple[int, ...]]" = {}


class Lines:
    """For each chosen function its lines' counts: `of[place][file][line]` is a tuple.

    `chosen` are indices into the side's functions, -1 where it has none. Files are numbered
    by their names without folders, so that both sides mean the same.
    """

    def __init__(self, side: Side, chosen: Any, names: Names, weight: Any) -> None:
        import numpy as np

        self.weight = tuple(int(w) for w in weight)
        self.of: list[dict[int, dict[int, tuple[int, ...]]]] = [{} for _ in range(len(chosen))]
        self.file_names: dict[int, str] = {}
        place_of = np.full(len(side.name), -1, dtype=np.int64)
        known = np.flatnonzero(chosen >= 0)
        place_of[chosen[known]] = known
        for profile, of_symbol in zip(side.profiles, side.of_symbol, strict=True):
            if not len(profile.symbols):
                continue
            place = place_of[of_symbol][np.asarray(profile.row_symbol)]
            rows = np.flatnonzero(place >= 0)
            release(profile.counts)
            columns: list[list[int]] = [
                np.asarray(profile.counts[profile.events.index(event)])[rows].tolist()
                if event in profile.events
                else [0] * len(rows)
                for event in side.events
            ]
            counts: list[tuple[int, ...]] = list(zip(*columns, strict=True))
            places: list[int] = place[rows].tolist()
            row_files: list[int] = np.asarray(profile.row_file)[rows].tolist()
            paths = {file: profile.files[file] for file in set(row_files)}
            files = {file: names.plain_of[names.file(path)] for file, path in paths.items()}
            row_lines: list[int] = np.asarray(profile.row_line)[rows].tolist()
            for at, file, line, count in zip(places, row_files, row_lines, counts, strict=True):
                number = files[file]
                self.file_names.setdefault(number, paths[file])
                lines = self.of[at].setdefault(number, {})
                seen = lines.get(line)
                lines[line] = (
                    count
                    if seen is None
                    else tuple(a + b for a, b in zip(seen, count, strict=True))
                )
            release(profile.counts)

    def cycles(self, counts: Sequence[int]) -> int:
        return sum(w * c for w, c in zip(self.weight, counts, strict=True))

    def lines(self, place: int, file: int) -> Mapping[int, tuple[int, ...]]:
        return self.of[place].get(file, _NO_LINES)


def shift_between(
    before: Mapping[int, tuple[int, ...]], after: Mapping[int, tuple[int, ...]]
) -> int:
    """By how many lines a function has moved in its file: the shift that fits most lines.

    A line fits better where it costs the same as before; not moved wins a tie.
    """
    if not before or not after:
        return 0
    shifts = {0, min(after) - min(before), max(after) - max(before)}
    if len(before) * len(after) <= _MANY * _MANY // 4:
        shifts |= {new - old for old in before for new in after if before[old] == after[new]}

    def fit(shift: int) -> tuple[int, int]:
        moved = ((counts, after.get(line + shift)) for line, counts in before.items() if line)
        score = sum(1 + 2 * (old == new) for old, new in moved if new is not None)
        return score, -abs(shift)

    return max(sorted(shifts), key=fit)


def line_changes(sides: tuple[Lines, Lines], place: int) -> list[LineDelta]:
    """The lines of a function that changed the most, by estimated cycles."""
    old, new = sides
    found: list[LineDelta] = []
    for file in {**old.of[place], **new.of[place]}:
        before, after = old.lines(place, file), new.lines(place, file)
        shift = shift_between(before, after)
        name = new.file_names.get(file) or old.file_names[file]
        for line in {*(n + shift if n else 0 for n in before), *after}:
            was = line - shift if line else 0
            costs = (
                old.cycles(before[was]) if was in before else 0,
                new.cycles(after[line]) if line in after else 0,
            )
            if costs[0] != costs[1]:
                found.append(
                    LineDelta(
                        name,
                        was if was in before else None,
                        line if line in after else None,
                        *costs,
                    )
                )
    found.sort(key=lambda d: (-abs(d.delta), d.file, d.line or d.was_line or 0))
    return found[:MOST_LINES]
