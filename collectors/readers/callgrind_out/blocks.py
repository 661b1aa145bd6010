"""Callgrind's rows by the block, as Cachegrind's are read: text to integers all at once.

A block in which anything is unusual (headers, hexadecimal or instruction positions, damage)
is left to the line reader as a whole, before any of it was taken.
"""

import re
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np

from collectors.readers.callgrind_out.lines import Reading
from collectors.records.cost import CostProfile
from collectors.text_numbers import numbers

_BLOCK_BYTES = 1 << 18
_CALL = re.compile(rb"\d{1,18} ")
_CARRIAGE_RETURNS = re.compile(rb"\r+\n")
_ZERO, _NINE, _SPACE, _NEWLINE, _PLUS, _MINUS, _STAR = b"09 \n+-*"
_NAMES = np.frombuffer(b"fcoj\n#", dtype=np.uint8)  # what lines of names begin with
# Sums over a block, and positions added up, stay far below 2^63.
_MOST_COUNT = 10**12
_MOST_POSITION = 10**9
_MOST_LINE = 0x7FFFFFFF

Array = Any  # numpy's arrays: their element types are in the names' documentation


def parse_blocks(
    stream: BinaryIO, source: str, *, block_bytes: int = _BLOCK_BYTES
) -> CostProfile:
    """Read one output file. Raises `ParseError` when it has no `events:` line."""
    reading = Reading(source)
    while block := stream.read(block_bytes):
        block += stream.readline()
        if b"\r" in block:
            block = _CARRIAGE_RETURNS.sub(b"\n", block)
        rows = _rows(block, reading) if block.endswith(b"\n") else None
        if rows is None:
            for line in BytesIO(block):
                reading.line(line)
        else:
            _take(block, rows, reading)
    return reading.profile()


@dataclass(slots=True)
class _Rows:
    """The rows of a block: `line` and `counts` (one row an event) of each, and which lines
    they are. `counted` says which have counts at all.
    """

    is_row: Array
    starts: Array
    ends: Array
    line: Array
    last: int
    counts: Array
    counted: Array


def _rows(block: bytes, reading: Reading) -> _Rows | None:
    """Read the rows of whole lines; None where anything is not as it usually is."""
    width = 1 + len(reading.events)
    if width == 1 or reading.positions != (b"line",) or abs(reading.last[0]) > _MOST_POSITION:
        return None
    text = np.frombuffer(bytearray(block), dtype=np.uint8)
    if (text < _SPACE).sum() != (text == _NEWLINE).sum():
        return None
    separators = np.flatnonzero((text == _SPACE) | (text == _NEWLINE)).astype(np.int32)
    newlines = np.flatnonzero(text[separators] == _NEWLINE)
    ends = separators[newlines]
    starts = np.empty_like(ends)
    starts[0] = 0
    starts[1:] = ends[:-1] + 1
    first = text[starts]
    signed = (first == _PLUS) | (first == _MINUS) | (first == _STAR)
    is_row = signed | ((first >= _ZERO) & (first <= _NINE))
    fields = np.diff(newlines, prepend=-1)
    of_rows = fields[is_row]
    if not np.isin(first[~is_row], _NAMES).all() or (of_rows > width).any():
        return None
    first = first[is_row]
    relative = signed[is_row]
    signs = starts[is_row][relative]
    after = text[signs + 1]
    digit_after = (after >= _ZERO) & (after <= _NINE)
    star = first[relative] == _STAR
    if (star == digit_after).any() or (star & (after != _SPACE) & (after != _NEWLINE)).any():
        return None
    text[signs] = _ZERO  # so that what follows a sign is a number, and `*` is 0
    values, usable = numbers(text, separators, np.repeat(is_row, fields))
    if usable is not None:
        return None
    row_starts = np.cumsum(of_rows) - of_rows
    table = np.zeros((width, len(of_rows)), dtype=np.int64)
    row = np.repeat(np.arange(len(of_rows)), of_rows)
    table[np.arange(len(values)) - np.repeat(row_starts, of_rows), row] = values
    if table.max(initial=0) >= _MOST_COUNT or table[0].max(initial=0) >= _MOST_POSITION:
        return None
    position = _positions(table[0], relative, first == _MINUS, reading.last[0])
    return _Rows(
        is_row,
        starts,
        ends,
        np.clip(position, 0, _MOST_LINE),
        int(position[-1]) if len(position) else reading.last[0],
        table[1:],
        of_rows > 1,
    )


def _positions(said: Array, relative: Array, negative: Array, before: int) -> Array:
    """Positions from what rows say: numbers, or steps from the row before."""
    steps = said * relative * np.where(negative, -1, 1)
    way = np.cumsum(steps)
    # Where the last position stands that was a number; 0 is the one before the block.
    anchors = np.maximum.accumulate(np.where(relative, 0, np.arange(1, len(said) + 1)))
    at_anchor = np.append(before, np.where(relative, 0, said - way))
    return at_anchor[anchors] + way


def _take(block: bytes, rows: _Rows, reading: Reading) -> None:
    """Take the lines of a block in order: names one by one, rows by the run."""
    rows_follow = np.append(rows.is_row[1:], False)
    others = np.flatnonzero(~rows.is_row & ((rows.starts < rows.ends) | rows_follow))
    before = np.append(0, np.cumsum(rows.is_row))
    starts = np.append(0, before[others])
    counted_rows = np.flatnonzero(rows.counted)
    counted = np.searchsorted(counted_rows, np.append(starts, before[-1]))
    first_counted = np.append(counted_rows, -1)[counted[:-1]]
    runs = zip(starts.tolist(), np.diff(counted).tolist(), first_counted.tolist(), strict=True)
    first_number = reading.number
    places = _Places(reading)
    places.run(*next(runs))
    usual = {
        b"fn": reading.functions.known, b"cfn": reading.functions.known,
        b"fl": reading.files.known, b"fi": reading.files.known, b"fe": reading.files.known,
        b"cfi": reading.files.known, b"cfl": reading.files.known,
        b"ob": reading.objects.known, b"cob": reading.objects.known,
    }  # fmt: skip
    callee = reading.callee
    for line, start, end, run in zip(
        others.tolist(),
        rows.starts[others].tolist(),
        rows.ends[others].tolist(),
        runs,
        strict=True,
    ):
        key, _, value = block[start:end].partition(b"=")
        names = usual.get(key)
        place = None if names is None else names.get(value)
        if place is None:
            if key == b"calls" and _CALL.match(value):
                reading.calls = int(value[: value.find(b" ")])
            elif start < end:
                reading.number = first_number + line
                reading.line(block[start : end + 1])
                places.moved = True
        elif key == b"cfn":
            callee[2] = place
        elif key == b"cfi" or key == b"cfl":
            callee[1] = place
        elif key == b"cob":
            callee[0] = place
        else:
            places.moved = True
            if key == b"fn":
                reading.function = place
            elif key == b"ob":
                reading.object = place
            else:
                reading.file = place
                if key == b"fl":
                    reading.function_file = place
        if run[1]:
            places.run(*run)
            callee = reading.callee
    reading.number = first_number + len(rows.is_row)
    reading.last[0] = rows.last
    places.close(rows)


class _Places:
    """Where the rows of a block belong: runs of self costs, and calls."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self.moved = True  # another function or file since the run before
        self._symbol = self._file = -1
        self._marks, self._symbols, self._files = [0], [-1], [-1]
        self._call_rows: list[int] = []
        self._callers: list[int] = []
        self._callees: list[int] = []
        self._calls: list[int] = []

    def run(self, start: int, counted: int, first_counted: int) -> None:
        """Rows from `start` on; `counted` of them have counts, the first `first_counted`."""
        if not counted:
            return
        reading = self._reading
        called = reading.calls is not None
        if called:
            self._callees.append(reading.called_symbol())
        if self.moved:
            self._symbol = reading.symbol()
            self._file = reading.known_file(reading.file)
            self.moved = False
        if called:
            self._callers.append(self._symbol)
            self._calls.append(reading.calls or 0)
            self._call_rows.append(first_counted)
            self._mark(first_counted, -1, -1)
            reading.calls = None
            start = first_counted + 1
        if counted > called:
            self._mark(start, self._symbol, self._file)

    def _mark(self, row: int, symbol: int, file: int) -> None:
        self._marks.append(row)
        self._symbols.append(symbol)
        self._files.append(file)

    def close(self, rows: _Rows) -> None:
        """Hand the columns to the reading."""
        reading = self._reading
        lengths = np.diff(self._marks, append=len(rows.line))
        symbol, file = np.repeat(self._symbols, lengths), np.repeat(self._files, lengths)
        own = (symbol >= 0) & rows.counted
        calls = np.array(self._call_rows, dtype=np.int64)
        for column, values in zip(
            (*reading.rows, *reading.edges),
            (symbol[own], rows.line[own], file[own],
             self._callers, self._callees, rows.line[calls], self._calls),
            strict=True,
        ):  # fmt: skip
            column.frombytes(np.asarray(values, dtype=column.typecode).tobytes())
        sums = reading.parts[-1].sums
        for place, counts in enumerate(rows.counts):
            of_rows = counts[own]
            reading.counts[place].frombytes(of_rows.tobytes())
            sums[place] += int(of_rows.sum())
            reading.edge_counts[place].frombytes(counts[calls].tobytes())
