"""How a thread's row is written: its columns, its strip of the last while, their colours."""

from collections.abc import Callable, Mapping, Sequence

from profiler.watching.track import ThreadTrack, Track
from profiler.watching.window import Slots, ThreadRow
from tui.figures import NOT_MEASURED, count
from tui.widgets.heat_strips import bar
from tui.widgets.line_table import Painted, Row, TableColumn, Value

STRIP_CELLS = 16
NARROW_STRIP_CELLS = 10
TID_COLUMN = 0
WAIT_COLUMN = 4
STRIP_COLUMN = 9
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


def columns(strip: Callable[[Value], str], *, narrow: bool = False) -> list[TableColumn]:
    """The thread table's columns; `strip` draws the last one, for visible rows only."""
    cells = NARROW_STRIP_CELLS if narrow else STRIP_CELLS
    found = [
        TableColumn("TID", 7, right=True),
        TableColumn("thread", 10 if narrow else 15, grow=True),
        TableColumn("CPU %", 7, right=True, show=_percent),
        TableColumn("running", 9, right=True, show=_seconds),
        TableColumn("waiting", 9, right=True, show=_seconds, paint=_paint_wait),
        TableColumn("wait %", 8, right=True, show=_percent),
        TableColumn("vol.", 8, right=True, show=_count),
        TableColumn("invol.", 8, right=True, show=_count),
        TableColumn("CPU" if narrow else "last CPU", 4 if narrow else 8, right=True),
        TableColumn("over time", cells, show=strip, paint=_paint_strip),
    ]
    if narrow:
        return [c for i, c in enumerate(found) if i not in _DROPPED_WHERE_NARROW]
    return found


def fitting(row: Row, *, narrow: bool) -> Row:
    """The row's cells for `columns` of the same width."""
    if not narrow:
        return row
    return tuple(cell for i, cell in enumerate(row) if i not in _DROPPED_WHERE_NARROW)


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
    """`stamp` changes when the strip of an active thread does."""
    cpu = NOT_MEASURED if row.last_cpu is None else names.get(row.last_cpu, str(row.last_cpu))
    return (
        row.key[1] & 0xFFFFFFFF,
        f"{row.name} (ended)" if row.ended else row.name,
        row.share,
        row.run,
        row.wait,
        row.wait_share,
        row.voluntary,
        row.involuntary,
        cpu,
        f"{row.key[0]} {row.key[1]} {stamp if row.active else 0}",
    )


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
    for run, wait in zip(slots.rates(thread.run), slots.rates(thread.wait), strict=True):
        if run is not None and wait is not None and wait > max(run, 0.02):
            found += hatches[0 if wait < 0.25 else 1 if wait < 0.6 else 2]
        else:
            found += bar(run, ascii_only=ascii_only)
    return found


def worst_wait(rows: Sequence[ThreadRow]) -> ThreadRow | None:
    """The thread that waited longest for a CPU, if that is worth a word."""
    waiting = [row for row in rows if row.wait is not None and row.wait >= 0.05]
    worst = max(waiting, key=lambda row: row.wait or 0.0, default=None)
    return worst if worst is not None and (worst.wait_share or 0.0) >= 0.1 else None
