"""How a thread's row is written: its columns, its strip of the last while, their colours."""

from collections.abc import Callable, Mapping, Sequence

from profiler.figures import NOT_MEASURED, count
from profiler.waiting import wait_share
from profiler.watching.track import ThreadTrack, Track
from profiler.watching.window import Slots, ThreadRow, ThreadWindow
from tui.widgets.heat_strips import bar
from tui.widgets.line_table import Painted, Row, TableColumn, Value

_STRIP_CELLS = 16
_NARROW_STRIP_CELLS = 10
_MOST_STRIP_CELLS = 120
_BESIDE_STRIP = 112  # cells of all other columns, names of threads in full
NARROW = 110  # cells, below which some columns are left out
TID_COLUMN = 0
WAIT_COLUMN = 4
STRIP_COLUMN = 9
ENDED = "×"  # before a name, where no width cuts it off
_DROPPED_WHERE_NARROW = {5, 6, 7}
# Shades of waiting, by the share of time; then what they are in ASCII.
_HATCHES = "░▒▓"
_ASCII_HATCHES = "~%&"


def _percent(value: Value) -> str:
    return f"{100 * value:.1f}" if isinstance(value, float) else NOT_MEASURED


def _seconds(value: Value) -> str:
    if not isinstance(value, float):
        return NOT_MEASURED
    return f"{value:.2f} s" if value < 100 else f"{value:.0f} s"


def _count(value: Value) -> str:
    return count(value) if isinstance(value, int) else NOT_MEASURED


def strip_cells(width: int, *, live: bool) -> int:
    """Cells of a thread's strip: a live one costs at every tick, a stored one nothing."""
    if width < NARROW:
        return _NARROW_STRIP_CELLS
    return (
        _STRIP_CELLS
        if live
        else min(_MOST_STRIP_CELLS, max(_STRIP_CELLS, width - _BESIDE_STRIP))
    )


def columns(
    strip: Callable[[Value], str], cells: int = _STRIP_CELLS, *, narrow: bool = False
) -> list[TableColumn]:
    """The thread table's columns; `strip` draws the last one, for visible rows only."""
    found = [
        TableColumn("TID", 7, right=True),
        TableColumn("thread", 10 if narrow else 15, grow=True),
        TableColumn("CPU %", 7, right=True, show=_percent),
        TableColumn("running", 9, right=True, show=_seconds),
        TableColumn("waiting", 9, right=True, show=_seconds, paint=_paint_wait),
        TableColumn("wait %", 8, right=True, show=_percent),
        TableColumn("vol.", 8, right=True, show=_count),
        TableColumn("invol.", 8, right=True, show=_count),
        TableColumn("CPU" if narrow else "last CPU", 5 if narrow else 8, right=True),
        TableColumn("over time", cells, show=strip, paint=_paint_strip),
    ]
    if narrow:
        return [c for i, c in enumerate(found) if i not in _DROPPED_WHERE_NARROW]
    return found


def _paint_wait(value: Value, text: str) -> Painted:
    return [(text, "waiting" if isinstance(value, float) and value >= 0.05 else "")]


def _paint_strip(_value: Value, text: str) -> Painted:
    """Runs of waiting and running, each in its colour."""
    pieces: list[tuple[str, str]] = []
    for char in text:
        name = "waiting" if char in _HATCHES + _ASCII_HATCHES else "running"
        if pieces and pieces[-1][1] == name:
            pieces[-1] = (pieces[-1][0] + char, name)
        else:
            pieces.append((char, name))
    return pieces


def table_row(row: ThreadRow, names: Mapping[int, str], stamp: int) -> Row:
    """`stamp` changes when the strip of an active thread does.

    Figures are rounded to what is shown, so that a row that looks the same is the same.
    """
    run = round(row.run, 2)
    wait = None if row.wait is None else round(row.wait, 2)
    cpu = NOT_MEASURED if row.last_cpu is None else names.get(row.last_cpu, str(row.last_cpu))
    return (
        row.key[1] & 0xFFFFFFFF,
        f"{ENDED} {row.name}" if row.ended else row.name,
        round(row.share, 3),
        run,
        wait,
        None if row.wait_share is None else round(row.wait_share, 3),
        row.voluntary,
        row.involuntary,
        cpu,
        f"{row.key[0]} {row.key[1]} {stamp if row.active else 0}",
    )


class ThreadRows:
    """The rows of a `LineTable`: sorted by one column, worked out where they are seen."""

    def __init__(
        self, window: ThreadWindow, names: Mapping[int, str], stamp: int, *, narrow: bool
    ) -> None:
        self.window = window
        self._names = names
        self._stamp = stamp
        self._shown = [
            i for i in range(STRIP_COLUMN + 1) if not (narrow and i in _DROPPED_WHERE_NARROW)
        ]
        self._narrow = narrow
        self._rows: dict[int, Row] = {}

    def __len__(self) -> int:
        return len(self.window)

    def __getitem__(self, place: int, /) -> Row:
        row = self._rows.get(place)
        if row is None:
            row = table_row(self.window.row(place), self._names, self._stamp)
            row = self._rows[place] = (
                tuple(row[i] for i in self._shown) if self._narrow else row
            )
        return row

    def find(self, key: Value) -> int | None:
        """The row of a thread, by its number."""
        return next(
            (i for i, thread in enumerate(self.window.tracks) if thread.tid == key), None
        )

    def key_of(self, place: int) -> Value:
        """The number of the thread in a row."""
        return self.window.tracks[place].tid

    def matching(self, text: str) -> list[int]:
        return [
            i
            for i, thread in enumerate(self.window.tracks)
            if text in thread.name.casefold() or text == str(thread.tid)
        ]

    def ordered(
        self, places: Sequence[int] | None, column: int, *, descending: bool
    ) -> list[int]:
        """Rounded as they are shown, so that rows that look alike do not change places."""
        window, tracks = self.window, self.window.tracks
        keys: Sequence[str | float]
        match self._shown[column]:
            case 0 | 9:
                keys = [thread.tid for thread in tracks]
            case 1:
                keys = [thread.name.casefold() for thread in tracks]
            case 2:
                keys = [round(share, 3) for share in window.shares()]
            case 3:
                keys = [round(run, 2) for run in window.growth("run")]
            case 4:
                keys = [round(wait, 2) for wait in window.growth("wait")]
            case 5:
                keys = [
                    -1.0 if (share := wait_share(run, wait)) is None else round(share, 3)
                    for run, wait in zip(
                        window.growth("run"), window.growth("wait"), strict=True
                    )
                ]
            case 6:
                keys = window.growth("voluntary")
            case 7:
                keys = window.growth("involuntary")
            case _:
                keys = [float(cpu) for cpu in window.last_cpus()]
        order = range(len(tracks)) if places is None else places
        return sorted(order, key=keys.__getitem__, reverse=descending)


def thread_of(track: Track, value: Value) -> ThreadTrack | None:
    """The thread that a strip's or key's value names."""
    if not isinstance(value, str):
        return None
    pid, tid, *_ = value.split()
    return track.threads.get((int(pid), int(tid)))


def strip_of(thread: ThreadTrack, slots: Slots, *, ascii_only: bool) -> str:
    """A character a slot: the share that it ran, or a hatch where it waited for longer."""
    hatches = _ASCII_HATCHES if ascii_only else _HATCHES
    found = ""
    thread.fill(len(slots.track))
    for run, wait in zip(slots.rates(thread.run), slots.rates(thread.wait), strict=True):
        if run is not None and wait is not None and wait > max(run, 0.02):
            found += hatches[0 if wait < 0.25 else 1 if wait < 0.6 else 2]
        else:
            found += bar(run, ascii_only=ascii_only)
    return found


def worst_wait(window: ThreadWindow) -> ThreadRow | None:
    """The thread that waited longest for a CPU, if that is worth a word."""
    waits = window.growth("wait")
    if not waits or max(waits) < 0.05:
        return None
    worst = window.row(waits.index(max(waits)))
    return worst if (worst.wait_share or 0.0) >= 0.1 else None
