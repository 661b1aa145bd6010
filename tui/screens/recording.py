"""A recording under way: its steps, what the target says, what was found so far."""

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget

from profiler.figures import count
from profiler.manifest import State
from profiler.recording.form import expected_seconds
from tui.messages import OpenSession, Status
from tui.recording_feed import RecordingFeed
from tui.recording_form import Request
from tui.screens.frame import FrameScreen
from tui.screens.recording_rows import Expected, late, no_errors, reasons, step_rows
from tui.widgets.frame_lines import Notice, TextLine
from tui.widgets.line_table import LineTable, TableColumn
from tui.widgets.recording_plot import RecordingPlot
from tui.workers import run_in_thread

_ASIDE_SECONDS = 4.0


class FeedChanged(Message):
    """The recording's thread has news."""


class RecordingScreen(FrameScreen):
    """One recording; it goes on when another screen is looked at."""

    mode_name = "recording"
    help_text = (
        "The steps of the recording, with the time that each took when the same command last "
        "came to its own end. What was found is grouped and weighed as on the errors screen; "
        "leaks are known when the program ends. x stops gracefully: the target is told to "
        "end, and what was measured is kept; pressed again, it does not wait. Other screens "
        "can be looked at meanwhile: r leads back here. Times under Valgrind are not times of "
        "the program."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "stop", "Stop"),
        Binding("o", "open", "Open the session"),
        Binding("o", "wait", "Open the session, when it has ended", show=False),
        Binding("r", "app.record", "New recording"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.feed: RecordingFeed | None = None
        self._expected: Expected = {}
        self._waiting = False
        self._opened = False
        self._seen = -1
        self._aside = ""

    def compose_body(self) -> Iterable[Widget]:
        yield Notice(id="notice")
        with Vertical(id="recording"):
            with Vertical(id="steps-box", classes="box"):
                yield LineTable(
                    (
                        TableColumn("step", 14, grow=True),
                        TableColumn("ran", 11, right=True),
                        TableColumn("expected", 11, right=True),
                        TableColumn("how it went", 24, grow=True),
                    ),
                    widget_id="steps",
                )
                yield Notice(id="reasons")
            with Horizontal(id="recording-below"):
                with Vertical(id="found-box", classes="box"):
                    yield LineTable(
                        (
                            self.severity_column(),
                            TableColumn("times", 5, right=True),
                            TableColumn("what", 20, grow=True),
                        ),
                        widget_id="found",
                    )
                with Vertical(id="recording-right"):
                    yield RecordingPlot(
                        ascii_only=self.dashboard.ascii_only, widget_id="live-box"
                    )
                    with Vertical(id="output-box", classes="box"):
                        yield LineTable(
                            (TableColumn("output", 20, grow=True),),
                            widget_id="output",
                        )
        yield TextLine(id="word")

    def on_mount(self) -> None:
        self._show_notice()

    def _show_notice(self) -> None:
        notice = self.query_one("#notice", Notice)
        notice.display = self.feed is None
        notice.text = "Nothing is being recorded: press r to begin."
        self.query_one("#recording").display = self.feed is not None

    @property
    def under_way(self) -> bool:
        return self.feed is not None and not self.feed.ended.is_set()

    def start(self, request: Request, root: Path) -> None:
        """Begin a recording in a worker."""
        if self.under_way:
            self.notify("a recording is under way: stop it first (x)", severity="warning")
            return
        self._expected = {}
        self._opened = False
        self._seen = -1
        self._aside = ""
        self.query_one(RecordingPlot).begin()
        self.query_one("#found", LineTable).set_filter("")
        self.feed = RecordingFeed(request, root, self._has_news)
        self._show_notice()
        self._draw()
        self.refresh_bindings()
        target = request.plan.target
        argv = target.argv if target else ()
        run_in_thread(
            self, lambda: expected_seconds(root, argv), self._set_expected, lambda _why: None
        )
        self.run_worker(self.feed.run, thread=True, group="recording")
        self.query_one("#output", LineTable).focus()
        self.refresh_frame()

    def _set_expected(self, found: dict[str, float]) -> None:
        self._expected = found
        self._draw()

    def _has_news(self) -> None:
        """Called from the recording's thread; many calls make one message."""
        if not self._waiting:
            self._waiting = True
            self.post_message(FeedChanged())

    def on_feed_changed(self, _message: FeedChanged) -> None:
        self._waiting = False
        self._draw()
        feed = self.feed
        if feed is not None and feed.ended.is_set() and not self._opened:
            self._opened = True
            self._end(feed)

    def _end(self, feed: RecordingFeed) -> None:
        word = self.query_one("#word", TextLine)
        if feed.failure is not None:
            word.say(feed.failure, "error")
        elif feed.recorded is not None:
            session = feed.recorded.session
            severity = "ok" if session.state is State.COMPLETE else "warning"
            word.say(f"{session.state}, stored as {session.id}; o: open it", severity)
            self.dashboard.recording_ended(session)
            if not self.is_current:
                self.notify("The recording has ended.", timeout=4)
        self.refresh_frame()

    def _draw(self) -> None:
        feed = self.feed
        if feed is None or not self.is_mounted:
            return
        self._draw_words(feed)
        ascii_only = self.dashboard.ascii_only
        self.query_one("#steps", LineTable).set_rows(
            step_rows(feed, self._expected, ascii_only=ascii_only)
        )
        self.query_one("#found", LineTable).set_rows(
            [(one.severity, count(one.times), one.text) for one in feed.found]
        )
        self._draw_output(feed)
        self.query_one(RecordingPlot).draw(feed)
        if not feed.ended.is_set():
            self._draw_word(feed)
        self.dashboard.recording_came_on()
        self.refresh_status()

    def _draw_word(self, feed: RecordingFeed) -> None:
        word = self.query_one("#word", TextLine)
        if feed.stop.times:
            word.say(
                "stopping: the tool writes its results; x again does not wait for them",
                "warning",
            )
        elif self._aside:
            word.say(self._aside, "info")
        else:
            behind = late(feed, self._expected)
            word.say(f"{behind}x stops gracefully and keeps what was measured")

    def _draw_words(self, feed: RecordingFeed) -> None:
        """What is asked of something that goes on, or has ended."""
        ended = feed.ended.is_set()
        for box, now, then in (
            ("#steps-box", "How far is it?", "How did it go?"),
            ("#found-box", "What was found so far?", "What was found?"),
            ("#output-box", "What does the target say?", "What did the target say?"),
        ):
            self.query_one(box).border_title = then if ended else now
        for table, empty in (
            ("#found", no_errors(feed)),
            ("#output", "nothing" if ended else "nothing yet"),
        ):
            self.query_one(table, LineTable).say_empty(empty)
        why = self.query_one("#reasons", Notice)
        why.text = "\n".join(reasons(feed))
        why.display = bool(why.text)

    def _draw_output(self, feed: RecordingFeed) -> None:
        if feed.lines_seen == self._seen:
            return
        self._seen = feed.lines_seen
        table = self.query_one("#output", LineTable)
        follows = table.cursor >= len(table.shown) - 1
        table.set_rows([(line,) for line in list(feed.lines)])
        if follows:
            table.action_last()

    def status(self) -> Status:
        feed = self.feed
        if feed is None:
            return Status()
        target = feed.plan.target
        label = shlex.join(target.argv) if target else "samplers only"
        if feed.ended.is_set():
            return Status("", label, "recording ended", "error" if feed.failure else "ok")
        return Status("", label)  # how far it is stands in every heading

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing are not offered."""
        if action in {"stop", "wait"}:
            return self.under_way
        if action == "open":
            return self.feed is not None and self.feed.recorded is not None
        return super().check_action(action, parameters)

    def action_stop(self) -> None:
        if self.feed is not None and not self.feed.ended.is_set():
            self.feed.stop.ask()
            self._draw()

    def action_wait(self) -> None:
        """Say for a while why it is not opened: each tick would wipe the word away."""

        def forget() -> None:
            self._aside = ""

        self._aside = "it can be opened when it has ended (x stops it gracefully)"
        self.set_timer(_ASIDE_SECONDS, forget)
        self._draw()

    def action_open(self) -> None:
        if self.feed is not None and self.feed.recorded is not None:
            self.post_message(OpenSession(self.feed.recorded.session.directory))

    def on_unmount(self) -> None:
        if self.feed is not None and not self.feed.ended.is_set():
            self.feed.stop.ask()


SCREEN = RecordingScreen
