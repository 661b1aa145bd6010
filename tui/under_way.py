"""What goes on while screens are looked at: a recording, a session that is being written."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from collectors.errors import InputError
from profiler.manifest import State
from profiler.store import Session, open_session
from tui.theme import sign

if TYPE_CHECKING:
    from tui.recording_feed import RecordingFeed
    from tui.screens.recording import RecordingScreen

LOOK_SECONDS = 2.0


class UnderWay:
    """The recording that the dashboard makes, if it makes one."""

    def __init__(self) -> None:
        self.screen: RecordingScreen | None = None

    @property
    def feed(self) -> "RecordingFeed | None":
        """What the recording tells; None where none runs."""
        screen = self.screen
        return screen.feed if screen is not None and screen.under_way else None

    def mark(self, *, ascii_only: bool) -> str:
        """`● recording 2/4`, for every screen's heading; nothing where none runs."""
        feed = self.feed
        if feed is None:
            return ""
        return f"{sign('info', ascii_only=ascii_only)} recording {feed.place}"

    def writes(self, directory: Path) -> bool:
        """Whether the recording writes the session in `directory`."""
        feed = self.feed
        if feed is None or feed.directory is None:
            return False
        return feed.directory.resolve() == directory.resolve()


def changed_since(session: Session) -> Session | None:
    """A session that is being written, opened again; None where nothing changed."""
    if session.state is not State.RECORDING:
        return None
    try:
        again = open_session(session.directory).with_suppressions(session.suppressions)
    except InputError:  # deleted meanwhile: what was read of it is all there is
        return None
    same = again.manifest == session.manifest and again.state is session.state
    return None if same else again


def look_again(session: Session | None, use: Callable[[Session], None]) -> None:
    """Let `use` have the open session as it is now, where it was written on."""
    again = None if session is None else changed_since(session)
    if again is not None:
        use(again)
