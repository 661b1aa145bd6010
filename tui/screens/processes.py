"""Which process? The list to choose one from, whose threads are then watched."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from collectors.devices.device import Device
from profiler.watching.processes import ProcessLine, list_processes
from tui.widgets.filter_input import FilterInput
from tui.widgets.frame_lines import Notice
from tui.widgets.line_table import LineTable, TableColumn, Value
from tui.workers import run_in_thread


def _percent(value: Value) -> str:
    return f"{100 * value:.1f}" if isinstance(value, float) else ""


class ProcessesScreen(ModalScreen[int | None]):
    """Gives the pid that was chosen, or None."""

    help_text = "The device's processes, the busiest first. Enter watches the threads of one."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("r", "reload", "Look again"),
        Binding("escape", "close", "Close", key_display="Esc"),
    ]

    def __init__(self, device: Device) -> None:
        super().__init__()
        self._device = device

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="tall") as box:
            box.border_title = "Which process?"
            box.border_subtitle = "Enter: watch its threads   /: filter   Esc: close"
            yield Notice(id="notice")
            yield FilterInput(widget_id="filter")
            yield LineTable(
                (
                    TableColumn("PID", 7, right=True),
                    TableColumn("process", 16, grow=True),
                    TableColumn("CPU %", 7, right=True, show=_percent),
                    TableColumn("threads", 7, right=True),
                ),
                leads=True,
                widget_id="processes",
            )

    def on_mount(self) -> None:
        self.query_one(LineTable).focus()
        self.action_reload()

    def action_reload(self) -> None:
        notice = self.query_one(Notice)
        notice.text, notice.severity = "Looking at the processes …", ""
        run_in_thread(self, lambda: list_processes(self._device), self._show, self._failed)

    def _show(self, lines: list[ProcessLine]) -> None:
        self.query_one(Notice).display = False
        rows = [(line.pid, line.name, line.share, line.threads) for line in lines]
        self.query_one(LineTable).set_rows(rows)

    def _failed(self, reason: str) -> None:
        notice = self.query_one(Notice)
        notice.text, notice.severity, notice.display = reason, "error", True

    def action_filter(self) -> None:
        self.query_one(FilterInput).open(self.query_one(LineTable))

    def on_filter_input_filtered(self, event: FilterInput.Filtered) -> None:
        self.query_one(LineTable).set_filter(event.text)

    def on_line_table_row_selected(self, event: LineTable.RowSelected) -> None:
        pid = self.query_one(LineTable).rows[event.row][0]
        self.dismiss(pid if isinstance(pid, int) else None)

    def action_close(self) -> None:
        self.dismiss(None)
