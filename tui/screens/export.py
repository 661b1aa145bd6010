"""`e`: the screen as an SVG picture, or the session as an HTML report."""

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from profiler.store import Session
from tui.workers import run_in_thread, write_report_beside


class ExportScreen(ModalScreen[None]):
    """Asks what to write, and says where it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "picture", "Screen as SVG"),
        Binding("h", "page", "Session as HTML"),
        Binding("escape", "dismiss", "Close", key_display="Esc"),
    ]
    help_text = "Writes what is shown (SVG), or the whole session as one HTML page."

    def __init__(self, session: Session | None) -> None:
        super().__init__()
        self._session = session

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static("Export", markup=False)
            yield OptionList(
                Option("s  This screen as a picture (SVG)", id="picture"),
                Option(
                    "h  The session as one HTML page (report.html)",
                    id="page",
                    disabled=self._session is None,
                ),
            )

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        if event.option.id == "picture":
            self.action_picture()
        elif event.option.id == "page":
            self.action_page()

    def action_picture(self) -> None:
        folder = self._session.directory if self._session else Path.cwd()
        app = self.app
        self.dismiss()

        def save() -> None:
            try:
                name = app.save_screenshot(path=str(folder))
            except OSError as error:
                app.notify(f"{folder}: {error.strerror}", severity="error", markup=False)
            else:
                app.notify(name, title="Picture written", markup=False)

        app.call_after_refresh(save)

    def action_page(self) -> None:
        session, app = self._session, self.app
        if session is None:
            return
        below = app.screen_stack[-2] if len(app.screen_stack) > 1 else app.screen
        self.dismiss()
        app.notify("Writing the report …", timeout=2)
        run_in_thread(
            below,
            lambda: write_report_beside(session),
            lambda file: app.notify(str(file), title="Report written", markup=False),
            lambda reason: app.notify(reason, severity="error", markup=False),
        )
