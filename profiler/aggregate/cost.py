"""Costs summed per function."""

from collections.abc import Sequence
from dataclasses import dataclass

from collectors.records.cost import CostProfile, Symbol


@dataclass(frozen=True, slots=True)
class FunctionCost:
    """The self cost of a function: `counts` in the order of the events."""

    symbol: Symbol
    counts: tuple[int, ...]


def sum_by_function(
    profiles: Sequence[CostProfile],
) -> tuple[tuple[str, ...], list[FunctionCost]]:
    """The events of all profiles, and every function's costs, those with the most first.

    Functions are in order of the first event (Ir).
    """
    events = tuple(dict.fromkeys(event for profile in profiles for event in profile.events))
    sums: dict[Symbol, list[int]] = {}
    for profile in profiles:
        columns = [
            (events.index(e), c) for e, c in zip(profile.events, profile.counts, strict=True)
        ]
        totals = [sums.setdefault(symbol, [0] * len(events)) for symbol in profile.symbols]
        for position, column in columns:
            for symbol, count in zip(profile.row_symbol, column, strict=True):
                totals[symbol][position] += count
    rows = [FunctionCost(symbol, tuple(counts)) for symbol, counts in sums.items()]
    rows.sort(key=lambda row: (tuple(-count for count in row.counts[:1]), row.symbol.fn))
    return events, rows
