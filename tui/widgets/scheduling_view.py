"""Scheduling over time, live and stored alike: plots above, threads (or one of them) below."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.events import Resize
from textual.message import Message

from profiler.figures import percent, seconds
from profiler.watching.cpu_names import cpu_names
from profiler.watching.track import Key, Track
from profiler.watching.window import Slots, ThreadWindow
from tui import thread_cells
from tui.live_painter import LivePainter
from tui.text import as_title
from tui.widgets.filter_input import FilterInput
from tui.widgets.frame_lines import TextLine
from tui.widgets.line_table import LineTable, Value
from tui.widgets.machine_plots import MachinePlots
from tui.widgets.shown_time import NOW_SECONDS, KeptSlots, ShownTime
from tui.widgets.span import Span
from tui.widgets.thread_history import ThreadHistory

# What a live view shows grows with what was seen, until it is zoomed.
LIVE_SECONDS = (15.0, 30.0, 60.0)
WAITING = f"{thread_cells.ENDED} ended · waiting: could run, but no CPU was free"
_LEAST_SECONDS = 1e-3  # of a stored run: a span has a length
BUSIEST = f"threads of the busiest processes, each second · {thread_cells.ENDED} ended"
NO_THREAD = "no thread was seen here: none of the target's ran in this time"


class SchedulingView(Container):
    """Draws a track. `draw` brings it up to date after samples were added."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause", "Pause"),
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("plus,equals_sign", "zoom(0.5)", "Zoom in", key_display="+"),
        Binding("minus", "zoom(2)", "Zoom out", key_display="-"),
        Binding("left", "scroll(-0.25)", "Earlier", show=False),
        Binding("right", "scroll(0.25)", "Later", show=False),
        Binding("f", "frequency", "Load/frequency"),
        Binding("a", "all", "All/active threads"),
        Binding("escape", "back", "Back", show=False),
    ]

    class SpanChanged(Message):
        """Another part of time is looked at, or it was paused."""

    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__()
        self.track: Track | None = None
        self.thread_track: Track | None = None
        self.live = False
        self.span = Span(LIVE_SECONDS[-1])
        self._grows = True
        self.ascii_only = ascii_only
        self._everyone = True
        self._chosen: Key | None = None
        self._slots = KeptSlots()
        self._strip_slots: Slots | None = None
        self._strips_kept: dict[str, str] = {}
        self._names: Mapping[int, str] = {}
        self._narrow = False
        self._strip_cells = 0
        self._painter: LivePainter | None = None
        self.machine = MachinePlots(ascii_only=ascii_only)
        self.threads = LineTable(
            thread_cells.columns(self._strip),
            sort=thread_cells.WAIT_COLUMN,
            key_column=thread_cells.TID_COLUMN,
            empty=NO_THREAD,
            leads=True,
            widget_id="threads",
        )
        self.history = ThreadHistory(ascii_only=ascii_only)
        self.word = TextLine(id="word")
        self.filter = FilterInput(widget_id="filter")

    def compose(self) -> ComposeResult:
        yield self.machine
        with Vertical(id="threads-box", classes="box") as box:
            box.border_title = "Who waits for a CPU?"
            box.border_subtitle = WAITING
            yield self.threads
            yield self.history
        yield self.filter
        yield self.word

    def paint_with(self, painter: LivePainter) -> None:
        """Let what changes with each sample be painted past the compositor."""
        self._painter = painter
        for widget in (
            *self.machine.line_widgets,
            *self.history.line_widgets,
            self.threads,
            self.word,
        ):
            widget.painter = painter

    def on_mount(self) -> None:
        self.history.display = False

    def on_resize(self, event: Resize) -> None:
        self.set_class(event.size.height < 15, "-short")
        self.set_class(event.size.height > 34, "-tall")
        self.set_class(event.size.width < 64, "-narrow")
        self._fit(event.size.width)
        self.call_after_refresh(self.draw)

    def _fit(self, width: int) -> None:
        """Give the threads the columns that there is room for."""
        narrow = width < thread_cells.NARROW
        cells = thread_cells.strip_cells(width, live=self.live)
        if (narrow, cells) != (self._narrow, self._strip_cells):
            turned = narrow != self._narrow
            self._narrow, self._strip_cells = narrow, cells
            self.threads.set_columns(
                thread_cells.columns(self._strip, cells, narrow=narrow),
                sort=thread_cells.WAIT_COLUMN if turned else self.threads.sort_column,
            )

    def set_track(self, track: Track, *, live: bool, threads: Track | None = None) -> None:
        """Show a track from its beginning; a live one follows what is new.

        `threads`: the threads are another track's, which is sampled more seldom.
        """
        self.track, self.live = track, live
        if self.size.width:
            self._fit(self.size.width)
        self.thread_track = track if threads is None else threads
        self.query_one("#threads-box").border_subtitle = WAITING if threads is None else BUSIEST
        self.span = (
            Span(LIVE_SECONDS[0])
            if live
            else Span(max(_LEAST_SECONDS, track.end - track.start), track.end)
        )
        self._grows = live
        if self._chosen is not None:
            self._show_thread(None)
        self.draw()

    # Drawing.

    def draw(self) -> None:
        """Draw the present span of the track."""
        track = self.track
        if track is None or len(track) < 2 or not self.is_mounted:
            return
        if self._grows and self.span.end is None:
            seen = track.end - track.start
            self.span = Span(next((s for s in LIVE_SECONDS if seen <= s), LIVE_SECONDS[-1]))
        start, end = self.span.edges(track.start, track.end)
        shown = ShownTime(track, start, end, self.live, self.live and self.span.end is None)
        self._names = cpu_names(track.cpus.values())
        with nullcontext() if self._painter is None else self._painter.painting():
            self._draw(shown)

    def _draw(self, shown: ShownTime) -> None:
        self.machine.draw(shown, self._names)
        online = len(shown.track.cpus)
        if self.thread_track is not None and self.thread_track is not shown.track:
            shown = replace(shown, track=self.thread_track)
        chosen = self._chosen
        if chosen is not None and chosen in shown.track.threads:
            thread = shown.track.threads[chosen]
            self.history.draw(chosen, thread, shown, self._names)
            self.word.say(
                f"thread {thread.tid} of process {thread.pid}; Esc: back to all threads"
            )
        else:
            self._draw_threads(shown, online)

    def _draw_threads(self, shown: ShownTime, online: int) -> None:
        track, start, end = shown.track, shown.start, shown.end
        window = ThreadWindow(
            track,
            start,
            end,
            recent=NOW_SECONDS if shown.follows else None,
            everyone=self._everyone,
        )
        self._strip_slots = self._slots.of("strips", shown, self._strip_cells)
        if self._slots.stale("strips", self._strip_slots):
            self._strips_kept.clear()
        stamp = self._strip_slots.first + (0 if shown.follows else hash((start, end)))
        self.threads.set_rows(
            thread_cells.ThreadRows(window, self._names, stamp, narrow=self._narrow)
        )
        self._say_word(window, online)

    def _say_word(self, window: ThreadWindow, online: int) -> None:
        worst = thread_cells.worst_wait(window)
        if worst is not None:
            wait = worst.wait or 0.0
            text = (
                f"{worst.name} waited {seconds(wait)} for a CPU "
                f"({percent(worst.wait_share, 1)} of its run and wait) in the time shown"
            )
            self.word.say(text, "warning")
        elif len(window):
            self.word.say(f"no thread waited long for a CPU ({online} online)", "ok")
        else:
            self.word.say("")

    def _strip(self, value: Value) -> str:
        track, slots = self.thread_track, self._strip_slots
        if track is None or slots is None or slots.thinnings != track.thinnings:
            return ""  # the next tick draws it
        key = str(value)
        kept = self._strips_kept.get(key)
        if kept is None:
            thread = thread_cells.thread_of(track, value)
            kept = (
                ""
                if thread is None
                else thread_cells.strip_of(thread, slots, ascii_only=self.ascii_only)
            )
            self._strips_kept[key] = kept
        return kept

    # Keys.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.live if action == "pause" else True

    def _show_thread(self, key: Key | None) -> None:
        self._chosen = key
        box = self.query_one("#threads-box")
        self.threads.display = key is None
        self.history.display = key is not None
        self.can_focus = key is not None  # the table is hidden: keys must come somewhere
        track = self.thread_track
        if key is not None and track is not None and key in track.threads:
            self.focus()
            box.border_title = f"What did {as_title(track.threads[key].name)} do?"
        else:
            self._say_title()
            self.threads.focus()
        self.call_after_refresh(self.draw)

    def on_line_table_row_selected(self, event: LineTable.RowSelected) -> None:
        event.stop()
        pid, tid, _ = map(int, str(self.threads.rows[event.row][-1]).split())
        self._show_thread((pid, tid))

    def find_thread(self, text: str) -> bool:
        """Put the cursor on a thread by its name or number."""
        for number in range(len(self.threads.rows)):
            row = self.threads.rows[number]
            if text in {str(row[0]), str(row[1])}:
                return self.threads.show_row(number)
        return False

    def action_back(self) -> None:
        if self._chosen is not None:
            self._show_thread(None)
        else:
            self.filter.reset()
            self.threads.set_filter("")
            if self.live:
                self._change(lambda _t: Span(self.span.seconds))

    def action_filter(self) -> None:
        self.filter.open(self.threads)

    def on_filter_input_filtered(self, event: FilterInput.Filtered) -> None:
        event.stop()
        self.threads.set_filter(event.text)

    def _change(self, change: Callable[[Track], Span]) -> None:
        if self.track is None or len(self.track) < 2:
            return
        self._grows = False
        self.span = change(self.track)
        if self.live and self.span.end is not None and self.span.end >= self.track.end:
            self.span = Span(self.span.seconds)
        self.draw()
        self.post_message(self.SpanChanged())

    def action_pause(self) -> None:
        if self.live and self.track is not None:
            paused = self.span.end is not None
            end = None if paused else self.track.end
            self.span = Span(self.span.seconds, end)
            self.draw()
            self.post_message(self.SpanChanged())

    @property
    def paused(self) -> bool:
        return self.live and self.span.end is not None

    def action_zoom(self, factor: float) -> None:
        self._change(lambda t: self.span.zoomed(factor, t.start, t.end))

    def action_scroll(self, share: float) -> None:
        self._change(lambda t: self.span.moved(share, t.start, t.end))

    def action_frequency(self) -> None:
        if self.track is None or not self.track.knows_frequency:
            self.notify("No frequency was read: this kernel has no cpufreq, or hides it.")
            return
        self.machine.toggle_frequency()
        self.draw()

    def _say_title(self) -> None:
        of = "" if self._everyone else " (of threads that did something)"
        self.query_one("#threads-box").border_title = f"Who waits for a CPU?{of}"

    def action_all(self) -> None:
        self._everyone = not self._everyone
        if self._chosen is None:
            self._say_title()
        self.draw()
