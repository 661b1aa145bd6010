"""Scheduling over time, live and stored alike: plots above, threads (or one of them) below."""

import math
import time
from collections.abc import Callable, Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.events import Resize
from textual.message import Message

from profiler.watching.cpu_names import cpu_names
from profiler.watching.track import CpuTrack, Key, ThreadTrack, Track
from profiler.watching.window import Slots, ThreadWindow, mean_rate, thread_rows
from tui import thread_cells
from tui.figures import NOT_MEASURED, percent, seconds, short_count
from tui.widgets.area_plot import AreaPlot, Layer
from tui.widgets.filter_input import FilterInput
from tui.widgets.frame_lines import TextLine
from tui.widgets.heat_strips import HeatRow, HeatStrips
from tui.widgets.line_table import LineTable, Value
from tui.widgets.span import Span, TimeAxis, clock

LIVE_SECONDS = 60.0
_NOW_SECONDS = 1.0
NO_THREAD = "no thread was seen here: none of the target's ran in this time"
_HEADING_SECONDS = 0.25  # figures that change faster cannot be read


class SchedulingView(Container):
    """Draws a track. `draw` brings it up to date after samples were added."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause", "Pause"),
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("plus,equals_sign", "zoom(0.5)", "Zoom in", key_display="+", show=False),
        Binding("minus", "zoom(2)", "Zoom out", key_display="-", show=False),
        Binding("left", "scroll(-0.25)", "Earlier", show=False),
        Binding("right", "scroll(0.25)", "Later", show=False),
        Binding("f", "frequency", "Load/frequency", show=False),
        Binding("a", "all", "All/active threads", show=False),
        Binding("escape", "back", "Back", show=False),
    ]

    class SpanChanged(Message):
        """Another part of time is looked at, or it was paused."""

    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__()
        self.track: Track | None = None
        self.live = False
        self.span = Span(LIVE_SECONDS)
        self.ascii_only = ascii_only
        self._frequency = False
        self._everyone = True
        self._chosen: Key | None = None
        self._strip_slots: Slots | None = None
        self._slots_kept: dict[str, Slots] = {}
        self._slots_drawn: dict[str, Slots] = {}
        self._headings_at = 0.0
        self._headings_due = True
        self._names: dict[int, str] = {}
        self._strips_kept: dict[str, str] = {}
        self._narrow = False
        self.queue = AreaPlot(ascii_only=ascii_only, widget_id="queue")
        self.shares = AreaPlot(top=1, ascii_only=ascii_only, widget_id="shares")
        self.switches = AreaPlot(ascii_only=ascii_only, widget_id="switches")
        self.interrupts = AreaPlot(ascii_only=ascii_only, widget_id="interrupts")
        self.cpus = HeatStrips(ascii_only=ascii_only, widget_id="cpus")
        self.axis = TimeAxis(id="axis")
        self.threads = LineTable(
            thread_cells.columns(self._strip),
            sort=thread_cells.WAIT_COLUMN,
            key_column=thread_cells.TID_COLUMN,
            empty=NO_THREAD,
            widget_id="threads",
        )
        self.word = TextLine(id="word")
        self.lane = AreaPlot(top=1, ascii_only=ascii_only, widget_id="lane")
        self.lane_cpus = TextLine(indent=False, id="lane-cpus")
        self.lane_text = TextLine(id="lane-text")
        self.filter = FilterInput(widget_id="filter")

    def compose(self) -> ComposeResult:
        with Horizontal(id="plots"):
            with Vertical(id="system-box", classes="box") as box:
                box.border_title = "Is the CPU the limit?"
                box.border_subtitle = "the whole machine, not the target alone"
                yield self.queue
                yield self.shares
                yield self.axis
            with Vertical(id="cpus-box", classes="box") as box:
                box.border_title = "Per CPU: load"
                box.border_subtitle = "share of time busy"
                yield self.cpus
                with Horizontal(id="rates"):
                    yield self.switches
                    yield self.interrupts
        with Vertical(id="threads-box", classes="box") as box:
            box.border_title = "Who waits for a CPU?"
            box.border_subtitle = "waiting: could run, but no CPU was free"
            yield self.threads
            with Vertical(id="thread"):
                yield self.lane
                yield self.lane_cpus
                yield self.lane_text
        yield self.filter
        yield self.word

    def on_mount(self) -> None:
        self.query_one("#thread").display = False

    def on_resize(self, event: Resize) -> None:
        self.set_class(event.size.height < 12, "-short")
        self.set_class(event.size.height > 34, "-tall")
        self.set_class(event.size.width < 64, "-narrow")
        narrow = event.size.width < 110
        if narrow != self._narrow:
            self._narrow = narrow
            sort = thread_cells.WAIT_COLUMN
            self.threads.set_columns(
                thread_cells.columns(self._strip, narrow=narrow), sort=sort
            )
        self.call_after_refresh(self.draw)

    def set_track(self, track: Track, *, live: bool) -> None:
        """Show a track from its beginning; a live one follows what is new."""
        self.track, self.live = track, live
        self.span = (
            Span(LIVE_SECONDS) if live else Span(max(0.5, track.end - track.start), track.end)
        )
        self._chosen = None
        self.draw()

    # Drawing.

    def draw(self) -> None:
        """Draw the present span of the track."""
        track = self.track
        if track is None or len(track) < 2 or not self.is_mounted:
            return
        start, end = self.span.edges(track.start, track.end)
        names = cpu_names(track.cpus.values())
        self._names = dict(names)
        now = time.monotonic()
        self._headings_due = (
            not (self.live and self.span.end is None)
            or now - self._headings_at >= _HEADING_SECONDS
        )
        if self._headings_due:
            self._headings_at = now
        self._draw_system(track, start, end)
        self._draw_cpus(track, start, end)
        self._draw_axis(track, start, end)
        if self._chosen is not None and self._chosen in track.threads:
            self._draw_thread(track, track.threads[self._chosen], start, end)
        else:
            self._draw_threads(track, start, end)

    def _slots(self, name: str, track: Track, start: float, end: float, count: int) -> Slots:
        """The slots of one plot, which take over what stays from those a tick before.

        While following, those whose time is not over yet are not drawn: a plot changes when
        a dot column is whole, not with every sample.
        """
        before = self._slots_kept.get(name)
        if self.live and self.span.end is None:
            width = self.span.seconds / count
            end = math.floor(end / width) * width
            start = end - self.span.seconds
            if (
                before is not None
                and before.track is track
                and before.count == count
                and before.thinnings == track.thinnings
                and abs(before.end - end) < width / 2
            ):
                return before
        slots = self._slots_kept[name] = Slots(track, start, end, count, before)
        return slots

    def _stale(self, name: str, slots: Slots) -> bool:
        """Whether a plot is to be drawn again: for other slots, or its heading's figures."""
        stale = self._headings_due or self._slots_drawn.get(name) is not slots
        self._slots_drawn[name] = slots
        return stale

    def _now(self, track: Track, start: float, end: float) -> tuple[float, float]:
        """The time that a heading's figures are of: the last second, or what is shown."""
        if self.live and self.span.end is None:
            return max(start, end - _NOW_SECONDS), end
        return start, end

    def _draw_system(self, track: Track, start: float, end: float) -> None:
        slots = self._slots("queue", track, start, end, self.queue.dots)
        low, high = self._now(track, start, end)
        if self._stale("queue", slots):
            self._draw_queue(track, slots)
            self._draw_shares(track, slots, low, high)
        few = self._slots("rates", track, start, end, self.switches.dots)
        if self.switches.size.height > 0 and self._stale("rates", few):
            self._draw_rates(track, few, low, high)

    def _draw_queue(self, track: Track, slots: Slots) -> None:
        system = track.system
        queue = slots.largest(system.running)
        known = [value for value in queue if value is not None and value == value]
        online = len(track.cpus) or None
        now = known[-1] if known and self.live else max(known, default=None)
        of = f" ({online} CPUs)" if online else ""
        most = "" if self.live else "at most "
        self.queue.set_layers(
            [
                Layer(
                    "run queue",
                    queue,
                    "running",
                    NOT_MEASURED if now is None else f"{most}{now:.0f}{of}",
                )
            ],
            limit=online,
        )

    def _draw_shares(self, track: Track, slots: Slots, low: float, high: float) -> None:
        system = track.system
        idle = mean_rate(track, system.idle, low, high)
        self.shares.set_layers(
            [
                Layer(name, slots.rates(counter), colour, _share(track, counter, low, high))
                for name, counter, colour in (
                    ("us", system.user, "user"),
                    ("sy", system.system, "system"),
                    ("wa", system.iowait, "iowait"),
                    ("st", system.steal, "waiting"),
                )
            ],
            note="" if idle is None else f"id {100 * idle:.0f} %",
        )

    def _draw_rates(self, track: Track, slots: Slots, low: float, high: float) -> None:
        for plot, name, counter, colour in (
            (self.switches, "cs", track.system.switches, "user"),
            (self.interrupts, "in", track.system.interrupts, "iowait"),
        ):
            rate = mean_rate(track, counter, low, high)
            now = NOT_MEASURED if rate is None else f"{short_count(rate)}/s"
            plot.set_layers([Layer(name, slots.rates(counter), colour, now)])

    def _draw_cpus(self, track: Track, start: float, end: float) -> None:
        if self.cpus.size.width <= 0 or not track.cpus:
            return
        slots = self._slots("cpus", track, start, end, self.cpus.slots)
        if not self._stale("cpus", slots):
            return
        low, high = self._now(track, start, end)
        self.cpus.set_rows(
            [self._cpu_row(track, cpu, slots, low, high) for cpu in self._ordered(track)]
        )

    def _ordered(self, track: Track) -> Iterable[CpuTrack]:
        """Big cores first, as their names say."""
        rank = {"B": 0, "M": 1, "L": 2}
        return sorted(
            track.cpus.values(), key=lambda c: (rank.get(self._names[c.number][0], 3), c.number)
        )

    def _cpu_row(
        self, track: Track, cpu: CpuTrack, slots: Slots, low: float, high: float
    ) -> HeatRow:
        name = self._names[cpu.number]
        little = name.startswith("L")
        load = mean_rate(track, cpu.busy, low, high)
        khz = cpu.khz[max(0, track.place(high))]
        text = NOT_MEASURED if load is None else f"{100 * min(1.0, load):3.0f} %"
        if khz == khz:  # not NaN
            text += f" {khz / 1e6:.2f} GHz"
        values = slots.rates(cpu.busy)
        if self._frequency:
            most = cpu.max_khz or max((v for v in slots.latest(cpu.khz) if v), default=1.0)
            values = [None if v is None else v / most for v in slots.latest(cpu.khz)]
        # As fine as the strip can show, so that what looks the same is the same.
        values = [None if v is None else round(v * 32) / 32 for v in values]
        colour = "little" if little else "big"
        return HeatRow(name, values, colour, text, not little)

    def _draw_axis(self, track: Track, start: float, end: float) -> None:
        if self.live:
            newest = track.end
            middle = clock((start + end) / 2 - newest)
            right = "now" if self.span.end is None else clock(end - newest)
            self.axis.ends = (clock(start - newest), middle, right)
        else:
            origin = track.start
            self.axis.ends = (
                clock(start - origin), clock((start + end) / 2 - origin), clock(end - origin)
            )  # fmt: skip

    def _draw_threads(self, track: Track, start: float, end: float) -> None:
        follows = self.live and self.span.end is None
        window = ThreadWindow(
            track,
            start,
            end,
            recent=_NOW_SECONDS if follows else None,
            everyone=self._everyone,
        )
        cells = thread_cells.NARROW_STRIP_CELLS if self._narrow else thread_cells.STRIP_CELLS
        self._strip_slots = self._slots("strips", track, start, end, cells)
        self._strips_kept.clear()
        stamp = self._strip_slots.first + (0 if follows else hash((start, end)))
        self.threads.set_rows(
            thread_cells.ThreadRows(window, self._names, stamp, narrow=self._narrow)
        )
        self._say_word(track, window)

    def _say_word(self, track: Track, window: ThreadWindow) -> None:
        worst = thread_cells.worst_wait(window)
        online = len(track.cpus)
        if worst is not None:
            wait = worst.wait or 0.0
            text = (
                f"{worst.name} waited {seconds(wait)} for a CPU in the time shown: "
                f"{percent(worst.wait_share, 1)} of its running and waiting"
            )
            self.word.say(text, "warning")
        elif len(window):
            self.word.say(f"no thread waited long for a CPU ({online} online)", "ok")
        else:
            self.word.say("")

    def _strip(self, value: Value) -> str:
        track, slots = self.track, self._strip_slots
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

    def _draw_thread(self, track: Track, thread: ThreadTrack, start: float, end: float) -> None:
        slots = self._slots("lane", track, start, end, self.lane.dots)
        row = next((r for r in thread_rows(track, start, end) if r.key == self._chosen), None)
        run, wait = slots.rates(thread.run), slots.rates(thread.wait)
        self.lane.set_layers(
            [
                Layer("running", run, "running", "" if row is None else seconds(row.run)),
                Layer(
                    "waiting for a CPU",
                    wait,
                    "waiting",
                    "" if row is None else seconds(row.wait),
                ),
            ],
            note="% of the time",
        )
        cells = Slots(track, start, end, max(1, self.lane.size.width))
        last = ""
        moves = 0
        line = ""
        for pair in cells.pairs:
            number = -1 if pair is None else thread.cpu[pair[1]]
            name = self._names.get(number, " ")
            moves += bool(last.strip()) and name != last and name != " "
            line += name[-1] if name != " " else " "
            last = name
        self.lane_cpus.say(line)
        self.lane_text.say(
            f"above: number of the CPU it ran on last; it was seen to move {moves} times"
            + (
                ""
                if row is None or row.voluntary is None
                else f" · switches: {row.voluntary} voluntary, {row.involuntary} involuntary"
            )
        )
        self.word.say(f"thread {thread.tid} of process {thread.pid}; Esc: back to all threads")

    # Keys.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.live if action == "pause" else True

    def _show_thread(self, key: Key | None) -> None:
        self._chosen = key
        box = self.query_one("#threads-box")
        self.threads.display = key is None
        self.query_one("#thread").display = key is not None
        self.can_focus = key is not None  # the table is hidden: keys must come somewhere
        if key is not None and self.track is not None and key in self.track.threads:
            self.focus()
            box.border_title = f"What did {_plain(self.track.threads[key].name)} do?"
        else:
            box.border_title = "Who waits for a CPU?"
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
        self._frequency = not self._frequency
        box = self.query_one("#cpus-box")
        box.border_title = f"Per CPU: {'frequency' if self._frequency else 'load'}"
        box.border_subtitle = "of its highest" if self._frequency else "share of time busy"
        self.draw()

    def action_all(self) -> None:
        self._everyone = not self._everyone
        self.draw()


def _share(track: Track, counter: object, low: float, high: float) -> str:
    rate = mean_rate(track, counter, low, high)  # type: ignore[arg-type]
    return NOT_MEASURED if rate is None else f"{100 * rate:.0f} %"


def _plain(text: str) -> str:
    """A border's title is markup: a name's brackets are to be seen as they are."""
    from rich.markup import escape

    return escape(text)
