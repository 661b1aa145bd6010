"""Parquet files of plain columns: written without a library, read by mapping into memory.

Format: Apache Parquet. What is written is the simplest there is: every column required,
PLAIN, uncompressed, one page. What is read is what was written here; files of other
writers are for the libraries.
"""

import mmap
import os
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, overload

from profiler.tables.thrift import Decoder, Long, encode

_MAGIC = b"PAR1"
_TYPES = {"i": 1, "q": 2, "d": 5}
_TEXT = 6
_REQUIRED = 0
_UTF8 = 0
_PLAIN, _RLE = 0, 3
_ALIGNMENT = 8
_WIDEST = 0x7FFFFFFF  # a page's size is a 32-bit number
# Where each text begins in its page, so that one is found without reading the others.
_OFFSETS = "_at"

Column = Sequence[Any]


class NotReadable(Exception):
    """Not a table of this module, or a damaged one: to be made again from the raw file."""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of a file: memoryviews of numbers, or `Texts`; and the file's own metadata."""

    columns: Mapping[str, Any]
    metadata: Mapping[str, bytes]
    rows: int


class Texts(Sequence[str]):
    """A column of texts, each of which is decoded when it is looked at."""

    def __init__(self, page: memoryview, offsets: "memoryview[int]") -> None:
        self._page = page
        self._offsets = offsets

    def __len__(self) -> int:
        return len(self._offsets)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        at = self._offsets[index]
        size = int.from_bytes(self._page[at : at + 4], "little")
        return str(self._page[at + 4 : at + 4 + size], "utf-8", "backslashreplace")

    def __iter__(self) -> Iterator[str]:
        # The texts stand one behind another: the next one's beginning is this one's end.
        page = bytes(self._page)
        for start, end in pairwise([*self._offsets, len(page)]):
            yield str(page[start + 4 : end], "utf-8", "backslashreplace")

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """The place of a text: looked for in the stored bytes, none of which is decoded."""
        plain = isinstance(value, str) and "\\x" not in value  # else it may be a stray byte's
        if start or stop is not None or not plain:
            return super().index(value, start, len(self) if stop is None else stop)
        page, text = bytes(self._page), value.encode()
        wanted = len(text).to_bytes(4, "little") + text
        at = page.find(wanted)
        while at >= 0:
            place = bisect_left(self._offsets, at)
            if place < len(self) and self._offsets[place] == at:
                return place
            at = page.find(wanted, at + 1)
        raise ValueError(f"{value!r} is not among the texts")


def write_table(
    file: Path, columns: Mapping[str, Column], metadata: Mapping[str, bytes]
) -> None:
    """Write columns of one length: memoryviews of int32, int64 or float64, or of texts.

    Atomic: the file is whole or not there.
    """
    unfinished = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    rows = len(next(iter(columns.values()))) if columns else 0
    chunks: list[dict[int, Any]] = []
    schema: list[dict[int, Any]] = [{4: b"schema", 5: 0}]
    try:
        with unfinished.open("wb") as out:
            out.write(_MAGIC)
            for name, column in _with_offsets(columns).items():
                kind, payload = _plain(column)
                field = {1: kind, 3: _REQUIRED, 4: name.encode()}
                schema.append(field if kind != _TEXT else {**field, 6: _UTF8})
                chunks.append(_write_chunk(out, name, kind, rows, payload))
            schema[0][5] = len(chunks)
            total = sum(chunk[3][6].value for chunk in chunks)
            footer = encode(
                {
                    1: 1,
                    2: schema,
                    3: Long(rows),
                    4: [{1: chunks, 2: Long(total), 3: Long(rows)}],
                    5: [{1: key.encode(), 2: value} for key, value in metadata.items()],
                    6: b"droidgrind",
                }
            )
            out.write(footer + len(footer).to_bytes(4, "little") + _MAGIC)
            out.flush()
            os.fsync(out.fileno())
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def _with_offsets(columns: Mapping[str, Column]) -> dict[str, Column]:
    result: dict[str, Column] = {}
    for name, column in columns.items():
        result[name] = column
        if not isinstance(column, memoryview):
            from array import array

            offsets = array("q")
            at = 0
            for text in column:
                offsets.append(at)
                at += 4 + len(text.encode())
            result[name + _OFFSETS] = memoryview(offsets)
    return result


def _plain(column: Column) -> tuple[int, bytes | memoryview]:
    if isinstance(column, memoryview):
        code = "q" if column.format == "l" else column.format
        return _TYPES[code], column.cast("B")
    texts = (text.encode() for text in column)
    return _TEXT, b"".join(len(text).to_bytes(4, "little") + text for text in texts)


def _write_chunk(
    out: Any, name: str, kind: int, rows: int, payload: bytes | memoryview
) -> dict[int, Any]:
    if len(payload) > _WIDEST:
        raise OverflowError(f"the column {name} has more than 2 GiB")
    levels = {1: rows, 2: _PLAIN, 3: _RLE, 4: _RLE}
    header = encode({1: 0, 2: len(payload), 3: len(payload), 5: levels})
    out.write(b"\0" * (-(out.tell() + len(header)) % _ALIGNMENT))
    start = out.tell()
    out.write(header)
    out.write(payload)
    size = len(header) + len(payload)
    return {
        2: Long(start),
        3: {
            1: kind,
            2: [_PLAIN],
            3: [name.encode()],
            4: 0,
            5: Long(rows),
            6: Long(size),
            7: Long(size),
            9: Long(start),
        },
    }


def read_table(file: Path) -> Table:
    """Map a table into memory. Raises `NotReadable`, and `FileNotFoundError`."""
    with file.open("rb") as stream:
        try:
            mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError as error:
            raise NotReadable(f"{file} is empty") from error
    try:
        return _table(memoryview(mapped))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise NotReadable(f"{file}: {error}") from error


def _table(raw: memoryview) -> Table:
    if bytes(raw[:4]) != _MAGIC or bytes(raw[-4:]) != _MAGIC:
        raise ValueError("not Parquet")
    size = int.from_bytes(raw[-8:-4], "little")
    if size > len(raw) - 12:
        raise ValueError("its footer is longer than the file")
    footer = Decoder(raw, len(raw) - 8 - size).struct()
    rows = footer[3]
    pages: dict[str, tuple[int, memoryview]] = {}
    for chunk in footer[4][0][1]:
        described = chunk[3]
        if described[2] != [_PLAIN] or described[4] != 0:
            raise ValueError("a column is not plain")
        decoder = Decoder(raw, described[9])
        length = decoder.struct()[3]
        if not 0 <= length <= len(raw) - decoder.position:
            raise ValueError("a page is longer than the file")
        page = raw[decoder.position : decoder.position + length]
        pages[described[3][0].decode()] = described[1], page
    columns: dict[str, Any] = {
        name: _numbers(kind, page) for name, (kind, page) in pages.items() if kind != _TEXT
    }
    for name, (kind, page) in pages.items():
        if kind == _TEXT:
            columns[name] = Texts(page, columns.pop(name + _OFFSETS))
    if any(len(column) != rows for column in columns.values()):
        raise ValueError("a column has another length")
    return Table(columns, {entry[1].decode(): entry[2] for entry in footer.get(5, ())}, rows)


def _numbers(kind: int, page: memoryview) -> Any:
    match kind:
        case 1:
            return page.cast("i")
        case 2:
            return page.cast("q")
        case 5:
            return page.cast("d")
        case _:
            raise ValueError(f"a column of type {kind}")
