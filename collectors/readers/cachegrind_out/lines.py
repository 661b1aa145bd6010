"""Cachegrind's lines, one by one: what each means, and what is done with the odd ones."""

from array import array
from collections.abc import Iterable
from typing import Any

from collectors.errors import ParseError
from collectors.records.cost import (
    UNKNOWN,
    CostProcess,
    CostProfile,
    SymbolTable,
    column_sum,
)
from collectors.records.shared import Damage

# Cachegrind counts 13 kinds of events at most; the bound keeps hostile files small.
MOST_EVENTS = 64
MOST_LINE = 0x7FFFFFFF
_MOST_DAMAGE = 20
_INT64 = range(-(1 << 63), 1 << 63)
_KEYS = {b"desc", b"cmd", b"events", b"summary", b"version", b"creator"}
_PLAIN = b"0123456789 "
_FILE_KEYS = (b"fl=", b"fi=", b"fe=")


class Names(dict[bytes, int]):
    """Names as bytes, so that each is decoded once, and their numbers."""

    def __missing__(self, name: bytes) -> int:
        number = self[name] = len(self)
        return number


class Symbols(dict[int, int]):
    """Numbers of functions in files, by `key`."""

    def __init__(self) -> None:
        super().__init__()
        self.functions = array("i")
        self.files = array("i")

    # More than there are functions, and odd, so that the low bits of a key, by which a
    # dict finds its place, differ with the file and with the function.
    FILE = (1 << 32) + 15

    @classmethod
    def key(cls, file: int, function: int) -> int:
        return file * cls.FILE + function

    def __missing__(self, key: int) -> int:
        self.add([key])
        return self[key]

    def add(self, keys: Iterable[int]) -> None:
        """Number those of the keys that have no number yet."""
        new = [key for key in dict.fromkeys(keys) if key not in self]
        self.update(zip(new, range(len(self), len(self) + len(new)), strict=True))
        self.files.extend([key // self.FILE for key in new])
        self.functions.extend([key % self.FILE for key in new])


class Reading:
    """The state of one reading: the open `fl=` and `fn=`, the names and columns so far."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.events: tuple[str, ...] = ()
        self.number = 0
        self.file: int | None = None
        self.symbol: int | None = None
        self.row_symbol: Any = array("i")  # or numpy's, from the block reader
        self.row_line: Any = array("i")
        self.row_file: Any = array("i")
        self.counts: list[Any] = []
        self._rows = array("q")  # line and counts of each row; a column is a slice of it
        self._whole = True
        self._description: list[str] = []
        self._command: str | None = None
        self._in_command = False
        self._summary: tuple[int, ...] | None = None
        self._damage: list[Damage] = []
        self._more_damage = 0
        self.files = Names()
        self.functions = Names()
        self.symbols = Symbols()

    def line(self, line: bytes) -> list[int] | None:
        """Take the next line of the file, with its line end; a row is returned to be added."""
        self.number += 1
        self._whole = line.endswith(b"\n")
        text = line.rstrip(b"\r\n")
        first = text[:1]
        if first.isdigit() and self.events:
            return self._row(text)
        if text.startswith(b"fn="):
            self.open_function(text[3:])
        elif text.startswith(_FILE_KEYS):
            self.open_file(text[3:])
        elif text.strip() and first != b"#":
            self._header(text)
        return None

    def add(self, row: list[int]) -> None:
        """Add a row that `line` returned to the columns."""
        if self.symbol is None:
            self.place()
        self.row_symbol.append(self.symbol)
        self.row_file.append(self.file)
        self._rows.extend(row)

    def open_file(self, name: bytes) -> None:
        self.file = self.files[name]
        self.symbol = None

    def open_function(self, name: bytes) -> tuple[int, int]:
        """Open a function of the open file; its symbol and file."""
        file = self.file
        if file is None:
            file = self.file = self.files[UNKNOWN.encode()]
        symbol = self.symbol = self.symbols[self.symbols.key(file, self.functions[name])]
        return symbol, file

    def place(self) -> tuple[int, int]:
        """The symbol and file that a row now belongs to."""
        if self.symbol is None or self.file is None:
            return self.open_function(UNKNOWN.encode())
        return self.symbol, self.file

    def _row(self, text: bytes) -> list[int] | None:
        """The line number and one count for every event; None where it cannot be used."""
        if self._whole and not text.translate(None, _PLAIN):
            row = list(map(int, text.split()))
            if len(row) == 1 + len(self.events) and max(row) <= MOST_LINE:
                return row
        if not self._whole:
            text, _, _ = text.rpartition(b" ")  # the last number may be cut
            self.complain("the file ends inside a row", "the row's last counts are missing")
        try:
            row = _integers(text)
        except ValueError:
            self.complain("a row that is not numbers", "the row is left out")
            return None
        missing = 1 + len(self.events) - len(row)
        if not row:
            return None
        if missing < 0 or any(count not in _INT64 for count in row):
            self.complain("a row with too many or too large counts", "the row is left out")
            return None
        row[0] = min(row[0], MOST_LINE)
        row.extend([0] * missing)
        return row

    def _header(self, text: bytes) -> None:
        key, colon, value = text.partition(b":")
        known = bool(colon) and key in _KEYS
        if known and key != b"cmd":
            self._in_command = False
        if known and key == b"desc":
            self._description.append(_text(value.strip()))
        elif known and key == b"cmd":
            self._command = _text(value.strip())
            self._in_command = True
        elif known and key == b"events":
            self._open_events(value)
        elif known and key == b"summary":
            self._read_summary(value)
        elif known or text.startswith(b"ob="):
            return
        elif self._in_command:
            self._command = f"{self._command}\n{_text(text)}"  # an argument with a line break
        else:
            self.complain(f"an unknown line {_text(text[:40])!r}", "it is left out")

    def _open_events(self, value: bytes) -> None:
        names = tuple(_text(name) for name in value.split())
        if self.events:
            if names != self.events:
                self.complain("a second `events:` line", "the first one is used")
        elif len(names) > MOST_EVENTS:
            raise ParseError(self.source, f"{len(names)} events are too many", line=self.number)
        else:
            self.events = names
            self.counts = [array("q") for _ in names]

    def _read_summary(self, value: bytes) -> None:
        try:
            self._summary = tuple(_integers(value))
        except ValueError:
            self.complain("a summary that is not numbers", "totals are not checked")

    def complain(self, what: str, effect: str) -> None:
        if len(self._damage) < _MOST_DAMAGE:
            self._damage.append(Damage(self.source, what, effect, line=self.number))
        else:
            self._more_damage += 1

    def profile(self) -> CostProfile:
        """What was read. Raises `ParseError` when there was no `events:` line."""
        if not self.events:
            raise ParseError(self.source, "no `events:` line: not a whole Cachegrind output")
        if self._rows:
            width = 1 + len(self.events)
            self.row_line = array("i", self._rows[::width])
            self.counts = [self._rows[place::width] for place in range(1, width)]
        files = [_text(name) for name in self.files]
        counts = tuple(memoryview(column) for column in self.counts)
        return CostProfile(
            events=self.events,
            symbols=SymbolTable(
                [_text(name) for name in self.functions],
                files,
                memoryview(self.symbols.functions),
                memoryview(self.symbols.files),
            ),
            files=files,
            row_symbol=memoryview(self.row_symbol),
            row_line=memoryview(self.row_line),
            row_file=memoryview(self.row_file),
            counts=counts,
            processes=(
                CostProcess(
                    command=self._command,
                    description=tuple(self._description),
                    summary=self._summary,
                ),
            ),
            damage=self._all_damage(tuple(map(column_sum, counts))),
        )

    def _all_damage(self, totals: tuple[int, ...]) -> tuple[Damage, ...]:
        """All that was wrong, the sums of the rows against the file's summary included."""
        found = list(self._damage)
        if self._more_damage:
            found.append(
                Damage(
                    self.source,
                    f"{self._more_damage:,} more lines that cannot be read",
                    "they are left out",
                )
            )
        if self._summary is None:
            what = "the file ends without its summary"
            what += "" if self._whole else ", inside a line"
            effect = "rows after this line are missing"
            found.append(Damage(self.source, what, effect, line=self.number))
        elif self._summary + (0,) * (len(totals) - len(self._summary)) != totals:
            different = [
                f"{name} {total:,} of {said:,}"
                for name, total, said in zip(self.events, totals, self._summary, strict=False)
                if total != said
            ]
            effect = "figures are sums of the rows: " + ", ".join(different)
            found.append(Damage(self.source, "its rows do not sum up to its summary", effect))
        return tuple(found)


def _integers(text: bytes) -> list[int]:
    """The integers of a line. Raises `ValueError` for what Python allows and C does not."""
    if b"_" in text or b"+" in text:
        raise ValueError
    return [int(word) for word in text.split()]


def _text(raw: bytes) -> str:
    """Names are bytes; those that are not UTF-8 stay distinct, and can be printed."""
    return raw.decode("utf-8", "backslashreplace")
