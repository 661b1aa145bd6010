"""Callgrind's output file: self costs per line, and calls with their inclusive costs.

Format: Valgrind manual, "Callgrind Format Specification". Names are compressed (`fn=(12)`),
positions too (`+3`, `*`); the row after `calls=` is the cost of the callee and all that it
called, and no self cost. Several parts of one run may follow each other in a file.
"""

import re
from array import array
from collections.abc import Iterable
from pathlib import Path

from collectors.errors import ParseError
from collectors.records.cost import (
    UNKNOWN,
    CallEdges,
    CostProcess,
    CostProfile,
    SymbolTable,
)
from collectors.records.shared import Damage

_MOST_EVENTS = 64
_MOST_DAMAGE = 20
_MOST_LINE = 0x7FFFFFFF
_INT64 = range(-(1 << 63), 1 << 63)
_COMPRESSED = re.compile(rb"\((\d{1,9})\)(?:[ \t]+(.*))?", re.DOTALL)
_NUMBER = re.compile(rb"[+-]?(?:\d{1,20}|0[xX][0-9a-fA-F]{1,16})")
_COUNT = re.compile(rb"-?\d{1,20}")
_STARTS_ROW = b"0123456789+-*"
_POSITIONS = (b"instr", b"bb", b"line")


def parse_callgrind(file: Path) -> CostProfile:
    """Read one output file. Raises `ParseError` when it has no `events:` line."""
    with file.open("rb") as stream:
        return parse_lines(stream, file.name)


def parse_lines(lines: Iterable[bytes], source: str) -> CostProfile:
    """Read the lines of one output file; `source` is its name in messages."""
    reading = _Reading(source)
    for line in lines:
        reading.line(line)
    return reading.profile()


class _Names:
    """Names of one kind: interned, and known by the numbers that compress them."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}
        self._by_number: dict[bytes, int] = {}

    def place(self, text: bytes) -> int:
        """The place of `NAME`, `(NUMBER) NAME` or `(NUMBER)`. Raises `KeyError`."""
        found = _COMPRESSED.fullmatch(text)
        if found is None:
            return self.intern(text.decode("utf-8", "backslashreplace"))
        number, name = found.groups()
        if name is None:
            return self._by_number[number]
        place = self._by_number[number] = self.intern(name.decode("utf-8", "backslashreplace"))
        return place

    def intern(self, name: str) -> int:
        return self.places.setdefault(name, len(self.places))


class _Part:
    """What the header and the end of one part say, and the sums of its rows."""

    def __init__(self) -> None:
        self.pid: int | None = None
        self.part: int | None = None
        self.thread: int | None = None
        self.command: str | None = None
        self.description: list[str] = []
        self.sums: list[int] = []
        self.summary: tuple[int, ...] | None = None
        self.totals: tuple[int, ...] | None = None

    def process(self) -> CostProcess:
        return CostProcess(
            pid=self.pid,
            command=self.command,
            description=tuple(self.description),
            summary=self.totals or self.summary,
            thread=self.thread,
            part=self.part,
        )


class _Reading:
    """The state of one reading: the open names, the last position, the columns so far."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._number = 0
        self._whole = True
        self._events: tuple[str, ...] = ()
        self._positions: tuple[bytes, ...] = (b"line",)
        self._last = [0]
        self._objects, self._files, self._functions = _Names(), _Names(), _Names()
        self._object = -1
        self._function_file: int | None = None
        self._file: int | None = None
        self._function: int | None = None
        self._callee: list[int | None] = [None, None, None]  # object, file, function
        self._calls: int | None = None
        self._symbols: dict[tuple[int, int, int], int] = {}
        self._rows = array("i"), array("i"), array("i")
        self._counts: list[array[int]] = []
        self._edges = array("i"), array("i"), array("i"), array("q")
        self._edge_counts: list[array[int]] = []
        self._parts = [_Part()]
        self._damage: list[Damage] = []

    def line(self, line: bytes) -> None:
        """Take the next line of the file, with its line end."""
        self._number += 1
        self._whole = line.endswith(b"\n")
        text = line.strip(b"\r\n \t")
        if not text or text.startswith(b"#"):
            return
        if text[0] in _STARTS_ROW and self._events:
            self._row(text)
            return
        key, equals, value = text.partition(b"=")
        try:
            if not (equals and self._name(key, value.strip())):
                self._header(text)
        except KeyError:
            name = text.decode("utf-8", "backslashreplace")
            self._complain(f"{name} was not defined before", "its costs go to ???")
            self._name(key, UNKNOWN.encode())

    def _name(self, key: bytes, value: bytes) -> bool:
        match key:
            case b"fn":
                self._function = self._functions.place(value)
            case b"fl":
                self._file = self._function_file = self._files.place(value)
            case b"fi" | b"fe":
                self._file = self._files.place(value)
            case b"ob":
                self._object = self._objects.place(value)
            case b"cfn":
                self._callee[2] = self._functions.place(value)
            case b"cfi" | b"cfl":
                self._callee[1] = self._files.place(value)
            case b"cob":
                self._callee[0] = self._objects.place(value)
            case b"calls":
                self._open_call(value)
            case b"jfi":  # a jump's target: it has no cost, but its name may be defined here
                self._files.place(value)
            case b"jfn":
                self._functions.place(value)
            case b"job":
                self._objects.place(value)
            case b"jump" | b"jcnd":
                pass  # where control went inside a function: no cost of its own
            case _:
                return False
        return True

    def _open_call(self, value: bytes) -> None:
        count = value.split()[:1]
        if count and _COUNT.fullmatch(count[0]) and int(count[0]) in _INT64:
            self._calls = int(count[0])
        else:
            self._complain("a call without its number", "it counts as none")
            self._calls = 0

    def _row(self, text: bytes) -> None:
        words = text.split()
        width = len(self._positions)
        if not self._whole and words:
            words.pop()  # may be cut
            self._complain("the file ends inside a row", "the row's last counts are missing")
        if len(words) < width or len(words) > width + len(self._events):
            if self._whole:
                self._complain("a row of the wrong length", "the row is left out")
            return
        try:
            for place, word in enumerate(words[:width]):
                self._last[place] = _position(word, self._last[place])
            counts = [_count(word) for word in words[width:]]
        except ValueError:
            self._complain("a row that is not numbers", "the row is left out")
            self._calls = None
            return
        if not counts:
            return  # the place that a jump starts from
        counts.extend([0] * (len(self._events) - len(counts)))
        line = min(max(self._last[-1], 0), _MOST_LINE) if b"line" in self._positions else 0
        if self._calls is None:
            self._add_row(line, counts)
        else:
            self._add_edge(line, counts)

    def _add_row(self, line: int, counts: list[int]) -> None:
        symbol = self._symbol()
        for column, value in zip(
            self._rows, (symbol, line, self._known_file(self._file)), strict=True
        ):
            column.append(value)
        sums = self._parts[-1].sums
        for place, count in enumerate(counts):
            self._counts[place].append(count)
            sums[place] += count

    def _add_edge(self, line: int, counts: list[int]) -> None:
        obj, file, function = self._callee
        callee = self._intern_symbol(
            self._object if obj is None else obj,
            self._known_file(self._file if file is None else file),
            self._functions.intern(UNKNOWN) if function is None else function,
        )
        values = (self._symbol(), callee, line, self._calls or 0)
        for column, value in zip(self._edges, values, strict=True):
            column.append(value)
        for column, count in zip(self._edge_counts, counts, strict=True):
            column.append(count)
        self._calls = None
        self._callee = [None, None, None]

    def _known_file(self, file: int | None) -> int:
        return self._files.intern(UNKNOWN) if file is None else file

    def _symbol(self) -> int:
        function = self._function
        return self._intern_symbol(
            self._object,
            self._known_file(self._function_file),
            self._functions.intern(UNKNOWN) if function is None else function,
        )

    def _intern_symbol(self, obj: int, file: int, function: int) -> int:
        return self._symbols.setdefault((obj, file, function), len(self._symbols))

    def _header(self, text: bytes) -> None:
        key, colon, raw = text.partition(b":")
        value = raw.strip()
        part = self._parts[-1]
        shown = value.decode("utf-8", "backslashreplace")
        if not colon:
            shown = text[:40].decode("utf-8", "backslashreplace")
            self._complain(f"an unknown line {shown!r}", "it is left out")
            return
        match key:
            case b"events":
                self._open_events(tuple(shown.split()))
            case b"positions":
                self._open_positions(tuple(value.split()))
            case b"part":
                if part.part is not None or part.totals is not None:
                    part = self._next_part(part)
                part.part = _number(value)
            case b"pid":
                part.pid = _number(value)
            case b"thread":
                part.thread = _number(value)
            case b"cmd":
                part.command = shown
            case b"desc":
                part.description.append(shown)
            case b"summary":
                part.summary = self._sums(value)
            case b"totals":
                part.totals = self._sums(value)
            case _:
                return  # version, creator, event: and what newer ones may say

    def _next_part(self, last: _Part) -> _Part:
        part = _Part()
        part.pid, part.command = last.pid, last.command
        part.sums = [0] * len(self._events)
        self._parts.append(part)
        self._last = [0] * len(self._positions)
        return part

    def _open_events(self, names: tuple[str, ...]) -> None:
        if self._events:
            if names != self._events:
                raise ParseError(
                    self._source, "its parts count different events", line=self._number
                )
            return
        if len(names) > _MOST_EVENTS:
            raise ParseError(
                self._source, f"{len(names)} events are too many", line=self._number
            )
        self._events = names
        self._counts = [array("q") for _ in names]
        self._edge_counts = [array("q") for _ in names]
        for part in self._parts:
            part.sums = [0] * len(names)

    def _open_positions(self, names: tuple[bytes, ...]) -> None:
        if not names or len(names) > len(_POSITIONS) or any(n not in _POSITIONS for n in names):
            self._complain("positions that are not known", "lines are taken for them")
            names = (b"line",)
        self._positions = names
        self._last = [0] * len(names)

    def _sums(self, value: bytes) -> tuple[int, ...] | None:
        try:
            return tuple(_count(word) for word in value.split())
        except ValueError:
            self._complain("totals that are not numbers", "sums are not checked")
            return None

    def _complain(self, what: str, effect: str) -> None:
        if len(self._damage) < _MOST_DAMAGE:
            self._damage.append(Damage(self._source, what, effect, line=self._number))

    def profile(self) -> CostProfile:
        """What was read. Raises `ParseError` when there was no `events:` line."""
        if not self._number:
            raise ParseError(
                self._source, "empty: Callgrind wrote nothing, or a file for each thread"
            )
        if not self._events:
            raise ParseError(self._source, "no `events:` line: not a whole Callgrind output")
        self._check()
        files = list(self._files.places)
        symbols = [array("i", column) for column in zip(*self._symbols, strict=True)]
        objects, file_of, functions = symbols or [array("i") for _ in range(3)]
        symbol, line, file = (memoryview(column) for column in self._rows)
        return CostProfile(
            events=self._events,
            symbols=SymbolTable(
                list(self._functions.places),
                files,
                memoryview(functions),
                memoryview(file_of),
                list(self._objects.places),
                memoryview(objects),
            ),
            files=files,
            row_symbol=symbol,
            row_line=line,
            row_file=file,
            counts=tuple(memoryview(column) for column in self._counts),
            processes=tuple(part.process() for part in self._parts),
            edges=CallEdges(
                caller=memoryview(self._edges[0]),
                callee=memoryview(self._edges[1]),
                line=memoryview(self._edges[2]),
                calls=memoryview(self._edges[3]),
                counts=tuple(memoryview(column) for column in self._edge_counts),
            ),
            damage=tuple(self._damage),
        )

    def _check(self) -> None:
        """Compare each part's sums with its `totals:`, or else with its `summary:`."""
        for part in self._parts:
            said = part.totals if part.totals is not None else part.summary
            if part.totals is None and part is self._parts[-1] and not any(said or ()):
                self._complain("the file ends without its totals", "rows may be missing")
            elif said is not None and said + (0,) * (len(part.sums) - len(said)) != tuple(
                part.sums
            ):
                self._complain(
                    f"the rows of part {part.part or 1} do not sum up to its totals",
                    f"figures are sums of the rows: {part.sums[0]:,} of {said[0]:,}"
                    if said
                    else "figures are sums of the rows",
                )


def _number(value: bytes) -> int | None:
    return int(value) if value.isdigit() and len(value) < 20 else None


def _position(word: bytes, last: int) -> int:
    if word == b"*":
        return last
    if not _NUMBER.fullmatch(word):
        raise ValueError(word)
    number = int(word, 16 if b"x" in word.lower() else 10)
    return last + number if word[:1] in b"+-" else number


def _count(word: bytes) -> int:
    if not _COUNT.fullmatch(word) or int(word) not in _INT64:
        raise ValueError(word)
    return int(word)
