"""Callgrind's lines, one by one: what each means, and what is done with the odd ones."""

import re
from array import array

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
_COMPRESSED = re.compile(rb"(\(\d{1,9}\))(?:[ \t]+(.*))?", re.DOTALL)
_NUMBER = re.compile(rb"[+-]?(?:\d{1,20}|0[xX][0-9a-fA-F]{1,16})")
_COUNT = re.compile(rb"-?\d{1,20}")
_STARTS_ROW = b"0123456789+-*"
_POSITIONS = (b"instr", b"bb", b"line")


class Names:
    """Names of one kind: interned, and known by the numbers that compress them."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}
        self.known: dict[bytes, int] = {}  # by `(NUMBER)`

    def place(self, text: bytes) -> int:
        """The place of `NAME`, `(NUMBER) NAME` or `(NUMBER)`. Raises `KeyError`."""
        known = self.known.get(text)
        if known is not None:
            return known
        found = _COMPRESSED.fullmatch(text)
        if found is None:
            return self.intern(text.decode("utf-8", "backslashreplace"))
        number, name = found.groups()
        if name is None:
            return self.known[number]
        place = self.known[number] = self.intern(name.decode("utf-8", "backslashreplace"))
        return place

    def intern(self, name: str) -> int:
        return self.places.setdefault(name, len(self.places))


class Part:
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


class Reading:
    """The state of one reading: the open names, the last position, the columns so far."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.number = 0
        self.whole = True
        self.events: tuple[str, ...] = ()
        self.positions: tuple[bytes, ...] = (b"line",)
        self.last = [0]
        self.objects, self.files, self.functions = Names(), Names(), Names()
        self.object = -1
        self.function_file: int | None = None
        self.file: int | None = None
        self.function: int | None = None
        self.callee: list[int | None] = [None, None, None]  # object, file, function
        self.calls: int | None = None
        self._symbols: dict[tuple[int, int, int], int] = {}
        self.rows = array("i"), array("i"), array("i")
        self.counts: list[array[int]] = []
        self.edges = array("i"), array("i"), array("i"), array("q")
        self.edge_counts: list[array[int]] = []
        self.parts = [Part()]
        self._damage: list[Damage] = []

    def line(self, line: bytes) -> None:
        """Take the next line of the file, with its line end."""
        self.number += 1
        self.whole = line.endswith(b"\n")
        text = line.strip(b"\r\n \t")
        if not text or text.startswith(b"#"):
            return
        if text[0] in _STARTS_ROW and self.events:
            self._row(text)
            return
        key, equals, value = text.partition(b"=")
        try:
            if not (equals and self.name(key, value.strip())):
                self._header(text)
        except KeyError:
            name = text.decode("utf-8", "backslashreplace")
            self._complain(f"{name} was not defined before", "its costs go to ???")
            self.name(key, UNKNOWN.encode())

    def name(self, key: bytes, value: bytes) -> bool:
        match key:
            case b"fn":
                self.function = self.functions.place(value)
            case b"fl":
                self.file = self.function_file = self.files.place(value)
            case b"fi" | b"fe":
                self.file = self.files.place(value)
            case b"ob":
                self.object = self.objects.place(value)
            case b"cfn":
                self.callee[2] = self.functions.place(value)
            case b"cfi" | b"cfl":
                self.callee[1] = self.files.place(value)
            case b"cob":
                self.callee[0] = self.objects.place(value)
            case b"calls":
                self._open_call(value)
            case b"jfi":  # a jump's target: it has no cost, but its name may be defined here
                self.files.place(value)
            case b"jfn":
                self.functions.place(value)
            case b"job":
                self.objects.place(value)
            case b"jump" | b"jcnd":
                pass  # where control went inside a function: no cost of its own
            case _:
                return False
        return True

    def _open_call(self, value: bytes) -> None:
        count = value.split()[:1]
        if count and _COUNT.fullmatch(count[0]) and int(count[0]) in _INT64:
            self.calls = int(count[0])
        else:
            self._complain("a call without its number", "it counts as none")
            self.calls = 0

    def _row(self, text: bytes) -> None:
        words = text.split()
        width = len(self.positions)
        if not self.whole and words:
            words.pop()  # may be cut
            self._complain("the file ends inside a row", "the row's last counts are missing")
        if len(words) < width or len(words) > width + len(self.events):
            if self.whole:
                self._complain("a row of the wrong length", "the row is left out")
            return
        try:
            for place, word in enumerate(words[:width]):
                self.last[place] = _position(word, self.last[place])
            counts = [_count(word) for word in words[width:]]
        except ValueError:
            self._complain("a row that is not numbers", "the row is left out")
            self.calls = None
            return
        if not counts:
            return  # the place that a jump starts from
        counts.extend([0] * (len(self.events) - len(counts)))
        line = min(max(self.last[-1], 0), _MOST_LINE) if b"line" in self.positions else 0
        if self.calls is None:
            self._add_row(line, counts)
        else:
            self._add_edge(line, counts)

    def _add_row(self, line: int, counts: list[int]) -> None:
        symbol = self.symbol()
        for column, value in zip(
            self.rows, (symbol, line, self.known_file(self.file)), strict=True
        ):
            column.append(value)
        sums = self.parts[-1].sums
        for place, count in enumerate(counts):
            self.counts[place].append(count)
            sums[place] += count

    def _add_edge(self, line: int, counts: list[int]) -> None:
        callee = self.called_symbol()
        values = (self.symbol(), callee, line, self.calls or 0)
        for column, value in zip(self.edges, values, strict=True):
            column.append(value)
        for column, count in zip(self.edge_counts, counts, strict=True):
            column.append(count)
        self.calls = None

    def called_symbol(self) -> int:
        """The function that the call at hand leads to; the next call is another's."""
        obj, file, function = self.callee
        self.callee = [None, None, None]
        return self.intern_symbol(
            self.object if obj is None else obj,
            self.known_file(self.file if file is None else file),
            self.functions.intern(UNKNOWN) if function is None else function,
        )

    def known_file(self, file: int | None) -> int:
        return self.files.intern(UNKNOWN) if file is None else file

    def symbol(self) -> int:
        function = self.function
        return self.intern_symbol(
            self.object,
            self.known_file(self.function_file),
            self.functions.intern(UNKNOWN) if function is None else function,
        )

    def intern_symbol(self, obj: int, file: int, function: int) -> int:
        return self._symbols.setdefault((obj, file, function), len(self._symbols))

    def _header(self, text: bytes) -> None:
        key, colon, raw = text.partition(b":")
        value = raw.strip()
        part = self.parts[-1]
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

    def _next_part(self, last: Part) -> Part:
        part = Part()
        part.pid, part.command = last.pid, last.command
        part.sums = [0] * len(self.events)
        self.parts.append(part)
        self.last = [0] * len(self.positions)
        return part

    def _open_events(self, names: tuple[str, ...]) -> None:
        if self.events:
            if names != self.events:
                raise ParseError(
                    self.source, "its parts count different events", line=self.number
                )
            return
        if len(names) > _MOST_EVENTS:
            raise ParseError(self.source, f"{len(names)} events are too many", line=self.number)
        self.events = names
        self.counts = [array("q") for _ in names]
        self.edge_counts = [array("q") for _ in names]
        for part in self.parts:
            part.sums = [0] * len(names)

    def _open_positions(self, names: tuple[bytes, ...]) -> None:
        if not names or len(names) > len(_POSITIONS) or any(n not in _POSITIONS for n in names):
            self._complain("positions that are not known", "lines are taken for them")
            names = (b"line",)
        self.positions = names
        self.last = [0] * len(names)

    def _sums(self, value: bytes) -> tuple[int, ...] | None:
        try:
            return tuple(_count(word) for word in value.split())
        except ValueError:
            self._complain("totals that are not numbers", "sums are not checked")
            return None

    def _complain(self, what: str, effect: str) -> None:
        if len(self._damage) < _MOST_DAMAGE:
            self._damage.append(Damage(self.source, what, effect, line=self.number))

    def profile(self) -> CostProfile:
        """What was read. Raises `ParseError` when there was no `events:` line."""
        if not self.number:
            raise ParseError(
                self.source, "empty: Callgrind wrote nothing, or a file for each thread"
            )
        if not self.events:
            raise ParseError(self.source, "no `events:` line: not a whole Callgrind output")
        self._check()
        files = list(self.files.places)
        symbols = [array("i", column) for column in zip(*self._symbols, strict=True)]
        objects, file_of, functions = symbols or [array("i") for _ in range(3)]
        symbol, line, file = (memoryview(column) for column in self.rows)
        return CostProfile(
            events=self.events,
            symbols=SymbolTable(
                list(self.functions.places),
                files,
                memoryview(functions),
                memoryview(file_of),
                list(self.objects.places),
                memoryview(objects),
            ),
            files=files,
            row_symbol=symbol,
            row_line=line,
            row_file=file,
            counts=tuple(memoryview(column) for column in self.counts),
            processes=tuple(part.process() for part in self.parts),
            edges=CallEdges(
                caller=memoryview(self.edges[0]),
                callee=memoryview(self.edges[1]),
                line=memoryview(self.edges[2]),
                calls=memoryview(self.edges[3]),
                counts=tuple(memoryview(column) for column in self.edge_counts),
            ),
            damage=tuple(self._damage),
        )

    def _check(self) -> None:
        """Compare each part's sums with its `totals:`, or else with its `summary:`."""
        for part in self.parts:
            said = part.totals if part.totals is not None else part.summary
            if part.totals is None and part is self.parts[-1] and not any(said or ()):
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
