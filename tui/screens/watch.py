"""A device live: the scheduling view, fed by a sampler as it writes."""

import gc
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from profiler.watching.busiest import INTERVAL_SECONDS
from profiler.watching.keep import keep_watch
from profiler.watching.live import Watcher, WatchRequest
from profiler.watching.track import Track
from tui.messages import OpenSession, Status
from tui.screens.frame import FrameScreen
from tui.screens.processes import ProcessesScreen
from tui.screens.scheduling import HELP
from tui.widgets.frame_lines import HeaderLine, Notice
from tui.widgets.scheduling_view import NO_THREAD, SchedulingView
from tui.widgets.span import clock
from tui.workers import run_in_thread

# How long samples are worked off before keys are looked at again.
_BUDGET_SECONDS = 0.02
LOOKING = "Looking who is busy … (p: choose a process)"


class SamplesWait(Message):
    """The watcher has samples, or another state."""


class WatchScreen(FrameScreen):
    """What runs, waits and migrates right now."""

    mode_name = "watch"
    tab_name = "scheduling"
    help_text = f"Live, from the device's /proc; nothing is changed on it.\n{HELP}"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "processes", "Process"),
        Binding("k", "keep", "Keep"),
        Binding("r", "app.record", "Record"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.track = Track()
        self.busiest: Track | None = None  # threads, where the whole machine is watched
        self.watcher: Watcher | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._began = 0.0
        self._drawing = False
        self._said: tuple[object, ...] = ()
        self._view: SchedulingView | None = None

    def compose_body(self) -> Iterable[Widget]:
        yield Notice(id="notice")
        yield SchedulingView(ascii_only=self.dashboard.ascii_only)

    def on_mount(self) -> None:
        self.query_one(Notice).display = False
        request = self.dashboard.watching or WatchRequest()
        self._view = view = self.query_one(SchedulingView)
        view.paint_with(self.dashboard.painter)
        self.query_one(HeaderLine).painter = self.dashboard.painter
        self.begin(request)
        view.threads.focus()
        # What the application is made of lives as long as it: not to be looked through again.
        gc.collect()
        gc.freeze()

    def begin(self, request: WatchRequest) -> None:
        """Begin to watch; what was watched before ends and is let go."""
        self._end()
        self.dashboard.watching = request
        self._folder = tempfile.TemporaryDirectory(prefix="droidgrind-watch-")
        self.watcher = Watcher(request, Path(self._folder.name), self._samples_wait)
        self.track = Track(1 / request.hz)
        self._began = time.monotonic()
        view = self.query_one(SchedulingView)
        self.busiest = Track(INTERVAL_SECONDS) if self.watcher.whole else None
        view.set_track(self.track, live=True, threads=self.busiest)
        view.threads.empty = LOOKING if self.watcher.whole else NO_THREAD
        self.query_one(Notice).display = False
        self.run_worker(self.watcher.run, thread=True, group="watch")
        self.refresh_frame()

    def _samples_wait(self) -> None:
        """Called from the watcher's thread."""
        self.post_message(SamplesWait())

    def _end(self) -> None:
        if self.watcher is not None and self._folder is not None:
            self.watcher.stop_and(self._folder.cleanup)
            self._folder = None

    def on_unmount(self) -> None:
        self._end()

    def on_samples_wait(self, _message: SamplesWait) -> None:
        if not self._drawing:
            self._work_off()

    def _work_off(self) -> None:
        """Take what waits, for a while at most; keys come between."""
        watcher = self.watcher
        if watcher is None:
            return
        until = time.perf_counter() + _BUDGET_SECONDS
        pending, track = watcher.pending, self.track
        while pending and time.perf_counter() < until:
            track.add(pending.popleft())
        while self.busiest is not None and watcher.pending_threads:
            self.busiest.add(watcher.pending_threads.popleft())
        if not track.cpus or len(track) < 3:
            for number, (_online, khz, capacity) in watcher.parser.cpus.items():
                if number in track.cpus:
                    track.cpus[number].max_khz = khz
                    track.cpus[number].capacity = capacity
        self._drawing = bool(pending)
        if pending:
            # By a timer: a message of one's own would be taken before any key.
            self.set_timer(0.001, self._work_off)
            return
        state = watcher.state
        said = (state, watcher.facts, track.late, int(track.end - track.start))
        news = said != self._said
        view = self._view
        with self.dashboard.painter.painting():
            # What is paused stands still, but for how long ago it was.
            if self.dashboard.screen is self and view is not None and (news or not view.paused):
                view.draw()
            if news:
                self._said = said
                self.refresh_status()
        if state.ended and state.severity == "error" and not len(track):
            notice = self.query_one(Notice)
            notice.text, notice.severity, notice.display = state.text, "error", True

    def status(self) -> Status:
        watcher = self.watcher
        if watcher is None:
            return Status()
        facts = watcher.facts
        device = watcher.request.serial or ""
        if facts is not None:
            known = ", ".join(
                part
                for part in (facts.abi, facts.android and f"Android {facts.android}")
                if part
            )
            device = f"{facts.model or facts.serial} ({known})"
        state = watcher.state
        text = state.text
        severity = state.severity
        if text == "live":
            text = f"{'*' if self.dashboard.ascii_only else '●'} live {watcher.request.hz:g} Hz"
            severity = "ok"
        if self._view is not None and self._view.paused:
            text, severity = f"paused ({text})", "warning"
        if self.track.late:
            text += f"  late {self.track.late}"
        seconds = int(self.track.end - self.track.start)
        return Status(device, watcher.request.label, f"{text}  {clock(seconds)}", severity)

    def on_scheduling_view_span_changed(self) -> None:
        self.refresh_status()

    def action_processes(self) -> None:
        watcher = self.watcher
        if watcher is not None and watcher.device is not None:
            self.app.push_screen(ProcessesScreen(watcher.device), self._chosen)
        else:
            self.notify("The device is not there yet: try again in a moment.", timeout=3)

    def _chosen(self, pid: int | None) -> None:
        if pid is not None and self.watcher is not None:
            before = self.watcher.request
            self.begin(WatchRequest(before.serial, pid, None, before.hz))

    def action_keep(self) -> None:
        """Stop watching and store what was seen."""
        watcher, folder = self.watcher, self._folder
        if watcher is None or folder is None:
            return
        watcher.stop()
        root = self.dashboard.root

        def keep() -> Path:
            watcher.wait()
            return keep_watch(watcher, root)

        def kept(directory: Path) -> None:
            self.notify(str(directory), title="Kept", markup=False)
            self.post_message(OpenSession(directory))

        run_in_thread(
            self, keep, kept, lambda why: self.notify(why, severity="error", markup=False)
        )


SCREEN = WatchScreen
