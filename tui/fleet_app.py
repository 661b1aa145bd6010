"""A fleet while it runs: the matrix, each cell's state, and why what failed did."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from profiler.figures import duration, plural
from profiler.fleet.ledger import CellEntry, CellState
from profiler.fleet.overview import FleetOverview, overview_of
from profiler.recording.progress import StopRequest
from tui.fleet_text import SIGNS
from tui.messages import Status
from tui.theme import DEFAULT_THEME, themes
from tui.widgets.frame_lines import HeaderLine, Notice
from tui.widgets.line_table import LineTable, Row, TableColumn
from tui.workers import run_in_thread

_DEVICE_CELLS = 14


class CellChanged(Message):
    """A cell's line in the ledger is another."""

    def __init__(self, entry: CellEntry) -> None:
        super().__init__()
        self.entry = entry


class FleetApp(App[None]):
    """Shows `entries` and what becomes of them while `carry_out` runs in a thread.

    `carry_out` is given what to call for each change; the application ends when the person
    quits, which asks `stop` first where cells still run.
    """

    CSS_PATH = "droidgrind.tcss"
    CSS = "#cells-box { height: 1fr; }"
    TITLE = "droidgrind"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "stop", "Stop, then quit"),
        Binding("ctrl+c", "stop", "Stop", show=False, priority=True),
    ]

    def __init__(
        self,
        name: str,
        entries: Sequence[CellEntry],
        carry_out: Callable[[Callable[[CellEntry], None]], object],
        stop: StopRequest,
        *,
        theme: str = DEFAULT_THEME,
        ascii_only: bool = False,
    ) -> None:
        super().__init__()
        self._name = name
        self._entries = {entry.id: entry for entry in entries}
        self._carry_out = carry_out
        self._stop = stop
        self._over = False
        self._chosen: str | None = None
        for known in themes():
            self.register_theme(known)
        self.theme = theme
        if ascii_only:
            self.add_class("-ascii")

    def compose(self) -> ComposeResult:
        overview = self._overview()
        yield HeaderLine()
        with Vertical(id="tools-box", classes="box") as matrix:
            matrix.border_title = "What ran where?"
            matrix.border_subtitle = "one sign a repeat: ✔ done  ✖ failed  … running  – waiting"
            yield LineTable(
                (
                    TableColumn("target", 18),
                    TableColumn("tools", 26),
                    *(TableColumn(device, _DEVICE_CELLS) for device in overview.devices),
                ),
                widget_id="tools",
            )
        with Vertical(id="cells-box", classes="box") as cells:
            cells.border_title = "How is each cell?"
            yield LineTable(
                (
                    TableColumn("", 1),
                    TableColumn("device", _DEVICE_CELLS),
                    TableColumn("target", 18),
                    TableColumn("tools", 26),
                    TableColumn("repeat", 6, right=True),
                    TableColumn("tries", 5, right=True),
                    TableColumn("took", 10, right=True),
                    TableColumn("reason", 40, grow=True),
                ),
                widget_id="cells",
            )
        yield Notice(id="facts")

    def on_mount(self) -> None:
        self._fill()
        self.query_one("#cells", LineTable).focus()
        run_in_thread(
            self.query_one("#cells", LineTable),
            lambda: self._carry_out(self._told),
            self._ended,
            lambda reason: self.exit(message=reason, return_code=1),
        )

    def _told(self, entry: CellEntry) -> None:
        """Called from the fleet's own thread."""
        self.post_message(CellChanged(entry))

    def on_cell_changed(self, message: CellChanged) -> None:
        self._entries[message.entry.id] = message.entry
        self._fill()

    def on_line_table_row_highlighted(self, message: LineTable.RowHighlighted) -> None:
        if message.table.id == "cells":
            self._chosen = list(self._entries)[message.row]
            self.query_one("#facts", Notice).text = self._advice()

    def _ended(self, _result: object) -> None:
        self._over = True
        self._fill()
        if self._stop:
            self.exit()

    def action_stop(self) -> None:
        """Ask once: running cells end; twice: they are told to; when all is over: quit."""
        if self._over:
            self.exit()
            return
        self._stop.ask()
        self._fill()

    def _overview(self) -> FleetOverview:
        return overview_of(self._entries.values())

    def _fill(self) -> None:
        overview = self._overview()
        ended = overview.count(CellState.DONE) + overview.count(CellState.FAILED)
        state = "over" if self._over else "stopping" if self._stop else "running"
        failed = overview.count(CellState.FAILED)
        self.query_one(HeaderLine).status = Status(
            f"fleet {self._name}",
            f"{ended} of {plural(len(self._entries), 'cell')}",
            f"{failed} failed  {state}" if failed else state,
            "error" if failed else "ok" if self._over else "info",
        )
        rows: list[Row] = [
            (
                row[0],
                row[1],
                *(
                    "".join(SIGNS[entry.state] for entry in overview.cells(device, row))
                    for device in overview.devices
                ),
            )
            for row in overview.rows
        ]
        self.query_one("#tools", LineTable).set_rows(rows)
        self.query_one("#cells", LineTable).set_rows([_row(e) for e in self._entries.values()])
        self.query_one("#facts", Notice).text = self._advice()

    def _advice(self) -> str:
        entry = self._entries.get(self._chosen or "")
        if entry is not None and entry.state is CellState.FAILED:
            return f"{entry.id}: {entry.reason}"
        if self._over:
            return "All is over: q quits and prints the overview."
        if self._stop.times > 1:
            return "Running recordings were told to end; what they measured is kept."
        if self._stop:
            return "No more cells are started; running ones are waited for. q again ends them."
        return "q stops: no more cells are started then. Started again, the plan goes on here."


def _row(entry: CellEntry) -> Row:
    last = entry.attempts[-1] if entry.attempts else None
    return (
        SIGNS[entry.state],
        entry.device,
        entry.target,
        entry.tools,
        entry.repeat,
        len(entry.attempts),
        None if last is None else duration(last.wall_seconds),
        "" if entry.state is CellState.DONE else entry.reason,
    )
