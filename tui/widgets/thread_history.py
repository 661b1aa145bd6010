"""One thread over time: when it ran and waited, on which CPU, and how often it moved."""

from collections.abc import Mapping

from textual.app import ComposeResult
from textual.containers import Vertical

from profiler.figures import seconds
from profiler.watching.track import Key, ThreadTrack
from profiler.watching.window import Slots, thread_rows
from tui.widgets.area_plot import AreaPlot, Layer
from tui.widgets.frame_lines import TextLine
from tui.widgets.line_style import LineWidget
from tui.widgets.shown_time import KeptSlots, ShownTime


class ThreadHistory(Vertical):
    """A lane of running and waiting, the CPU under each cell, and the figures in words."""

    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__(id="thread")
        self.lane = AreaPlot(top=1, ascii_only=ascii_only, widget_id="lane")
        self.cpus = TextLine(indent=False, id="lane-cpus")
        self.text = TextLine(id="lane-text")
        self._slots = KeptSlots()

    def compose(self) -> ComposeResult:
        yield self.lane
        yield self.cpus
        yield self.text

    @property
    def line_widgets(self) -> tuple[LineWidget, ...]:
        """Those that change while samples come."""
        return (self.lane, self.cpus, self.text)

    def draw(
        self, key: Key, thread: ThreadTrack, shown: ShownTime, names: Mapping[int, str]
    ) -> None:
        """Draw a thread of the track over this time."""
        track = shown.track
        thread.fill(len(track))
        slots = self._slots.of("lane", shown, self.lane.dots, of_cell=2)
        row = next(
            (r for r in thread_rows(track, shown.start, shown.end) if r.key == key), None
        )
        ran = "" if row is None else seconds(row.run)
        waited = "" if row is None else seconds(row.wait)
        self.lane.set_layers(
            [
                Layer("running", slots.rates(thread.run), "running", ran),
                Layer("waiting for a CPU", slots.rates(thread.wait), "waiting", waited),
            ],
            note="% of the time",
        )
        cells = Slots(track, shown.start, shown.end, max(1, self.lane.size.width))
        line, moves = _cpus_line(thread, cells, names)
        self.cpus.say(line)
        switches = (
            ""
            if row is None or row.voluntary is None
            else f" · switches: {row.voluntary} vol., {row.involuntary} invol."
        )
        self.text.say(f"above: its last CPU · moved {moves} times" + switches)


def _cpus_line(thread: ThreadTrack, cells: Slots, names: Mapping[int, str]) -> tuple[str, int]:
    """The last digit of the CPU's name by cell, and how often it changed."""
    last, line, moves = "", "", 0
    for pair in cells.pairs:
        name = names.get(-1 if pair is None else thread.cpu[pair[1]], "")
        moves += bool(last) and bool(name) and name != last
        line += name[-1:] or " "
        last = name
    return line, moves
