"""A fleet as text: progress on standard error, the overview as tables."""

from collections.abc import Iterator, Sequence

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
_MOST_REASONS = 20
_MOST_CELLS = 6


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


def _failures(failed: Sequence[CellEntry]) -> Iterator[str]:
    """Cells by the reason: one phone that is away fails all of its own."""
    by_reason: dict[str, list[str]] = {}
    for entry in failed:
        by_reason.setdefault(entry.reason, []).append(entry.id)
    for reason, cells in [*by_reason.items()][:_MOST_REASONS]:
        yield f"  {printable(reason)}"
        names = ", ".join(map(printable, cells[:_MOST_CELLS]))
        more = len(cells) - _MOST_CELLS
        yield f"    {names}, and {more} more" if more > 0 else f"    {names}"
    if len(by_reason) > _MOST_REASONS:
        yield f"  and {len(by_reason) - _MOST_REASONS} more reasons (--json lists all)"


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
        lines += ["", "What failed:", *_failures(overview.failed)]
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
