"""vmstat's table: toolbox (Android 5 and older), toybox (Android 6 and later) and procps.

Columns are known by the names of the header's second line, never by their place. What a
dialect is known to print wrongly is corrected or left out, and said.
"""

import math
import re
from array import array
from datetime import UTC, datetime
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
_OTHER_TABLES = re.compile(
    rb"disk- -+reads|total merged sectors|K total memory|Cache +Num +Total|[0-9]+ disks *\n"
)
_USUAL_HEADER = b"r b swpd free buff cache si so bi bo in cs us sy id wa"
_NUMBER = re.compile(rb"-?[0-9]{1,20}")
_STAMP = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2})")
_VERSION = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})\.([0-9]{1,4})")
_TRUE_INTERRUPTS = (0, 8, 10)  # the first toybox whose `in` is not a percentage
_PAGED = ("si", "so", "bi", "bo")  # and in which these are multiplied by the page's KiB
_OWN_FACTS = ("interval_seconds", "started_unix", "cost_seconds")  # the sampler's
_MOST_DAMAGE = 20


def parse_vmstat(file: Path) -> SampleProfile:
    """Read one file. Raises `ParseError` when it holds no table of samples."""
    return parse_content(file.read_bytes(), file.name)


def parse_content(content: bytes, source: str) -> SampleProfile:
    """Read vmstat's output. Lines `# name value` in front are the sampler's own.

    Without them the interval is taken to be a second, or known from time stamps (`-t`).
    """
    reading = _Reading(source)
    lines = content.split(b"\n")
    for number, raw in enumerate(lines, start=1):
        if not reading.line(raw, number, whole=number < len(lines)):
            break
    if not reading.names and reading.is_head_alone(lines):
        reading.line(_USUAL_HEADER, len(lines), whole=True)  # a run too short for a sample
    if not reading.names:
        if _OTHER_TABLES.search(content[:65536]):
            raise ParseError(source, "a table of vmstat -d, -D, -m or -s: record plain vmstat")
        raise ParseError(source, "no header line with r, b, us, sy and id: not vmstat's table")
    return reading.profile()


class _Reading:
    """What has been read so far, column by column."""

    def __init__(self, source: str) -> None:
        self._source = source
        self.names: tuple[str, ...] = ()
        self._header: list[bytes] = []
        self._stamped = False
        self._columns: list[array[float]] = []
        self._stamps: list[float] = []
        self._facts: dict[str, str] = {}
        self._damage: list[Damage] = []

    def line(self, raw: bytes, number: int, *, whole: bool) -> bool:
        """Take a line; False when nothing after it can be used."""
        words = raw.split()
        if raw.startswith(b"#"):
            key, _, value = raw[1:].decode("utf-8", "replace").strip().partition(" ")
            self._facts[key] = value
        elif _is_header(words):
            if self.names and words != self._header:
                self._complain("its columns change", "later rows are left out", number)
                return False
            self._header_line(words)
        elif self.names and words and not _is_group_line(raw):
            if not whole:
                self._complain("the file ends inside a row", "the row is left out", number)
            elif not self._row(words):
                what = f"a row that does not fit the {len(self.names)} columns"
                self._complain(what, "the row is left out", number)
        return True

    def is_head_alone(self, lines: list[bytes]) -> bool:
        """Whether the sampler's own lines are all there is: vmstat had no time to write."""
        return not self._facts.keys().isdisjoint(_OWN_FACTS) and all(
            not line.strip() or line.startswith(b"#") or _is_group_line(line) for line in lines
        )

    def _header_line(self, words: list[bytes]) -> None:
        if self.names:
            return
        self._header = words
        names = [word.decode("ascii", "replace") for word in words]
        # `-t` adds a column that is called as the time zone is.
        last = max(i for i, name in enumerate(names) if name in _MEANINGS)
        self._stamped = last + 1 < len(names)
        self.names = tuple(names[: last + 1])
        self._columns = [array("d") for _ in self.names]

    def _row(self, words: list[bytes]) -> bool:
        count = len(self.names)
        if len(words) != count + (2 if self._stamped else 0):
            return False
        if not all(map(_NUMBER.fullmatch, words[:count])):
            return False
        if self._stamped:
            stamp = _seconds(b" ".join(words[count:]).decode("ascii", "replace"))
            if stamp is None:
                return False
            self._stamps.append(stamp)
        for column, word in zip(self._columns, words, strict=False):
            column.append(float(int(word)))
        return True

    def _complain(self, what: str, effect: str, line: int | None = None) -> None:
        if len(self._damage) < _MOST_DAMAGE:
            self._damage.append(Damage(self._source, what, effect, line=line))

    def profile(self) -> SampleProfile:
        dialect = _dialect(self.names)
        rows = len(self._columns[0])
        # toolbox alone does not begin with a row of sums since boot.
        first = 0 if dialect == "toolbox" else min(1, rows)
        times = self._times(first, rows)
        kept = {
            name: column[first:] for name, column in zip(self.names, self._columns, strict=True)
        }
        boot = {
            name: column[0]
            for name, column in zip(self.names, self._columns, strict=True)
            if first
        }
        if dialect == "toybox":
            self._correct_toybox(kept, boot)
        elif dialect == "toolbox":
            self._correct_toolbox(kept)
        count = rows - first
        table = SampleTable(
            Scope.SYSTEM,
            tuple(Column(name, *_MEANINGS.get(name, ("", ""))) for name in kept),
            (Entity(0, "system"),),
            memoryview(times),
            memoryview(array("i", bytes(4 * count))),
            tuple(memoryview(column) for column in kept.values()),
        )
        return SampleProfile(
            dialect=dialect,
            interval_seconds=self._interval(),
            tables=(table,),
            started=_number(self._facts.get("started_unix", "")),
            samples=count,
            since_boot=boot or None,
            cost_seconds=_number(self._facts.get("cost_seconds", "")),
            damage=tuple(self._damage),
        )

    def _interval(self) -> float | None:
        given = _number(self._facts.get("interval_seconds", ""))
        if given is not None and given > 0:
            return given
        if len(self._stamps) > 1:
            span = self._stamps[-1] - self._stamps[0]
            return span / (len(self._stamps) - 1) if span > 0 else None
        return None

    def _times(self, first: int, rows: int) -> "array[float]":
        # Rows have no time of their own but with -t; each is the mean of an interval's span.
        if self._stamps:
            zero = self._stamps[0]
            return array("d", (stamp - zero for stamp in self._stamps[first:]))
        step = self._interval() or 1.0
        return array("d", (step * (i + 1) for i in range(rows - first)))

    def _correct_toolbox(self, kept: "dict[str, array[float]]") -> None:
        step = self._interval() or 1.0
        for name in ("in", "cs", "flt"):
            if name in kept:
                kept[name] = array("d", (value / step for value in kept[name]))
        self._complain(
            "toolbox adds the shares of all CPUs up and prints at most 99",
            "its us, ni, sy, id, wa and ir are not percentages",
        )

    def _correct_toybox(self, kept: "dict[str, array[float]]", boot: dict[str, float]) -> None:
        version = _toybox_version(self._facts.get("version", ""))
        wrong = version < _TRUE_INTERRUPTS if version is not None else _is_percent(kept)
        if wrong and "in" in kept:
            del kept["in"]
            boot.pop("in", None)
            self._complain(
                "toybox before 0.8.10 prints softirq percent as `in`",
                "interrupts are not measured",
            )
        if version is not None and version >= _TRUE_INTERRUPTS:
            page_kib = (_number(self._facts.get("page_bytes", "")) or 4096.0) / 1024
            for name in _PAGED:
                if name in kept and page_kib > 0:
                    kept[name] = array("d", (value / page_kib for value in kept[name]))
                    boot.update({name: boot[name] / page_kib} if name in boot else {})


def _is_header(words: list[bytes]) -> bool:
    return {b"us", b"sy", b"id"} <= set(words) and words[:1] == [b"r"]


def _is_group_line(raw: bytes) -> bool:
    """`procs ---memory--- …`, the first line of a header."""
    return b"procs" in raw or b"--" in raw or raw.split()[:1] == [b"memory"]


def _dialect(names: tuple[str, ...]) -> str:
    if "flt" in names:
        return "toolbox"
    return "procps" if "st" in names else "toybox"


def _seconds(stamp: str) -> float | None:
    found = _STAMP.fullmatch(stamp)
    if found is None:
        return None
    try:
        year, month, day, hour, minute, second = map(int, found.groups())
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return moment.timestamp()


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _toybox_version(text: str) -> tuple[int, ...] | None:
    found = _VERSION.search(text) if "toybox" in text else None
    return tuple(map(int, found.groups())) if found else None


def _is_percent(kept: "dict[str, array[float]]") -> bool:
    """Whether `in` can only be a percentage: a running system has more interrupts than that."""
    interrupts, switches = kept.get("in"), kept.get("cs")
    if not interrupts or not switches:
        return False
    return max(interrupts) <= 100 and max(switches) > 200
