"""What every screen has around it: header line, tabs, keys; help and export."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widget import Widget

from tui.messages import GoTo, Status
from tui.theme import sign
from tui.widgets.frame_lines import HeaderLine, KeyLine, TabLine
from tui.widgets.table_columns import TableColumn, paint_severity

if TYPE_CHECKING:
    from tui.app import Dashboard


class FrameScreen(Screen[None]):
    """A full screen. Subclasses give `compose_body`, their bindings and `help_text`."""

    mode_name: ClassVar[str] = ""
    tab_name: ClassVar[str] = ""  # the tab that is marked, where it is not the mode
    help_text: ClassVar[str] = ""
    # A low screen has room for rows or for words on them.
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-high")]  # noqa: RUF012

    @property
    def dashboard(self) -> "Dashboard":
        return cast("Dashboard", self.app)

    def compose(self) -> ComposeResult:
        yield HeaderLine()
        yield TabLine()
        yield from self.compose_body()
        yield KeyLine()

    def compose_body(self) -> Iterable[Widget]:
        """The widgets between tabs and keys."""
        return ()

    def on_mount(self) -> None:
        self.refresh_frame()

    def on_screen_resume(self) -> None:
        self.refresh_frame()
        self.refresh_bindings()  # what keys do may have changed while another was shown

    def look(self) -> None:
        """Another session is open, or a recording began or ended: show what is now."""

    def refresh_frame(self) -> None:
        """Bring the lines around the screen up to date."""
        if not self.is_mounted:
            return
        self.refresh_status()
        tabs = self.query_one(TabLine)
        tabs.labels = self.dashboard.tab_labels()
        tabs.present = self.tab_name or self.mode_name

    def refresh_status(self) -> None:
        """Bring the header line up to date."""
        mark = self.dashboard.recording_mark()
        self.query_one(HeaderLine).status = replace(self.status(), recording=mark)

    def status(self) -> Status:
        return self.dashboard.session_status()

    def severity_column(self) -> TableColumn:
        """A column of severities, each as a sign in its colour."""
        return TableColumn(
            "",
            1,
            show=lambda value: sign(str(value), ascii_only=self.dashboard.ascii_only),
            paint=paint_severity,
        )

    def on_tab_line_chosen(self, message: TabLine.Chosen) -> None:
        self.post_message(GoTo(message.mode))
