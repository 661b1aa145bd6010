"""pprof's profile.proto, gzipped: heap stacks, else leaks, else costs by function and line.

Format: github.com/google/pprof, proto/profile.proto. Its few messages are encoded here: a
protobuf library would be a dependency for forty lines.
"""

import gzip
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import BinaryIO

from collectors.errors import UsageError
from collectors.records.cost import CostProfile
from collectors.records.shared import Frame
from profiler.exports.content import cost_profiles
from profiler.exports.stacks import StackSet, stack_sets
from profiler.store import Session
from profiler.tables.parquet import let_go
from profiler.visible import visible

_ROWS_AT_ONCE = 100_000


def write(session: Session, out: BinaryIO) -> None:
    profile = _Profile()
    try:
        _stacks(stack_sets(session)[0], profile)
    except UsageError:
        _costs(session, profile)
    message = profile.message(_nanoseconds(session.manifest.created), session.id)
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0) as packed:
        for piece in message:
            packed.write(piece)


def _nanoseconds(created: str) -> int:
    try:
        return int(datetime.fromisoformat(created).timestamp()) * 1_000_000_000
    except (ValueError, OverflowError):
        return 0


def _stacks(found: StackSet, profile: "_Profile") -> None:
    profile.types = [("objects", "count"), ("space", "bytes")]
    if all(stack.blocks is None for stack in found.stacks):  # Massif counts no blocks
        profile.types = [("space", "bytes")]
    profile.samples = (
        _sample(
            [profile.location(frame) for frame in stack.frames],
            [stack.bytes] if len(profile.types) == 1 else [stack.blocks or 0, stack.bytes],
        )
        for stack in found.stacks
    )


def _costs(session: Session, profile: "_Profile") -> None:
    _, profiles = cost_profiles(session)
    events = tuple(dict.fromkeys(event for found in profiles for event in found.events))
    profile.types = [(event, "count") for event in events]
    profile.samples = _cost_samples(profiles, events, profile)


def _cost_samples(
    profiles: Sequence[CostProfile], events: tuple[str, ...], profile: "_Profile"
) -> Iterator[bytes]:
    for found in profiles:
        places = [events.index(event) for event in found.events]
        symbol_index: int
        line: int
        counts: list[int]
        for row, (symbol_index, line, *counts) in enumerate(
            zip(found.row_symbol, found.row_line, *found.counts, strict=True)
        ):
            if row % _ROWS_AT_ONCE == 0:
                let_go(found.counts)
            symbol = found.symbols[symbol_index]
            values = [0] * len(events)
            for place, count in zip(places, counts, strict=True):
                values[place] = count
            frame = Frame(None, symbol.fn, symbol.obj, None, symbol.file, line or None)
            yield _sample([profile.location(frame)], values)


class _Profile:
    """The message's tables: texts, functions, locations, samples."""

    def __init__(self) -> None:
        self.types: list[tuple[str, str]] = []
        self._texts: dict[str, int] = {"": 0}
        self._functions: dict[tuple[str, str], int] = {}
        self._locations: dict[tuple[int | None, int, int], int] = {}
        self.samples: Iterable[bytes] = ()  # made as they are written

    def text(self, value: str) -> int:
        return self._texts.setdefault(visible(value), len(self._texts))

    def location(self, frame: Frame) -> int:
        """The number of a frame's location; locations count from 1."""
        name = frame.fn or (frame.obj or "???").rpartition("/")[2]
        function = self._functions.setdefault(
            (name, frame.path or frame.obj or ""), len(self._functions) + 1
        )
        key = frame.ip, function, frame.line or 0
        return self._locations.setdefault(key, len(self._locations) + 1)

    def message(self, time_nanoseconds: int, comment: str) -> Iterator[bytes]:
        for name, unit in self.types:
            yield _bytes(1, _number(1, self.text(name)) + _number(2, self.text(unit)))
        yield from self.samples
        for (address, function, line), number in self._locations.items():
            body = _number(1, number) + _number(3, address or 0)
            body += _bytes(4, _number(1, function) + _number(2, line))
            yield _bytes(4, body)
        for (name, file), number in self._functions.items():
            text = self.text(name)
            body = _number(1, number) + _number(2, text) + _number(3, text)
            yield _bytes(5, body + _number(4, self.text(file)))
        yield _number(9, time_nanoseconds)
        yield _number(13, self.text(comment))
        yield _number(14, self.text(self.types[-1][0]))
        for word in self._texts:  # last, since all that is above adds to it
            yield _bytes(6, word.encode("utf-8", "backslashreplace"))


def _sample(locations: list[int], values: list[int]) -> bytes:
    return _bytes(2, _packed(1, locations) + _packed(2, values))


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # negative numbers as their two's complement
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value) if value else b""


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _packed(field: int, values: list[int]) -> bytes:
    return _bytes(field, b"".join(map(_varint, values)))
