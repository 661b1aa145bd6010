"""The costs' share of a page: figures, the function table, and source files with line costs."""

from array import array
from collections.abc import Iterator, Sequence
from typing import Any

from collectors.records.cost import CostProfile
from profiler.charts.cost import top_functions_figure, treemap_figure
from profiler.functions import FunctionCosts, estimate_formula, listed_names, weights_of
from profiler.sources import SourceFile, Sources
from profiler.visible import visible

MOST_FUNCTIONS = 6000
MOST_SOURCES = 40
MOST_SOURCE_LINES = 60_000


def _table(costs: FunctionCosts) -> dict[str, Any]:
    """The function table's columns: the costliest, and what the rest sums to."""
    count = min(len(costs), MOST_FUNCTIONS)
    weights = weights_of(costs.events)
    files: dict[str, int] = {}
    file_of = array("i", (files.setdefault(costs.files[i], len(files)) for i in range(count)))
    return {
        "events": list(costs.events),
        "functions": [visible(name, 2000) for name in costs.functions[:count]],
        "names": [
            visible(name, 500)
            for name in listed_names(costs.functions[:count], costs.files[:count])
        ],
        "files": [visible(name, 500) for name in files],
        "file": file_of,
        "counts": [array("d", row[:count].tolist()) for row in costs.counts],
        "cycles": array("d", costs.cycles[:count].tolist()),
        "totals": [float(row.sum()) for row in costs.counts],
        "total_cycles": float(costs.cycles.sum()),
        "ranked_by": visible(costs.ranked_by, 100),
        "weights": [weights.get(event, 0) for event in costs.events],
        "formula": estimate_formula(costs.events),
        "all_functions": len(costs),
    }


def _file_order(profiles: Sequence[CostProfile]) -> list[str]:
    """Files by what their lines cost, the costliest first."""
    import numpy as np

    sums: dict[str, float] = {}
    for profile in profiles:
        weight_of = weights_of(profile.events)
        cost = np.zeros(len(profile))
        for name, column in zip(profile.events, profile.counts, strict=True):
            if name in weight_of:
                cost += weight_of[name] * np.asarray(column, dtype=np.float64)
        per_file = np.bincount(
            np.asarray(profile.row_file), weights=cost, minlength=len(profile.files)
        )
        for name, value in zip(profile.files, per_file.tolist(), strict=True):
            sums[name] = sums.get(name, 0.0) + value
    return [
        name
        for name, value in sorted(sums.items(), key=lambda item: (-item[1], item[0]))
        if value
    ]


def _line_costs(
    profiles: Sequence[CostProfile], chosen: Sequence[str], events: Sequence[str]
) -> list[tuple[Any, Any]]:
    """For each chosen file its line numbers and, per event, their costs."""
    import numpy as np

    wanted = {name: place for place, name in enumerate(chosen)}
    lines: list[Any] = []
    places: list[Any] = []
    columns: list[list[Any]] = [[] for _ in events]
    for profile in profiles:
        place_of_file = np.array(
            [wanted.get(name, -1) for name in profile.files], dtype=np.int64
        )
        if not len(place_of_file):
            continue
        place = place_of_file[np.asarray(profile.row_file)]
        rows = np.flatnonzero(place >= 0)
        places.append(place[rows])
        lines.append(np.asarray(profile.row_line)[rows])
        for number, event in enumerate(events):
            if event in profile.events:
                column = np.asarray(profile.counts[profile.events.index(event)])[rows]
            else:
                column = np.zeros(len(rows))
            columns[number].append(column.astype(np.float64))
    if not lines:
        return [(np.zeros(0, dtype=np.int64), np.zeros((len(events), 0))) for _ in chosen]
    all_places, all_lines = np.concatenate(places), np.concatenate(lines).astype(np.int64)
    all_columns = [np.concatenate(column) for column in columns]
    result: list[tuple[Any, Any]] = []
    for place in range(len(chosen)):
        rows = np.flatnonzero(all_places == place)
        numbers, inverse = np.unique(all_lines[rows], return_inverse=True)
        sums = np.array(
            [
                np.bincount(inverse, weights=column[rows], minlength=len(numbers))
                for column in all_columns
            ]
        )
        result.append((numbers, sums.reshape(len(events), len(numbers))))
    return result


def _chosen_sources(order: Sequence[str], sources: Sources) -> list[SourceFile]:
    found: list[SourceFile] = []
    lines = 0
    for name in order[: MOST_SOURCES * 4]:
        source = sources.read(name)
        if source is None or lines + len(source.lines) > MOST_SOURCE_LINES:
            continue
        lines += len(source.lines)
        found.append(source)
        if len(found) == MOST_SOURCES:
            break
    return found


def cost_parts(
    profiles: Sequence[CostProfile], costs: FunctionCosts, sources: Sources
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The parts of all processes together: source files, then the overview that lists them."""
    files = _chosen_sources(_file_order(profiles), sources) if sources.allowed else []
    rows = _line_costs(profiles, [file.path for file in files], costs.events)
    listed: list[dict[str, Any]] = []
    for number, (file, (numbers, sums)) in enumerate(zip(files, rows, strict=True)):
        name = f"source-{number}"
        listed.append({"path": visible(file.path, 500), "part": name, "newer": file.newer})
        yield (
            name,
            {
                "path": visible(file.path, 500),
                "lines": [visible(line.expandtabs(4), 400) for line in file.lines],
                "line": array("i", numbers.tolist()),
                "counts": [array("d", row.tolist()) for row in sums],
            },
        )
    figures = {"cost-top": top_functions_figure(costs)}
    if len(costs) > 1:
        figures["cost-treemap"] = treemap_figure(costs)
    yield "cost", {"figures": figures, "sources": listed, **_table(costs)}
