"""A session's tables of costs as the cache screen lists them: summed, weighed and sorted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collectors.records.cost import CostProfile
from profiler.aggregate.cost_table import CostTable, Grouping, cost_table
from profiler.figures import count, short_count
from profiler.functions import short_name
from tui.widgets.column_rows import ColumnRows, Names
from tui.widgets.line_table import TableColumn, Value, as_text
from tui.widgets.names_apart import NamesApart, clip_name

CYCLES = "est. cycles"
SORTED_BY = 1  # the column of the estimated cycles


@dataclass(frozen=True, slots=True)
class CostRun:
    """What one tool counted, over all processes."""

    tool: str
    profiles: tuple[CostProfile, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """A table ready to be shown: its names, columns and rows, and the sum of its cycles.

    The names are the rows' own: they know their order and how they are searched.
    """

    table: CostTable
    names: tuple[Names, ...]
    columns: tuple[TableColumn, ...]
    rows: ColumnRows
    cycles: float


class Listings:
    """The listing of each run and grouping, made once for the present weights."""

    def __init__(self, runs: Sequence[CostRun], weights: Mapping[str, int]) -> None:
        self.weights: Mapping[str, int] = dict(weights)
        self._runs = tuple(runs)
        self._tables: dict[
            tuple[int, Grouping], tuple[CostTable, tuple[Names, ...], Names]
        ] = {}
        self._made: dict[tuple[int, Grouping], tuple[Mapping[str, int], Listing]] = {}

    def weigh(self, weights: Mapping[str, int]) -> None:
        self.weights = dict(weights)

    def ready(self, run: int, grouping: Grouping) -> bool:
        """Whether the costs are summed, so that a listing is made while a key is pressed."""
        return (run, grouping) in self._tables

    def make(self, run: int, grouping: Grouping) -> Listing:
        """The listing of a run by its number; where it is not `ready`, call it in a thread."""
        place, weights = (run, grouping), self.weights
        made = self._made.get(place)
        if made is not None and made[0] is weights:
            return made[1]
        kept = self._tables.get(place)
        if kept is None:
            table = cost_table(self._runs[run].profiles, grouping)
            names = tuple(Names(column.names, column.of) for column in table.names)
            kept = self._tables[place] = table, names, _first_column(table, names)
        listing = _listing(*kept, weights)
        listing.rows.ordered(None, SORTED_BY, descending=True)  # kept there, for the screen
        self._made[place] = weights, listing
        return listing


def _first_column(table: CostTable, names: tuple[Names, ...]) -> Names:
    """What a row is called: a function's name is not its own where another file has one."""
    if table.grouping is not Grouping.FUNCTION:
        return names[0]
    return NamesApart(names[0], names[1], names[2], short_name)


def _listing(
    table: CostTable, names: tuple[Names, ...], first: Names, weights: Mapping[str, int]
) -> Listing:
    """The table's figures as columns: name, cycles, share, rates, events, other names."""
    import numpy as np

    cycles = table.cycles(weights)
    whole = float(cycles.sum())
    share = cycles / whole if whole else np.full(len(table), np.nan)
    show = as_text if table.grouping is Grouping.FUNCTION else _file
    columns = [
        TableColumn(table.grouping.value, 26, show=show, grow=True, clip=clip_name),
        TableColumn(CYCLES, 15, right=True, show=_count),
        TableColumn("share", 7, right=True, show=_percent),
    ]
    data: list[Any] = [first, cycles, share]
    if table.inclusive is not None:
        columns.append(TableColumn(f"{table.events[0]} incl.", 15, right=True, show=_count))
        data.append(table.inclusive)
    for rate, values in table.rates():
        columns.append(TableColumn(rate.title, 9, right=True, show=_percent))
        data.append(values)
    for event, values in zip(table.events, table.counts, strict=True):
        columns.append(TableColumn(event, 15, right=True, show=_count))
        data.append(values)
    columns.extend(TableColumn(name.title, 30, show=_file) for name in table.names[1:])
    data.extend(names[1:])
    return Listing(table, names, tuple(columns), ColumnRows(data), whole)


def summed_up(listing: Listing, weights: Mapping[str, int]) -> str:
    """All costs in a line: the first event, and of what the estimate is made."""
    table = listing.table
    used = [f"{weights[e]}×{e}" for e in table.events if weights.get(e)]
    first = table.events[0] if table.events else ""
    whole = f"{short_count(table.totals()[first])} {first}, " if first else ""
    return (
        f"All: {whole}{short_count(listing.cycles)} est. cycles = "
        f"{' + '.join(used) or '0'}; simulated, not a time"
    )


def _file(value: Value) -> str:
    """The name first, its folder after it: the end of a path tells more than its start."""
    folder, slash, name = str(value).rpartition("/")
    return f"{name}  {folder}/" if slash and name else str(value)


def _count(value: Value) -> str:
    return count(None if value is None else round(float(value)))


def _percent(value: Value) -> str:
    return "–" if value is None else f"{100 * float(value):.1f} %"
