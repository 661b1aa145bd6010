"""vmstat's table: toolbox (Android 5 and older), toybox (Android 6 and later) and procps.

Columns are known by the names of the header's second line, never by their place. What a
dialect is known to print wrongly is corrected or left out, and said.
"""

import math
import re
from array import array
from pathlib import Path

from collectors.errors import ParseError
from collectors.records.samples import Column, Entity, SampleProfile, SampleTable, Scope
from collectors.records.shared import Damage

_MEANINGS = {
    "r": ("tasks", "runnable tasks: running or waiting for a CPU"),
    "b": ("tasks", "tasks blocked in the kernel, mostly on storage"),
    "swpd": ("KiB", "swapped out"),
    "free": ("KiB", "free memory"),
    "buff": ("KiB", "buffers"),
    "cache": ("KiB", "page cache"),
    "inact": ("KiB", "inactive memory"),
    "active": ("KiB", "active memory"),
    "mapped": ("KiB", "mapped memory"),
    "anon": ("KiB", "anonymous memory"),
    "slab": ("KiB", "kernel slabs"),
    "si": ("KiB/s", "swapped in; zram on Android"),
    "so": ("KiB/s", "swapped out; zram on Android"),
    "bi": ("blocks/s", "read from block devices"),
    "bo": ("blocks/s", "written to block devices"),
    "in": ("1/s", "interrupts"),
    "cs": ("1/s", "context switches"),
    "flt": ("1/s", "page faults"),
    "us": ("%", "CPU time in user code"),
    "ni": ("%", "CPU time in niced user code"),
    "sy": ("%", "CPU time in the kernel"),
    "id": ("%", "CPU time idle"),
    "wa": ("%", "CPU time idle while waiting for storage"),
    "ir": ("%", "CPU time in interrupts"),
    "st": ("%", "CPU time stolen by the hypervisor"),
    "gu": ("%", "CPU time of guests"),
}
_OTHER_TABLES = re.compile(rb"disk-+|reads-+|total merged sectors|K total memory")
_MOST_DAMAGE = 20


def parse_vmstat(file: Path) -> SampleProfile:
    """Read one file. Raises `ParseError` when it holds no table of samples."""
    return parse_content(file.read_bytes(), file.name)


def parse_content(content: bytes, source: str) -> SampleProfile:
    """Read vmstat's output; the first row, which sums since boot, is left out."""
    names: tuple[str, ...] = ()
    rows: list[tuple[float, ...]] = []
    damage: list[Damage] = []
    interval: float | None = None
    started: float | None = None
    lines = content.split(b"\n")
    for number, raw in enumerate(lines, start=1):
        words = raw.split()
        if raw.startswith(b"#"):
            key, _, value = raw[1:].decode("utf-8", "replace").strip().partition(" ")
            if key == "interval_seconds":
                interval = _number(value)
            elif key == "started_unix":
                started = _number(value)
        elif _is_header(words):
            found = tuple(word.decode("ascii", "replace") for word in words)
            if names and found != names:
                damage.append(
                    Damage(source, "its columns change", "later rows are left out", line=number)
                )
                break
            names = found
        elif names and words and not _is_group_line(raw):
            row = _row(words, names)
            if row is not None:
                rows.append(row)
            elif len(damage) < _MOST_DAMAGE:
                last = number == len(lines)
                what = "the file ends inside a row" if last else "a row that does not fit"
                damage.append(Damage(source, what, "the row is left out", line=number))
    if not names:
        if _OTHER_TABLES.search(content[:4096]):
            raise ParseError(source, "a table of vmstat -d, -m or -s: record plain vmstat")
        raise ParseError(source, "no header line with r, b, us, sy and id: not vmstat's table")
    dialect = _dialect(names)
    return _profile(names, rows, dialect, interval, started, damage, source)


def _is_header(words: list[bytes]) -> bool:
    return {b"us", b"sy", b"id"} <= set(words) and words[:1] == [b"r"]


def _is_group_line(raw: bytes) -> bool:
    """`procs ---memory--- …`, the first line of a header."""
    return b"procs" in raw or b"--" in raw or b"memory" in raw


def _dialect(names: tuple[str, ...]) -> str:
    if "flt" in names:
        return "toolbox"
    return "procps" if "st" in names else "toybox"


def _row(words: list[bytes], names: tuple[str, ...]) -> tuple[float, ...] | None:
    """The row's values; words behind the columns are a time stamp (`-t`)."""
    if len(words) < len(names):
        return None
    try:
        return tuple(float(int(word)) for word in words[: len(names)])
    except ValueError:
        return None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _profile(
    names: tuple[str, ...],
    rows: list[tuple[float, ...]],
    dialect: str,
    interval: float | None,
    started: float | None,
    damage: list[Damage],
    source: str,
) -> SampleProfile:
    step = interval or 1.0
    kept = rows if dialect == "toolbox" else rows[1:]  # the others begin with sums since boot
    left_out: set[str] = set()
    if dialect == "toybox" and "in" in names and _is_percent(names, kept):
        left_out.add("in")
        damage.append(
            Damage(
                source,
                "toybox before 0.8.10 prints softirq percent as `in`",
                "interrupts are not measured",
            )
        )
    shown = [(i, name) for i, name in enumerate(names) if name not in left_out]
    columns = tuple(Column(name, *_MEANINGS.get(name, ("", ""))) for _, name in shown)
    times = array("d", (step * (i + 1) for i in range(len(kept))))
    values = tuple(_column([row[i] for row in kept]) for i, _ in shown)
    table = SampleTable(
        Scope.SYSTEM,
        columns,
        (Entity(0, "system"),),
        memoryview(times),
        memoryview(array("i", bytes(4 * len(kept)))),
        values,
    )
    return SampleProfile(
        dialect=dialect,
        interval_seconds=interval,
        tables=(table,),
        started=started,
        samples=len(kept),
        damage=tuple(damage),
    )


def _column(values: list[float]) -> "memoryview[float]":
    column: array[float] = array("d", values)
    return memoryview(column)


def _is_percent(names: tuple[str, ...], rows: list[tuple[float, ...]]) -> bool:
    """Whether `in` can only be a percentage: a running system has more interrupts than that."""
    place = names.index("in")
    switches = names.index("cs") if "cs" in names else None
    if not rows or switches is None:
        return False
    return max(row[place] for row in rows) <= 100 and any(row[switches] > 200 for row in rows)
