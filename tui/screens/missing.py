"""The place of a screen that this build does not have."""

from profiler.store import Session
from tui.screens.session_screen import SessionScreen


class MissingScreen(SessionScreen[None]):
    """Says where else its figures can be seen."""

    empty = (
        "This screen is not in this build: `droidgrind show` and `droidgrind report` have it."
    )

    def __init__(self, mode: str) -> None:
        super().__init__()
        self._mode = mode

    def refresh_frame(self) -> None:
        super().refresh_frame()
        from tui.widgets.frame_lines import TabLine

        if self.is_mounted:
            self.query_one(TabLine).present = self._mode

    def read(self, session: Session) -> None:
        return None
