"""What changed between two sessions, as `droidgrind diff` says it; `h` writes it as a page."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from profiler.diff.compared import compared
from profiler.diff.sessions import SessionDiff, compare
from profiler.store import open_session
from tui.widgets.line_table import LineTable, TableColumn
from tui.workers import run_in_thread


def compare_directories(baseline: Path, session: Path) -> SessionDiff:
    """Read and compare two sessions; in a worker."""
    return compare(compared(open_session(baseline)), compared(open_session(session)))


def _write(diff: SessionDiff, output: Path) -> Path:
    from profiler.report.comparison import write_comparison

    return write_comparison(diff, output, force=True)


class ComparisonScreen(ModalScreen[None]):
    """The lines of a comparison."""

    help_text = "New, gone, more and less, the newer session against the baseline."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h", "page", "As an HTML page"),
        Binding("escape", "dismiss", "Close", key_display="Esc"),
    ]

    def __init__(self, diff: SessionDiff, lines: Sequence[str], output: Path) -> None:
        super().__init__()
        self._diff = diff
        self._lines = lines
        self._output = output

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="tall wide") as box:
            box.border_title = "What changed?"
            box.border_subtitle = "h: write it as an HTML page   Esc: close"
            yield LineTable((TableColumn("", 20, grow=True),), widget_id="changes")

    def on_mount(self) -> None:
        table = self.query_one(LineTable)
        table.set_rows([(line,) for line in self._lines])
        table.focus()

    def action_page(self) -> None:
        app = self.app
        run_in_thread(
            self,
            lambda: _write(self._diff, self._output),
            lambda file: app.notify(str(file), title="Comparison written", markup=False),
            lambda why: app.notify(why, severity="error", markup=False),
        )
