"""Cachegrind's output file: counts per file, function and line.

Format: Valgrind manual, "Cachegrind", "Cachegrind Output Files". Everything that is whole is
kept: a cut file, foreign lines and rows that do not fit become `Damage`.
"""

from array import array
from collections.abc import Iterable
from pathlib import Path

from collectors.errors import ParseError
from collectors.records.cost import UNKNOWN, CostProcess, CostProfile, Symbol
from collectors.records.shared import Damage

_MOST_DAMAGE = 20
_INT64 = range(-(1 << 63), 1 << 63)


def parse_cachegrind(file: Path) -> CostProfile:
    """Read one output file. Raises `ParseError` when it has no `events:` line."""
    with file.open("rb") as stream:
        return parse_lines(stream, file.name)


def parse_lines(lines: Iterable[bytes], source: str) -> CostProfile:
    """Read the lines of one output file; `source` is its name in messages."""
    return _Reader(source).read(lines)


class _Reader:
    """The state of one reading: the open `fl=` and `fn=`, and the columns so far."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._description: list[str] = []
        self._command: str | None = None
        self._events: tuple[str, ...] = ()
        self._summary: tuple[int, ...] | None = None
        self._damage: list[Damage] = []
        self._files: dict[str, int] = {}
        self._symbols: dict[tuple[int, str], int] = {}
        self._file = UNKNOWN
        self._symbol: int | None = None
        self._in_command = False
        self._row_symbol = array("i")
        self._row_line = array("i")
        self._row_file = array("i")
        self._counts: list[array[int]] = []

    def read(self, lines: Iterable[bytes]) -> CostProfile:
        number = 0
        line = b""
        for number, line in enumerate(lines, start=1):
            text = line.rstrip(b"\r\n")
            first = text[:1]
            if first.isdigit() and self._events:
                self._row(text, number, whole=line.endswith(b"\n"))
            elif text.startswith((b"fl=", b"fi=", b"fe=")):
                self._file = _text(text[3:])
                self._symbol = None
                self._files.setdefault(self._file, len(self._files))
            elif text.startswith(b"fn="):
                self._open_function(_text(text[3:]))
            elif text.strip() and first != b"#":
                self._header(text, number)
        if not self._events:
            raise ParseError(self._source, "no `events:` line: not a whole Cachegrind output")
        self._check(number, cut=not line.endswith(b"\n"))
        return CostProfile(
            events=self._events,
            symbols=[Symbol(name, self._file_names[index]) for index, name in self._symbols],
            files=self._file_names,
            row_symbol=memoryview(self._row_symbol),
            row_line=memoryview(self._row_line),
            row_file=memoryview(self._row_file),
            counts=tuple(memoryview(column) for column in self._counts),
            processes=(
                CostProcess(
                    command=self._command,
                    description=tuple(self._description),
                    summary=self._summary,
                ),
            ),
            damage=tuple(self._damage),
        )

    @property
    def _file_names(self) -> list[str]:
        return list(self._files)

    def _open_function(self, name: str) -> None:
        file = self._files.setdefault(self._file, len(self._files))
        self._symbol = self._symbols.setdefault((file, name), len(self._symbols))

    def _row(self, text: bytes, number: int, *, whole: bool) -> None:
        if self._symbol is None:
            self._open_function(UNKNOWN)
        try:
            line, *counts = map(int, text.split())
        except ValueError:
            self._complain(number, "a row that is not numbers", "the row is left out")
            return
        if len(counts) > len(self._events) or any(count not in _INT64 for count in counts):
            self._complain(number, "a row with too many or too large counts", "it is left out")
            return
        if not whole and len(counts) < len(self._events):
            self._complain(number, "the file ends inside a row", "the row is left out")
            return
        assert self._symbol is not None  # noqa: S101  # set above
        self._row_symbol.append(self._symbol)
        self._row_line.append(min(line, 0x7FFFFFFF))
        self._row_file.append(self._files[self._file])
        counts.extend([0] * (len(self._events) - len(counts)))
        for column, count in zip(self._counts, counts, strict=True):
            column.append(count)

    def _header(self, text: bytes, number: int) -> None:
        key, colon, value = text.partition(b":")
        known = colon and key in {
            b"desc",
            b"cmd",
            b"events",
            b"summary",
            b"version",
            b"creator",
        }
        if known and key != b"cmd":
            self._in_command = False
        if key == b"desc" and colon:
            self._description.append(_text(value.strip()))
        elif key == b"cmd" and colon:
            self._command = _text(value.strip())
            self._in_command = True
        elif key == b"events" and colon and not self._events:
            self._events = tuple(_text(value).split())
            self._counts = [array("q") for _ in self._events]
        elif key == b"summary" and colon:
            self._read_summary(value, number)
        elif known or text.startswith(b"ob="):
            return
        elif self._in_command:
            self._command = f"{self._command}\n{_text(text)}"  # an argument with a line break
        else:
            self._complain(number, f"an unknown line {_text(text[:40])!r}", "it is left out")

    def _read_summary(self, value: bytes, number: int) -> None:
        try:
            self._summary = tuple(map(int, value.split()))
        except ValueError:
            self._complain(number, "a summary that is not numbers", "totals are not checked")

    def _check(self, last: int, *, cut: bool) -> None:
        totals = tuple(sum(column) for column in self._counts)
        if self._summary is None:
            what = "the file ends without its summary" + (", inside a line" if cut else "")
            self._complain(last, what, "rows after this line are missing")
        elif self._summary + (0,) * (len(totals) - len(self._summary)) != totals:
            different = [
                f"{name} {total:,} of {said:,}"
                for name, total, said in zip(self._events, totals, self._summary, strict=False)
                if total != said
            ]
            self._damage.append(
                Damage(
                    self._source,
                    "its rows do not sum up to its summary",
                    "figures are sums of the rows: " + ", ".join(different),
                )
            )

    def _complain(self, line: int, what: str, effect: str) -> None:
        if len(self._damage) < _MOST_DAMAGE:
            self._damage.append(Damage(self._source, what, effect, line=line))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
