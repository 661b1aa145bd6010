"""A fleet as text: progress on standard error, the overview as tables."""

from profiler import figures
from profiler.fleet.ledger import CellEntry, CellState
from profiler.fleet.overview import FleetOverview
from profiler.metrics import unit_of
from profiler.trend import written
from tui.text import printable, table_lines, warn

SIGNS = {
    CellState.DONE: "✔",
    CellState.FAILED: "✖",
    CellState.RUNNING: "…",
    CellState.PENDING: "–",
}
_MOST_FAILURES = 20


class FleetTeller:
    """Says each change of a cell in one line."""

    def __init__(self, cells: int) -> None:
        self._cells = cells
        self._ended: set[str] = set()

    def __call__(self, entry: CellEntry) -> None:
        name = f"{entry.device}  {entry.target}  {entry.tools}  #{entry.repeat}"
        if entry.state in (CellState.DONE, CellState.FAILED):
            self._ended.add(entry.id)
        place = f"[{len(self._ended)}/{self._cells}]"
        last = entry.attempts[-1] if entry.attempts else None
        match entry.state:
            case CellState.RUNNING:
                warn(f"{place} {name}: started")
            case CellState.DONE:
                took = "done before" if last is None else figures.duration(last.wall_seconds)
                warn(f"{place} {name}: done ({took})")
            case CellState.FAILED:
                warn(f"{place} {name}: failed: {entry.reason}")
            case CellState.PENDING:
                if last is not None:
                    warn(f"{place} {name}: lost, will be tried again: {entry.reason}")


def overview_lines(overview: FleetOverview) -> list[str]:
    """The matrix, what failed and why, medians by device; outliers are marked with `!`."""
    tally = ", ".join(
        f"{overview.count(state)} {state.value}" for state in CellState if overview.count(state)
    )
    lines = [f"{figures.plural(len(overview.entries), 'cell')}: {tally}", ""]
    lines += table_lines(
        ("target", "tools", *overview.devices),
        [
            (
                row[0],
                row[1],
                *(
                    "".join(SIGNS[e.state] for e in overview.cells(device, row)) or " "
                    for device in overview.devices
                ),
            )
            for row in overview.rows
        ],
    )
    if overview.failed:
        lines += ["", "What failed:"]
        lines += [
            f"  {printable(entry.id)}: {printable(entry.reason)}"
            for entry in overview.failed[:_MOST_FAILURES]
        ]
        more = len(overview.failed) - _MOST_FAILURES
        if more > 0:
            lines.append(f"  and {more} more (--json lists all)")
    if overview.metrics:
        lines += ["", "Medians over the repeats (! stands out among the devices):"]
        lines += table_lines(
            ("target", "metric", *overview.devices),
            [
                (
                    row.target,
                    row.metric,
                    *(
                        next(
                            (
                                written(unit_of(row.metric), figure.median)
                                + (" !" if figure.outlier else "")
                                for figure in row.devices
                                if figure.device == device
                            ),
                            figures.NOT_MEASURED,
                        )
                        for device in overview.devices
                    ),
                )
                for row in overview.metrics
            ],
            right=range(2, 2 + len(overview.devices)),
        )
    return lines
