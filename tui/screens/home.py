"""What is plugged in, and what was recorded."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget

from profiler.session_list import SessionLine, list_sessions
from tui.figures import NOT_MEASURED, duration
from tui.messages import Loaded, LoadFailed, OpenSession
from tui.screens.frame import FrameScreen
from tui.widgets.frame_lines import Notice
from tui.widgets.line_table import LineTable, Row, TableColumn
from tui.workers import load

SESSION_COLUMNS = (
    TableColumn("recorded", 16),
    TableColumn("state", 9),
    TableColumn("target", 20, grow=True),
    TableColumn("device", 18),
    TableColumn("tools", 20),
    TableColumn("took", 12, right=True),
)


class HomeScreen(FrameScreen):
    """Devices and sessions."""

    mode_name = "home"
    help_text = "The stored sessions, the newest first. Enter opens one."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("R", "reload", "Look again", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[SessionLine] = []
        self._asked = 0

    def compose_body(self) -> Iterable[Widget]:
        with Vertical(id="sessions-box", classes="box") as box:
            box.border_title = "What was recorded?"
            yield Notice(id="notice")
            yield LineTable(SESSION_COLUMNS, widget_id="sessions")

    def on_mount(self) -> None:
        self.query_one(LineTable).focus()
        self.action_reload()

    def action_reload(self) -> None:
        self._asked += 1
        root = self.dashboard.root
        load(self, self._asked, lambda: list_sessions(root))

    def on_loaded(self, message: Loaded) -> None:
        if message.asked != self._asked or not isinstance(message.content, list):
            return
        self._lines = message.content
        notice = self.query_one(Notice)
        notice.display = not self._lines
        notice.text = (
            f"No session in {self.dashboard.root} yet: "
            "`droidgrind record -- PROGRAM ARGS…` makes one."
        )
        self.query_one(LineTable).set_rows([_row(line) for line in self._lines])

    def on_load_failed(self, message: LoadFailed) -> None:
        notice = self.query_one(Notice)
        notice.text, notice.severity, notice.display = message.reason, "error", True

    def _chosen(self) -> SessionLine | None:
        table = self.query_one(LineTable)
        if not table.shown:
            return None
        return self._lines[table.shown[table.cursor]]

    def on_line_table_row_selected(self, _event: LineTable.RowSelected) -> None:
        line = self._chosen()
        if line is not None:
            self.post_message(OpenSession(line.directory))


def _row(line: SessionLine) -> Row:
    return (
        line.created[:16].replace("T", " "),
        line.state.value if line.state else "damaged",
        line.target or line.trouble or "",
        line.device,
        ", ".join(line.tools),
        NOT_MEASURED if line.wall_seconds is None else duration(line.wall_seconds),
    )


SCREEN = HomeScreen
