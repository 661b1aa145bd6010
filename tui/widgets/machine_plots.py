"""The machine over time: run queue, shares of CPU time, each CPU, switches and interrupts."""

import time
from collections.abc import Iterable, Mapping

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from profiler.figures import NOT_MEASURED, short_count
from profiler.watching.track import CpuTrack, Track
from profiler.watching.window import Slots, levels_between, mean_rate, tells_shares
from tui.widgets.area_plot import AreaPlot, Layer
from tui.widgets.heat_strips import HeatRow, HeatStrips
from tui.widgets.line_style import LineWidget
from tui.widgets.shown_time import KeptSlots, ShownTime
from tui.widgets.span import TimeAxis, clock

_HEADING_SECONDS = 0.25  # figures that change faster cannot be read
_RANK = {"B": 0, "M": 1, "L": 2}


class MachinePlots(Horizontal):
    """Is the CPU the limit, and which CPU? Draws on `draw` only, and what differs only."""

    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__(id="plots")
        self.queue = AreaPlot(ascii_only=ascii_only, widget_id="queue")
        self.shares = AreaPlot(top=1, ascii_only=ascii_only, widget_id="shares")
        self.switches = AreaPlot(ascii_only=ascii_only, widget_id="switches")
        self.interrupts = AreaPlot(ascii_only=ascii_only, widget_id="interrupts")
        self.cpus = HeatStrips(ascii_only=ascii_only, widget_id="cpus")
        self.axis = TimeAxis(id="axis")
        self._frequency = False
        self._slots = KeptSlots()
        self._headings_at = 0.0
        self._cpus_box = Vertical(id="cpus-box", classes="box")
        self._title()

    def compose(self) -> ComposeResult:
        with Vertical(id="system-box", classes="box") as box:
            box.border_title = "Is the CPU the limit?"
            box.border_subtitle = "the machine, not the target alone"
            yield self.queue
            yield self.shares
            yield self.axis
        with self._cpus_box:
            yield self.cpus
            with Horizontal(id="rates"):
                yield self.switches
                yield self.interrupts

    @property
    def line_widgets(self) -> tuple[LineWidget, ...]:
        """Those that change while samples come."""
        return (self.queue, self.shares, self.switches, self.interrupts, self.cpus)

    def toggle_frequency(self) -> None:
        """Show each CPU's frequency in place of its load, or the load again."""
        self._frequency = not self._frequency
        self._title()
        self._headings_at = 0.0

    def _title(self) -> None:
        box = self._cpus_box
        box.border_title = f"Per CPU: {'frequency' if self._frequency else 'load'}"
        box.border_subtitle = "of its highest" if self._frequency else "share of time busy"

    def draw(self, shown: ShownTime, names: Mapping[int, str]) -> None:
        """Draw this time; `names` are the CPUs' (`B0`, `L1`, …)."""
        now = time.monotonic()
        due = not shown.follows or now - self._headings_at >= _HEADING_SECONDS
        if due:
            self._headings_at = now
        track = shown.track
        slots = self._slots.of("queue", shown, self.queue.dots, of_cell=2)
        if self._slots.stale("queue", slots) or due:
            self._draw_queue(track, slots, *shown.now)
            self._draw_shares(track, slots, *shown.now)
        if self.switches.size.height > 0:
            slots = self._slots.of("rates", shown, self.switches.dots, of_cell=2)
            if self._slots.stale("rates", slots) or due:
                self._draw_rates(track, slots, *shown.now)
        if self.cpus.size.width > 0 and track.cpus:
            slots = self._slots.of("cpus", shown, self.cpus.slots)
            if self._slots.stale("cpus", slots) or due:
                self._draw_cpus(track, slots, names, *shown.now)
        if due:
            self._draw_axis(shown)

    def _draw_queue(self, track: Track, slots: Slots, low: float, high: float) -> None:
        running = track.system.running
        online = len(track.cpus) or None
        known = levels_between(track, running, low, high)
        now = NOT_MEASURED
        if known:
            now = f"{sum(known) / len(known):.1f}, max {max(known):.0f}"
            now += f" ({online} CPUs)" if online else ""
        layer = Layer("run queue", slots.largest(running), "running", now)
        often = f"seen each {track.interval:g} s" if track.interval else ""
        self.queue.set_layers([layer], limit=online, note=often)

    def _draw_shares(self, track: Track, slots: Slots, low: float, high: float) -> None:
        system = track.system
        tells = tells_shares(track, low, high)
        layers: list[Layer] = []
        for name, counter, colour in (
            ("us", system.user, "user"),
            ("sy", system.system, "system"),
            ("wa", system.iowait, "iowait"),
            ("st", system.steal, "steal"),
        ):
            rate = mean_rate(track, counter, low, high) if tells else None
            now = NOT_MEASURED if rate is None else f"{100 * rate:.0f} %"
            layers.append(Layer(name, slots.rates(counter) if tells else (), colour, now))
        idle = mean_rate(track, system.idle, low, high) if tells else None
        note = "too short to tell" if idle is None else f"id {100 * idle:.0f} %"
        self.shares.set_layers(layers, note=note)

    def _draw_rates(self, track: Track, slots: Slots, low: float, high: float) -> None:
        for plot, name, counter, colour in (
            (self.switches, "cs", track.system.switches, "user"),
            (self.interrupts, "in", track.system.interrupts, "iowait"),
        ):
            rate = mean_rate(track, counter, low, high)
            now = NOT_MEASURED if rate is None else f"{short_count(rate)}/s"
            plot.set_layers([Layer(name, slots.rates(counter), colour, now)])

    def _draw_cpus(
        self, track: Track, slots: Slots, names: Mapping[int, str], low: float, high: float
    ) -> None:
        self.cpus.set_rows(
            [
                self._cpu_row(track, cpu, names[cpu.number], slots, low, high)
                for cpu in _ordered(track.cpus.values(), names)
            ]
        )

    def _cpu_row(
        self, track: Track, cpu: CpuTrack, name: str, slots: Slots, low: float, high: float
    ) -> HeatRow:
        little = name.startswith("L")
        tells = tells_shares(track, low, high)
        load = mean_rate(track, cpu.busy, low, high) if tells else None
        khz = cpu.khz[max(0, track.place(high))]
        text = NOT_MEASURED if load is None else f"{100 * min(1.0, load):3.0f} %"
        if khz == khz:  # not NaN
            text += f" {khz / 1e6:.2f} GHz"
        if self._frequency:
            text = text if khz == khz else NOT_MEASURED
            values = slots.latest(cpu.khz)
            most = cpu.max_khz or max((v for v in values if v), default=1.0)
            values = [None if v is None else v / most for v in values]
        else:
            values = slots.rates(cpu.busy) if tells else []
        # As fine as the strip can show, so that what looks the same is the same.
        values = [None if v is None else round(v * 32) / 32 for v in values]
        return HeatRow(name, values, "little" if little else "big", text, not little)

    def _draw_axis(self, shown: ShownTime) -> None:
        start, end, track = shown.start, shown.end, shown.track
        origin = track.end if shown.live else track.start
        left, middle, right = (
            clock(place - origin, within=end - start)
            for place in (start, (start + end) / 2, end)
        )
        self.axis.ends = (left, middle, "now" if shown.follows else right)


def _ordered(cpus: Iterable[CpuTrack], names: Mapping[int, str]) -> list[CpuTrack]:
    """Big cores first, as their names say."""
    return sorted(cpus, key=lambda c: (_RANK.get(names[c.number][0], 3), c.number))
