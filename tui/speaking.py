"""An application that speaks in a line above its keys: boxes would cover what they tell of."""

from textual.app import App
from textual.content import Content
from textual.message import Message
from textual.notifications import SeverityLevel

from tui.screens.frame import FrameScreen
from tui.widgets.frame_lines import KeyLine
from tui.widgets.message_line import MessageLine


class Said(Message):
    """Something is to be told for some seconds."""

    def __init__(self, text: str, severity: SeverityLevel, seconds: float) -> None:
        super().__init__()
        self.text = text
        self.severity: SeverityLevel = severity
        self.seconds = seconds


class SpeakingApp(App[int]):
    """Its `notify` covers nothing; what it said goes with the screen that it was said on."""

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """May be called from any thread."""
        text = Content.from_markup(message).plain if markup else message
        text = f"{title}: {text}" if title else text
        seconds = self.NOTIFICATION_TIMEOUT if timeout is None else timeout
        self.post_message(Said(text, severity, seconds))

    def on_said(self, message: Said) -> None:
        self.unsay()
        screen = self.screen
        framed = isinstance(screen, FrameScreen)
        line = MessageLine(message.text, message.severity, over=not framed)
        screen.mount(line, before=screen.query_one(KeyLine) if framed else None)
        line.set_timer(message.seconds, line.remove)

    def unsay(self) -> None:
        """Take away what was said."""
        for screen in self.screen_stack:
            for line in screen.query(MessageLine):
                line.display = False  # at once: what removes it waits for its turn
                line.remove()
