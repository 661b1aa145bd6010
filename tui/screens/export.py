"""`e`: the screen as an SVG picture, or the session as an HTML report."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen, Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from profiler.store import Session
from tui.screens.frame import FrameScreen
from tui.screens.session_screen import SessionScreen
from tui.workers import run_in_thread, write_report_beside

if TYPE_CHECKING:
    from tui.app import Dashboard


def picture_file(screen: Screen[Any], session: Session | None) -> Path:
    """A new file that is named for what is in the picture: a session's lies beside it."""
    mode = screen.mode_name if isinstance(screen, FrameScreen) else "screen"
    if isinstance(screen, SessionScreen) and session is not None:
        stem = session.directory / f"{session.id}-{mode}"
    else:
        stem = Path(f"droidgrind-{mode}")
    numbers = ("", *(f"-{number}" for number in range(2, 1000)))
    files = [Path(f"{stem}{number}.svg") for number in numbers]
    return next((file for file in files if not file.exists()), files[0])


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

    @property
    def dashboard(self) -> "Dashboard":
        return cast("Dashboard", self.app)

    @property
    def _below(self) -> Screen[Any]:
        """The screen that is exported."""
        stack = self.app.screen_stack
        return stack[-2] if len(stack) > 1 else self.app.screen

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
        app = self.dashboard
        below = self._below
        self.dismiss()

        def save() -> None:
            file = picture_file(below, self._session)
            try:
                app.save_screenshot(file.name, str(file.parent))
            except OSError as error:
                text = f"cannot write the picture {file}: {error.strerror}"
                app.notify(text, severity="error", markup=False)
            else:
                app.notify(str(file), title="Picture written", markup=False)

        def clear() -> None:  # what was said is no part of the picture
            app.unsay()
            app.call_after_refresh(save)

        app.call_after_refresh(clear)

    def action_page(self) -> None:
        session, app, below = self._session, self.app, self._below
        if session is None:
            return
        self.dismiss()
        app.notify("Writing the report …", timeout=2)
        run_in_thread(
            below,
            lambda: write_report_beside(session),
            lambda file: app.notify(str(file), title="Report written", markup=False),
            lambda reason: app.notify(reason, severity="error", markup=False),
        )
