"""What the cache screen shows: the costs of a session, and one file with its lines' costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collectors import registry
from collectors.records.cost import CostProfile
from collectors.records.shared import Shape
from profiler.aggregate.cost import by_line
from profiler.aggregate.cost_table import RATES, CostTable, Grouping, cost_table
from profiler.figures import count
from profiler.functions import short_name
from profiler.source_map import session_sources
from profiler.sources import SourceFile, Sources
from profiler.store import Session
from tui.widgets.column_rows import ColumnRows, Names
from tui.widgets.line_table import TableColumn, Value
from tui.widgets.source_view import LineCost

CYCLES = "est. cycles"


@dataclass(frozen=True, slots=True)
class CostRun:
    """What one tool counted, over all processes."""

    tool: str
    profiles: tuple[CostProfile, ...]


@dataclass(frozen=True, slots=True)
class CostContent:
    """The runs of a session; `table` is that of the first, by function."""

    runs: tuple[CostRun, ...]
    table: CostTable
    sources: Sources


def read_costs(session: Session) -> CostContent | None:
    """Every tool that counted, apart: two counted the same run, and do not add up."""
    known = registry.tool_names()
    runs: list[CostRun] = []
    for tool in session.tools:
        if tool in known and registry.tool(tool).shape is Shape.COST:
            group = [p for p in session.profiles(tool) if isinstance(p, CostProfile)]
            if group:
                runs.append(CostRun(tool, tuple(group)))
    if not runs:
        return None
    table = cost_table(runs[0].profiles, Grouping.FUNCTION)
    return CostContent(tuple(runs), table, session_sources(session))


@dataclass(frozen=True, slots=True)
class Shown:
    """A table ready to be shown: its columns, its rows, and the sum of estimated cycles."""

    columns: tuple[TableColumn, ...]
    rows: ColumnRows
    cycles: float


def shown_table(table: CostTable, weights: Mapping[str, int], names: Sequence[Names]) -> Shown:
    """The table's figures as columns: name, cycles, share, rates, events, other names."""
    import numpy as np

    cycles = table.cycles(weights)
    whole = float(cycles.sum())
    share = cycles / whole if whole else np.full(len(table), np.nan)
    show = _function if table.grouping is Grouping.FUNCTION else _file
    columns = [
        TableColumn(table.grouping.value, 26, show=show, grow=True),
        TableColumn(CYCLES, 15, right=True, show=_count),
        TableColumn("share", 7, right=True, show=_percent),
    ]
    data: list[Any] = [names[0], cycles, share]
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
    return Shown(tuple(columns), ColumnRows(data), whole)


def _function(value: Value) -> str:
    return short_name(str(value))


def _file(value: Value) -> str:
    """The name first, its folder after it: the end of a path tells more than its start."""
    folder, slash, name = str(value).rpartition("/")
    return f"{name}  {folder}/" if slash and name else str(value)


def _count(value: Value) -> str:
    return count(None if value is None else round(float(value)))


def _percent(value: Value) -> str:
    return "–" if value is None else f"{100 * float(value):.1f} %"


@dataclass(frozen=True, slots=True, eq=False)
class Annotated:
    """A file with the costs of its lines; `source` is None where it cannot be read here."""

    path: str
    source: SourceFile | None
    events: tuple[str, ...]
    costs: Mapping[int, tuple[int, ...]]


def annotated(profiles: Sequence[CostProfile], path: str, sources: Sources) -> Annotated:
    """Read a file and sum the costs of its lines."""
    sums = by_line(profiles, path)
    lines = dict(zip(sums.keys, zip(*sums.counts, strict=True), strict=True))
    return Annotated(path, sources.read(path), sums.events, lines)


def line_costs(
    file: Annotated, title: str, weights: Mapping[str, int]
) -> tuple[str, dict[int, LineCost]]:
    """Each line's cost by the figure of that title (a rate: by the events that miss)."""
    rate = next((rate for rate in RATES if rate.title == title), None)
    if title in file.events:
        wanted: Mapping[str, int] = {title: 1}
    elif rate is not None:
        title, wanted = " + ".join(rate.events), dict.fromkeys(rate.events, 1)
    else:
        title, wanted = CYCLES, weights
    factors = [wanted.get(event, 0) for event in file.events]
    return title, {
        line: LineCost(
            sum(n * factor for n, factor in zip(counts, factors, strict=True)), counts
        )
        for line, counts in file.costs.items()
    }
