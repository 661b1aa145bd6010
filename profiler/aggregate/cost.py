"""Costs summed per function, file, module and line, and the most expensive of them."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any, Generic, TypeVar

from collectors.records.cost import UNKNOWN, CostProfile, Symbol, SymbolTable

_MANY_ROWS = 100_000  # above, numpy's import is cheaper than a plain loop over the columns
_FEW_RUNS = 3  # rows a run, from which on it is worth summing them first
_EXACT_FLOAT = 1 << 53  # below, floating point adds whole numbers without loss

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class FunctionCost:
    """The self cost of a function: `counts` in the order of the events."""

    symbol: Symbol
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CostSums(Generic[Key]):
    """Self costs summed by key: `keys[i]` costs `counts[e][i]` of `events[e]`.

    `leading` are the places of the greatest in the first event, where they are known.
    """

    events: tuple[str, ...]
    keys: Sequence[Key]
    counts: tuple[Sequence[int], ...]
    leading: Sequence[int] = ()

    def __len__(self) -> int:
        return len(self.keys)

    def top(self, count: int, event: str | None = None) -> list[tuple[Key, tuple[int, ...]]]:
        """The `count` keys with the most of an event (the first one, if not said).

        Keys that cost the same are in the order of their first appearance.
        """
        if not self.events:
            return []
        chosen = 0 if event is None else self.events.index(event)
        column = self.counts[chosen]
        places: Sequence[int] = self.leading[:count]
        if chosen != 0 or len(places) < min(count, len(column)):
            places = nsmallest(count, range(len(column)), key=lambda i: (-column[i], i))
        return [(self.keys[i], tuple(column[i] for column in self.counts)) for i in places]


def by_function(profiles: Sequence[CostProfile]) -> CostSums[Symbol]:
    """Costs by (object, file, function) over all profiles, with the union of their events."""
    if len(profiles) == 1:  # its symbols are distinct: no need to look at each
        profile = profiles[0]
        index = profile.index
        if index is not None:
            return CostSums(profile.events, profile.symbols, index.symbol_counts, index.leading)
        counts = group_sums(profile.row_symbol, profile.counts, len(profile.symbols))
        return CostSums(profile.events, profile.symbols, counts)
    return _merged(profiles, lambda p: (p.row_symbol, p.symbols))


def by_file(profiles: Sequence[CostProfile]) -> CostSums[str]:
    """Costs by the file of the source line."""
    return _merged(profiles, lambda p: (p.row_file, p.files))


def by_module(profiles: Sequence[CostProfile]) -> CostSums[str]:
    """Costs by object (library or program); Cachegrind does not tell them: all `???`."""
    return _merged(
        profiles, lambda p: (p.row_symbol, [symbol.obj or UNKNOWN for symbol in p.symbols])
    )


def by_line(profiles: Sequence[CostProfile], file: str) -> CostSums[int]:
    """Costs by source line of one file; line 0 is what no line is known of."""
    sums: dict[int, list[int]] = {}
    events = _events(profiles)
    for profile in profiles:
        places = [events.index(event) for event in profile.events]
        lines, columns = _line_sums(profile, file)
        for line, counts in zip(lines, zip(*columns, strict=True), strict=True):
            total = sums.setdefault(line, [0] * len(events))
            for place, count in zip(places, counts, strict=True):
                total[place] += count
    lines = sorted(sums)
    return CostSums(
        events, lines, tuple([sums[line][e] for line in lines] for e in range(len(events)))
    )


def _line_sums(
    profile: CostProfile, file: str
) -> tuple[Sequence[int], Sequence[Sequence[int]]]:
    """The lines of a file and their counts in a profile, whose files are distinct."""
    try:
        wanted = profile.files.index(file)
    except ValueError:
        return (), [()] * len(profile.events)
    if len(profile.row_file) < _MANY_ROWS:
        rows = [row for row, index in enumerate(profile.row_file) if index == wanted]
        columns = [[column[row] for row in rows] for column in profile.counts]
        return [profile.row_line[row] for row in rows], columns
    import numpy as np

    found = np.flatnonzero(np.asarray(profile.row_file) == wanted)
    lines, sums = _sums_by_number(
        np.asarray(profile.row_line)[found],
        [np.asarray(column)[found] for column in profile.counts],
    )
    return lines.tolist(), sums


def _sums_by_number(
    numbers: Any, columns: Sequence[Any]
) -> tuple[Any, tuple[Sequence[int], ...]]:
    """The distinct numbers, in order, and the exact sum of each column over the rows of each.

    `numbers` and the columns are numpy arrays of one length.
    """
    import numpy as np

    if not len(numbers):
        return numbers, tuple(columns)
    order = np.argsort(numbers, kind="stable")
    ordered = numbers[order]
    first = np.ones(len(ordered), dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    distinct = ordered[first]
    groups = np.cumsum(first) - 1
    columns = [column[order].data for column in columns]
    sums = group_sums_by_numpy(groups.data, columns, len(distinct))
    return distinct, sums


def lines_in_own_files(profile: CostProfile, symbols: SymbolTable) -> bool:
    """Whether each line is in the file of its function; else others were inlined into it.

    `symbols` are the profile's, with the numbers of its files.
    """
    if len(profile.row_symbol) < _MANY_ROWS:
        of, rows = symbols.file_of, zip(profile.row_symbol, profile.row_file, strict=True)
        return all(of[symbol] == file for symbol, file in rows)
    import numpy as np

    own = np.asarray(symbols.file_of)[np.asarray(profile.row_symbol)]
    return bool(np.array_equal(own, np.asarray(profile.row_file)))


def sum_by_function(
    profiles: Sequence[CostProfile],
) -> tuple[tuple[str, ...], list[FunctionCost]]:
    """The events of all profiles, and every function's costs, those with the most first.

    Functions are in order of the first event (Ir), then by name.
    """
    sums = by_function(profiles)
    rows = [
        FunctionCost(symbol, counts)
        for symbol, counts in zip(sums.keys, zip(*sums.counts, strict=True), strict=True)
    ]
    rows.sort(key=lambda row: (tuple(-count for count in row.counts[:1]), row.symbol.fn))
    return sums.events, rows


def group_sums(
    groups: "memoryview[int]", columns: "Sequence[memoryview[int]]", number: int
) -> tuple[Sequence[int], ...]:
    """The exact sum of each column over the rows of each group, groups being 0 to number-1."""
    if len(groups) >= _MANY_ROWS:
        return group_sums_by_numpy(groups, columns, number)
    return tuple(_plain_sums(groups, column, number) for column in columns)


def _plain_sums(groups: "memoryview[int]", column: "memoryview[int]", number: int) -> list[int]:
    sums = [0] * number
    for group, count in zip(groups, column, strict=True):
        sums[group] += count
    return sums


def group_sums_by_numpy(
    groups: Any, columns: Sequence[Any], number: int
) -> tuple[Sequence[int], ...]:
    """The same by numpy, which is imported for it; of numpy's arrays or memory views.

    Where rows of a group follow each other, runs are summed first.
    """
    import numpy as np

    index = np.asarray(groups)
    if not len(index):
        return tuple(np.zeros(number, dtype=np.int64).data for _ in columns)
    starts = np.flatnonzero(np.diff(index, prepend=-1))
    in_runs = len(starts) <= len(index) // _FEW_RUNS
    of = (index[starts] if in_runs else index).astype(np.intp, copy=False)
    one_run_each = in_runs and np.bincount(of).max() == 1
    result: list[Sequence[int]] = []
    for column in columns:
        values = np.asarray(column)
        largest = max(abs(int(values.max())), abs(int(values.min())))
        if largest >= (1 << 62) // len(values):  # int64 could overflow
            result.append(_plain_sums(groups, column, number))
            continue
        if in_runs:
            values = np.add.reduceat(values, starts)
        if not one_run_each and largest < _EXACT_FLOAT // len(index):  # the fastest way
            sums = np.bincount(of, weights=values, minlength=number).astype(np.int64)
        else:
            sums = np.zeros(number, dtype=np.int64)
            if one_run_each:
                sums[of] = values
            else:
                np.add.at(sums, of, values)
        result.append(sums.data)
    return tuple(result)


def _events(profiles: Sequence[CostProfile]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(event for profile in profiles for event in profile.events))


def _merged(
    profiles: Sequence[CostProfile],
    grouping: "Callable[[CostProfile], tuple[memoryview[int], Sequence[Key]]]",
) -> CostSums[Key]:
    events = _events(profiles)
    places: dict[Key, int] = {}
    totals: list[list[int]] = [[] for _ in events]
    for profile in profiles:
        groups, keys = grouping(profile)
        place_of = [places.setdefault(key, len(places)) for key in keys]
        for column in totals:
            column.extend([0] * (len(places) - len(column)))
        sums = group_sums(groups, profile.counts, len(keys))
        for event, values in zip(profile.events, sums, strict=True):
            column = totals[events.index(event)]
            for place, value in zip(place_of, values, strict=True):
                column[place] += value
    return CostSums(events, list(places), tuple(totals))
