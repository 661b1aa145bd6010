"""Cachegrind's rows by the block: text to integers for a megabyte of lines at a time.

A row is digits and single spaces. Lines of any other make (headers, rows with fewer counts,
damage) go to the line reader, in their order.
"""

import re
from dataclasses import dataclass
from io import SEEK_END
from itertools import compress
from typing import Any, BinaryIO

import numpy as np

from collectors.readers.cachegrind_out.lines import MOST_LINE, Reading
from collectors.records.cost import CostProfile
from collectors.text_numbers import numbers

_BLOCK_BYTES = 1 << 18
_CARRIAGE_RETURNS = re.compile(rb"\r+\n")
_SPACE, _NEWLINE, _ZERO, _EQUALS, _F, _L, _N = b" \n0=fln"

Array = Any  # numpy's arrays: their element types are in the names' documentation


def parse_blocks(
    stream: BinaryIO, source: str, *, block_bytes: int = _BLOCK_BYTES
) -> CostProfile:
    """Read one output file. Raises `ParseError` when it has no `events:` line."""
    reading = Reading(source)
    while not reading.events:
        line = stream.readline()
        if not line:
            return reading.profile()
        reading.line(line)
    start = stream.tell()
    columns = _Columns(reading, stream.seek(0, SEEK_END) - start)
    stream.seek(start)
    cut = b""
    while block := stream.read(block_bytes):
        block += stream.readline()
        if b"\r" in block:
            block = _CARRIAGE_RETURNS.sub(b"\n", block)
        end = block.rfind(b"\n") + 1
        if end:
            _read_block(block[:end] if end < len(block) else block, reading, columns)
        if end < len(block):
            cut = block[end:]  # the file's last line
    if cut and (row := reading.line(cut)) is not None:
        columns.append(np.array([row]), *reading.place())
    columns.close(reading)
    return reading.profile()


class _Columns:
    """The columns, made for as many rows as the bytes can hold where every count is there.

    Memory that is never written to is never taken, so that the room to spare is cheaper
    than to join pieces, which would hold everything twice.
    """

    def __init__(self, reading: Reading, bytes_left: int) -> None:
        self._used = 0
        self._room = 1 + bytes_left // (2 * (1 + len(reading.events)))
        self._symbol = np.empty(self._room, dtype=np.int32)
        self._line = np.empty(self._room, dtype=np.int32)
        self._file = np.empty(self._room, dtype=np.int32)
        self._counts: list[Array] = [
            np.empty(self._room, dtype=np.int64) for _ in reading.events
        ]

    def append(self, values: Array, symbol: Array | int, file: Array | int) -> None:
        """Add rows: line numbers and counts, a row each, and the places they belong to."""
        if self._used + len(values) > self._room:  # rows that leave counts out are shorter
            self._widen(max(2 * self._room, self._used + len(values)))
        rows = slice(self._used, self._used + len(values))
        self._used = rows.stop
        np.minimum(values[:, 0], MOST_LINE, out=self._line[rows], casting="unsafe")
        self._symbol[rows] = symbol
        self._file[rows] = file
        for index, column in enumerate(self._counts, start=1):
            column[rows] = values[:, index]

    def _widen(self, room: int) -> None:
        self._room = room
        for column in (self._symbol, self._line, self._file, *self._counts):
            column.resize(room, refcheck=False)

    def close(self, reading: Reading) -> None:
        """Hand the columns to the reading."""
        rows = slice(self._used)
        reading.row_line = self._line[rows]
        reading.row_symbol = self._symbol[rows]
        reading.row_file = self._file[rows]
        reading.counts = [column[rows] for column in self._counts]


def _read_block(block: bytes, reading: Reading, columns: _Columns) -> None:
    """Read whole lines, the last of which ends in a newline."""
    width = len(reading.events) + 1
    text = np.frombuffer(block, dtype=np.uint8)
    separators = np.flatnonzero((text == _SPACE) | (text == _NEWLINE)).astype(np.int32)
    newlines = np.flatnonzero(text[separators] == _NEWLINE)
    line_ends = separators[newlines]
    line_starts = np.empty_like(line_ends)
    line_starts[0] = 0
    line_starts[1:] = line_ends[:-1] + 1
    fields = np.diff(newlines, prepend=-1)
    is_row = (fields == width) & (text[line_starts] - np.uint8(_ZERO) < 10)
    values, usable = numbers(text, separators, np.repeat(is_row, fields))
    values = values.reshape(-1, width)
    if usable is not None:
        usable = usable.reshape(-1, width).all(axis=1)
        values = values[usable]
        is_row[is_row] = usable
    others = _names(block, text, line_starts, line_ends, is_row, reading)
    if others is None:
        others = _other_lines(block, line_starts, line_ends, is_row, reading)
    rows_before = np.zeros(len(is_row) + 1, dtype=np.int32)
    np.cumsum(is_row, out=rows_before[1:])
    runs = np.diff(rows_before[others.marks], append=rows_before[-1])
    symbol, file = np.repeat(others.symbols, runs), np.repeat(others.files, runs)
    if odd := others.odd:
        at = rows_before[[line for line, _, _ in odd]]
        symbol = np.insert(symbol, at, [place[0] for _, place, _ in odd])
        file = np.insert(file, at, [place[1] for _, place, _ in odd])
        values = np.insert(values.astype(np.int64), at, [row for _, _, row in odd], axis=0)
    columns.append(values, symbol, file)


_OddRow = tuple[int, tuple[int, int], list[int]]


@dataclass(slots=True)
class _Others:
    """What the lines say that are no plain rows.

    `marks` are the lines (of the block) after which rows belong to other symbols and files
    than before: `symbols` and `files`. `odd` are the rows among these lines: (line, place,
    line number and counts).
    """

    marks: Array
    symbols: Array
    files: Array
    odd: list[_OddRow]


def _names(
    block: bytes, text: Array, starts: Array, ends: Array, is_row: Array, reading: Reading
) -> _Others | None:
    """Take the lines that are no rows where they are names in their usual order, else None.

    Names are most of these lines: they are taken all at once.
    """
    others = np.flatnonzero(~is_row)
    begins = starts[others]
    last = len(text) - 1
    second = text[np.minimum(begins + 1, last)]
    named = (text[begins] == _F) & (text[np.minimum(begins + 2, last)] == _EQUALS)
    is_function = named & (second == _N)
    is_file = named & (second == _L)
    rows_follow = np.append(is_row[1:], False)[others]
    nameless = is_file & rows_follow  # rows of a file, but of no function
    files_before = np.cumsum(is_file)[is_function]
    homeless = reading.file is None and (is_row[0] or 0 in files_before[:1])
    if homeless or nameless.any() or not (is_function | is_file).all():
        return None
    first = reading.place() if is_row[0] else (0, 0)
    names = [
        block[start:end]
        for start, end in zip((begins + 3).tolist(), ends[others].tolist(), strict=True)
    ]
    opened = list(map(reading.files.__getitem__, compress(names, is_file.tolist())))
    called = list(map(reading.functions.__getitem__, compress(names, is_function.tolist())))
    files = np.array([reading.file or 0, *opened], dtype=np.int64)[files_before]
    keys = (files * reading.symbols.FILE + np.array(called, dtype=np.int64)).tolist()
    reading.symbols.add(keys)
    symbols = list(map(reading.symbols.__getitem__, keys))
    if opened:
        reading.file = opened[-1]
    if len(others):
        reading.symbol = symbols[-1] if is_function[-1] else None
    reading.number += len(is_row)
    return _Others(
        np.append(0, others[is_function]),
        np.array([first[0], *symbols]),
        np.append(first[1], files),
        [],
    )


def _other_lines(
    block: bytes, starts: Array, ends: Array, is_row: Array, reading: Reading
) -> _Others:
    """Take the lines that are no plain rows one by one, in order."""
    others = np.flatnonzero(~is_row)
    first = reading.number
    marks: list[int] = [0]
    places: list[tuple[int, int]] = [reading.place() if is_row[0] else (0, 0)]
    odd: list[_OddRow] = []
    has_row_after = np.append(is_row[1:], False)[others].tolist()
    for line, start, end, rows_follow in zip(
        others.tolist(),
        starts[others].tolist(),
        ends[others].tolist(),
        has_row_after,
        strict=True,
    ):
        reading.number = first + line
        row = reading.line(block[start : end + 1])
        if row is not None:
            odd.append((line, reading.place(), row))
        if rows_follow:
            marks.append(line)
            places.append(reading.place())
    reading.number = first + len(is_row)
    symbols, files = zip(*places, strict=True)
    return _Others(np.array(marks), np.array(symbols), np.array(files), odd)
