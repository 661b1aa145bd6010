"""The plot of a recording under way: the run queue of the native run, then the heap."""

from bisect import bisect_right
from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical

from profiler.figures import duration, unit_of_size
from profiler.recording.heap_watch import HeapMoment
from profiler.watching.track import Track
from profiler.watching.window import Slots
from tui.recording_feed import RecordingFeed
from tui.recording_text import step_title
from tui.widgets.area_plot import AreaPlot, Layer

_TOO_SHORT = "not sampled: the run was too short"
_SHOWN_SECONDS = 60
_INTERVAL_SECONDS = 0.1


class RecordingPlot(Vertical):
    """Draws what a recording's feed holds; `begin` before another recording."""

    def __init__(self, *, ascii_only: bool = False, widget_id: str | None = None) -> None:
        super().__init__(id=widget_id, classes="box")
        self._plot = AreaPlot(ascii_only=ascii_only, widget_id="live")
        self._track = Track(_INTERVAL_SECONDS)
        self._feed: RecordingFeed | None = None

    def compose(self) -> ComposeResult:
        yield self._plot

    def begin(self) -> None:
        """Forget the recording before."""
        self._track = Track(_INTERVAL_SECONDS)
        self._feed = None
        self._plot.set_layers(())

    def draw(self, feed: RecordingFeed) -> None:
        """Show what the feed holds now."""
        self._feed = feed
        while feed.samples:
            self._track.add(feed.samples.popleft())
        if self._plot.size.height < 1:
            return
        if feed.heap_step is None:
            self._draw_queue(feed)
        else:
            self._draw_heap(feed)

    def on_resize(self) -> None:
        """What came while there was no room yet, or for another width."""
        feed = self._feed
        if feed is not None:
            self.call_after_refresh(lambda: self.draw(feed))

    def _draw_queue(self, feed: RecordingFeed) -> None:
        self.border_title = "Is the CPU the limit? (native run)"
        self.border_subtitle = ""
        track = self._track
        if len(track) < 2:
            over = any(s.step.run and s.outcome is not None for s in feed.steps)
            self._plot.set_layers((), note=_TOO_SHORT if over else "no sample yet")
            return
        start = max(track.start, track.end - _SHOWN_SECONDS)
        queue = Slots(track, start, track.end, self._plot.dots).largest(track.system.running)
        cpus = len(track.cpus)
        now = f"{queue[-1] or 0:.0f} ({cpus} CPUs)"
        self._plot.set_layers([Layer("run queue", queue, "running", now)], limit=cpus)

    def _draw_heap(self, feed: RecordingFeed) -> None:
        """The heap inside Valgrind, from the run's start until now."""
        step, moments = feed.heap_step, list(feed.heap)
        if step is None:
            return
        self.border_title = f"How much memory is held? ({step_title(step)})"
        over = feed.ended.is_set() or feed.state_of(step).outcome is not None
        peak = max((moment.bytes for moment in moments), default=0)
        if not peak:  # Valgrind may have been asked before the program's first block
            self.border_subtitle = ""
            self._plot.set_layers((), note=_TOO_SHORT if over else "no sample yet")
            return
        of_process = moments[-1].of == "process"
        if of_process:
            said = "all of the process, Valgrind's data too: no vgdb there"
        elif step.name == "memcheck":  # --freelist-vol
            said = "with the last 20 MB that were freed: memcheck keeps them back"
        else:
            said = "the program's blocks, without what the allocator adds"
        self.border_subtitle = said
        unit, size = unit_of_size(peak)
        end = moments[-1].seconds or 1.0
        layer = Layer(
            "process" if of_process else "heap",
            held_by_dot(moments, end, self._plot.dots, size),
            "iowait" if of_process else "user",
            f"{moments[-1].bytes / size:.1f} {unit} {'at last' if over else 'now'}",
        )
        note = f"most seen {peak / size:.1f} {unit}, in {duration(end)}"
        self._plot.set_layers([layer], note=note, unit=unit)


def held_by_dot(
    moments: Sequence[HeapMoment], end: float, dots: int, size: int
) -> list[float | None]:
    """What was held at each dot of the time until `end`, in units of `size` bytes."""
    times = [moment.seconds for moment in moments]
    values: list[float | None] = []
    for dot in range(1, dots + 1):
        place = bisect_right(times, end * dot / dots)
        values.append(moments[place - 1].bytes / size if place else None)
    return values
