"""A tab of an open session: its profiles are read in a worker when it is first looked at."""

from collections.abc import Iterable
from typing import ClassVar, Generic, TypeVar, cast

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.widget import Widget

from profiler.manifest import State
from profiler.store import Session
from tui.messages import Loaded, LoadFailed
from tui.screens.frame import FrameScreen
from tui.widgets.frame_lines import HeaderLine, KeyLine, Notice, TabLine
from tui.workers import load

Content = TypeVar("Content")
_GROWING = "Nothing of this yet: the session is still being recorded."


class SessionScreen(FrameScreen, Generic[Content]):
    """Shows one part of a session. A subclass has

    - `mode_name` (its name in `tui.app.TABS`), `help_text` and `empty`, which says what
      would be here and how to get it;
    - `compose_content`, its widgets, without any figures yet;
    - `read`, which runs in a worker thread, may take long and may raise `DroidgrindError`;
      it returns what the screen needs, or None where the session has nothing of it;
    - `show`, which puts that into the widgets, in the application's thread.

    `reveal` is called after `show` with the key that another screen led here by.
    """

    empty: ClassVar[str] = "Nothing of this was recorded."

    def __init__(self) -> None:
        super().__init__()
        self.content: Content | None = None
        self._session: Session | None = None
        self._asked = 0
        self._key: str | None = None

    def compose_content(self) -> Iterable[Widget]:
        return ()

    def read(self, session: Session) -> Content | None:
        raise NotImplementedError

    def show(self, content: Content) -> None:
        raise NotImplementedError

    def why_empty(self) -> str:
        """What is said where `read` found nothing."""
        return self.empty

    def reveal(self, key: str) -> None:
        """Put the cursor on what `key` names."""

    def compose(self) -> ComposeResult:
        yield HeaderLine()
        yield TabLine()
        yield Notice(id="notice")
        with Container(id="content"):
            yield from self.compose_content()
        yield KeyLine()

    def on_mount(self) -> None:  # Textual calls the one of `FrameScreen` too
        self.query_one("#content").display = False
        self.look()

    def on_screen_resume(self) -> None:
        self.look()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What a screen does with its figures it cannot do without them."""
        if self.content is None and action in self._own_actions():
            return False
        return super().check_action(action, parameters)

    @classmethod
    def _own_actions(cls) -> set[str]:
        own = Binding.make_bindings(vars(cls).get("BINDINGS", ()))
        return {binding.action.partition("(")[0] for binding in own}

    def go_to(self, key: str) -> None:
        """Show what `key` names, now or as soon as it is read."""
        if self.content is not None and self._session is self.dashboard.session:
            self.reveal(key)
        else:
            self._key = key

    def look(self) -> None:
        """Read the open session, unless it is what is shown already."""
        session = self.dashboard.session
        if not self.is_mounted or (session is self._session and self._asked and session):
            return
        self._session = session
        self._asked += 1
        self.content = None
        self.refresh_bindings()
        if session is None:
            back = "r leads back to the recording that runs, or "
            way = back if self.dashboard.recording_mark() else ""
            self._say(f"No session is open: {way}press 0 and choose one.")
            return
        self._say(f"Reading {session.id} …")
        load(self, self._asked, lambda: self.read(session))

    def reload(self) -> None:
        """Read the session again (it is being written, or was changed)."""
        self._session = None
        self.look()

    def on_loaded(self, message: Loaded) -> None:
        if message.asked != self._asked:
            return
        message.stop()
        if message.content is None:
            growing = self._session is not None and self._session.state is State.RECORDING
            self._say(_GROWING if growing else self.why_empty())
            return
        self.content = cast("Content", message.content)
        self.query_one("#notice").display = False
        self.query_one("#content").display = True
        self.refresh_bindings()
        self.show(self.content)
        self._focus_first()
        if self._key is not None:
            self.reveal(self._key)
            self._key = None
        self.call_after_refresh(self.dashboard.settle)

    def _focus_first(self) -> None:
        if self.focused is None:
            self.focus_next()

    def on_load_failed(self, message: LoadFailed) -> None:
        if message.asked == self._asked:
            message.stop()
            self._say(message.reason, "error")

    def _say(self, text: str, severity: str = "") -> None:
        notice = self.query_one("#notice", Notice)
        notice.text, notice.severity = text, severity
        notice.display = True
        self.query_one("#content").display = False
