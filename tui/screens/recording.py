"""A recording under way: its steps, what the target says, what was found so far."""

from bisect import bisect_right
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget

from profiler.figures import NOT_MEASURED, count, duration
from profiler.recording.form import expected_seconds
from profiler.recording.progress import Step
from profiler.store import NATIVE_RUN
from profiler.watching.track import Track
from profiler.watching.window import Slots
from tui.messages import OpenSession, Status
from tui.recording_feed import RecordingFeed, StepState
from tui.recording_form import Request
from tui.recording_text import step_title
from tui.screens.frame import FrameScreen
from tui.theme import sign
from tui.widgets.area_plot import AreaPlot, Layer
from tui.widgets.frame_lines import Notice, TextLine
from tui.widgets.line_table import LineTable, Row, TableColumn
from tui.workers import run_in_thread


class FeedChanged(Message):
    """The recording's thread has news."""


class RecordingScreen(FrameScreen):
    """One recording; it goes on when another screen is looked at."""

    mode_name = "recording"
    help_text = (
        "The steps of the recording, with the time that each took when the same command last "
        "came to its own end. What was found is grouped and weighed as on the errors screen; "
        "leaks are known when the program ends. x stops gracefully: the target is told to "
        "end, and what was measured is kept; pressed again, it does not wait. Times under "
        "Valgrind are not times of the program."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "stop", "Stop"),
        Binding("o", "open", "Open the session"),
        Binding("r", "app.record", "New recording", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.feed: RecordingFeed | None = None
        self._expected: dict[str, float] = {}
        self._track = Track(0.1)
        self._waiting = False
        self._opened = False
        self._seen = -1

    def compose_body(self) -> Iterable[Widget]:
        yield Notice(id="notice")
        with Vertical(id="recording"):
            with Vertical(id="steps-box", classes="box") as box:
                box.border_title = "How far is it?"
                yield LineTable(
                    (
                        TableColumn("step", 14, grow=True),
                        TableColumn("ran", 11, right=True),
                        TableColumn("expected", 11, right=True),
                        TableColumn("how it went", 24, grow=True),
                    ),
                    widget_id="steps",
                )
            with Horizontal(id="recording-below"):
                with Vertical(id="found-box", classes="box") as box:
                    box.border_title = "What was found so far?"
                    yield LineTable(
                        (
                            self.severity_column(),
                            TableColumn("times", 5, right=True),
                            TableColumn("what", 20, grow=True),
                        ),
                        empty="errors appear here as they happen",
                        widget_id="found",
                    )
                with Vertical(id="recording-right"):
                    with Vertical(id="live-box", classes="box") as box:
                        box.border_title = "Is the CPU the limit? (native run)"
                        yield AreaPlot(ascii_only=self.dashboard.ascii_only, widget_id="live")
                    with Vertical(id="output-box", classes="box") as box:
                        box.border_title = "What does the target say?"
                        yield LineTable(
                            (TableColumn("output", 20, grow=True),),
                            empty="nothing yet",
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
        self._track = Track(0.1)
        self._opened = False
        self._seen = -1
        self.feed = RecordingFeed(request, root, self._has_news)
        self._show_notice()
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
        word = self.query_one(TextLine)
        if feed.failure is not None:
            word.say(feed.failure, "error")
        elif feed.recorded is not None:
            word.say(f"stored as {feed.recorded.session.id}; o: open it", "ok")
            self.dashboard.use_session(feed.recorded.session)
            self.notify("The recording has ended: press o to open it.", timeout=4)
        self.refresh_frame()

    def _draw(self) -> None:
        feed = self.feed
        if feed is None or not self.is_mounted:
            return
        self.query_one("#steps", LineTable).set_rows(self._step_rows(feed))
        self.query_one("#found", LineTable).set_rows(
            [(one.severity, count(one.times), one.text) for one in feed.found]
        )
        self._draw_output(feed)
        self._draw_live(feed)
        if not feed.ended.is_set():
            word = self.query_one(TextLine)
            if feed.stop.times == 0:
                late = next(filter(None, map(self._late, feed.steps)), "")
                word.say(f"{late}x stops gracefully and keeps what was measured")
            else:
                word.say(
                    "stopping: the tool writes its results; x again does not wait for them",
                    "warning",
                )
        self.refresh_status()

    def _step_rows(self, feed: RecordingFeed) -> list[Row]:
        rows: list[Row] = []
        for state in feed.steps:
            expected = self._expected_of(state.step)
            how = ""
            if state.outcome is not None:
                mark = sign(state.severity, ascii_only=self.dashboard.ascii_only)
                how = f"{mark} {state.outcome}"
            elif state.seconds is not None:
                how = "running"
                if expected and state.seconds > expected:
                    how = "longer than last time"
                elif expected:
                    how += f", {int(100 * state.seconds / expected)} %"
            rows.append(
                (
                    f"{state.step.number} {step_title(state.step)}",
                    NOT_MEASURED if state.seconds is None else duration(state.seconds),
                    NOT_MEASURED if expected is None else duration(expected),
                    how,
                )
            )
        return rows

    def _expected_of(self, step: Step) -> float | None:
        return self._expected.get(NATIVE_RUN if step.run else step.name)

    def _late(self, state: StepState) -> str:
        """What is said of a step that runs on where it had ended before: it may hang."""
        expected = self._expected_of(state.step)
        ran = state.seconds
        if expected is None or ran is None or state.outcome is not None or ran <= expected:
            return ""
        return (
            f"{step_title(state.step)} has run for {duration(ran)}, and took "
            f"{duration(expected)} last time: "
        )

    def _draw_output(self, feed: RecordingFeed) -> None:
        if feed.lines_seen == self._seen:
            return
        self._seen = feed.lines_seen
        table = self.query_one("#output", LineTable)
        follows = table.cursor >= len(table.shown) - 1
        table.set_rows([(line,) for line in list(feed.lines)])
        if follows:
            table.action_last()

    def _draw_live(self, feed: RecordingFeed) -> None:
        plot = self.query_one("#live", AreaPlot)
        if feed.heap:
            self._draw_heap(feed, plot)
            return
        track = self._track
        if not feed.samples:
            return
        while feed.samples:
            track.add(feed.samples.popleft())
        if len(track) < 2 or plot.size.height < 1:
            return
        slots = Slots(track, max(track.start, track.end - 60), track.end, plot.dots)
        queue = slots.largest(track.system.running)
        cpus = len(track.cpus)
        now = queue[-1]
        plot.set_layers(
            [Layer("run queue", queue, "running", f"{now or 0:.0f} ({cpus} CPUs)")], limit=cpus
        )

    def _draw_heap(self, feed: RecordingFeed, plot: AreaPlot) -> None:
        """The heap inside Valgrind, from the run's start until now."""
        step, moments = feed.heap_step, list(feed.heap)
        if step is None or plot.size.height < 1:
            return
        of_process = moments[-1].of == "process"
        box = self.query_one("#live-box", Vertical)
        box.border_title = f"How much memory is held? ({step_title(step)})"
        if of_process:
            said = "all of the process, Valgrind's data too: no vgdb there"
        elif step.name == "memcheck":  # --freelist-vol
            said = "with the last 20 MB that were freed: memcheck keeps them back"
        else:
            said = "the program's blocks, without what the allocator adds"
        box.border_subtitle = said
        peak = max(moment.bytes for moment in moments)
        unit, name = next(
            (size, name)
            for size, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "B"))
            if peak >= size or size == 1
        )
        times = [moment.seconds for moment in moments]
        end = times[-1] or 1.0
        values: list[float | None] = []
        for dot in range(1, plot.dots + 1):
            place = bisect_right(times, end * dot / plot.dots)
            values.append(moments[place - 1].bytes / unit if place else None)
        held = moments[-1].bytes / unit
        layer = Layer(
            "process" if of_process else "heap",
            values,
            "iowait" if of_process else "user",
            f"{held:.1f} {name} {'at last' if feed.ended.is_set() else 'now'}",
        )
        plot.set_layers([layer], note=f"most seen {peak / unit:.1f}, in {duration(end)}")

    def status(self) -> Status:
        feed = self.feed
        if feed is None:
            return Status()
        target = feed.plan.target
        label = " ".join(target.argv) if target else "samplers only"
        running = next(
            (s for s in feed.steps if s.seconds is not None and s.outcome is None), None
        )
        if feed.ended.is_set():
            return Status("", label, "recording ended", "error" if feed.failure else "ok")
        step = f"{running.step.number} of {running.step.total}" if running else "starting"
        return Status("", label, f"recording {step}", "info")

    def action_stop(self) -> None:
        if self.feed is not None and not self.feed.ended.is_set():
            self.feed.stop.ask()
            self._draw()

    def action_open(self) -> None:
        if self.feed is not None and self.feed.recorded is not None:
            self.post_message(OpenSession(self.feed.recorded.session.directory))

    def on_unmount(self) -> None:
        if self.feed is not None and not self.feed.ended.is_set():
            self.feed.stop.ask()


SCREEN = RecordingScreen
