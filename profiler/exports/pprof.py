"""pprof's profile.proto, gzipped: heap stacks, else leaks, else costs.

Costs have a place for every source line, up to `MOST_LINES` of them; above, one for every
function, and a comment in the profile says so. Format: github.com/google/pprof,
proto/profile.proto.
"""

import gzip
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from collectors.errors import UsageError
from collectors.records.shared import Frame
from profiler.exports.content import cost_profiles
from profiler.exports.pprof_costs import MOST_LINES, cost_messages
from profiler.exports.pprof_texts import Texts
from profiler.exports.protobuf import message, number, packed
from profiler.exports.stacks import StackSet, stack_sets
from profiler.store import Session

_PACKING = 6  # gzip's level: 9 takes three times the time for 2 % less


def write(session: Session, out: BinaryIO) -> None:
    try:
        stacks = stack_sets(session)[0]
    except UsageError:
        pieces = _costs(session)
    else:
        pieces = _stacks(stacks, session)
    with gzip.GzipFile("", "wb", _PACKING, out, mtime=0) as packed_out:
        for piece in pieces:
            packed_out.write(piece)


def _costs(session: Session) -> Iterator[bytes]:
    _, profiles = cost_profiles(session)
    texts = Texts()
    events = tuple(dict.fromkeys(event for found in profiles for event in found.events))
    lines = sum(map(len, profiles))
    comments = [session.id]
    if lines > MOST_LINES:
        comments.append(
            f"costs are per function: {lines} source lines are more than {MOST_LINES}"
        )
    yield from _head([(event, "count") for event in events], comments, session, texts)
    yield from cost_messages(profiles, events, texts, by_line=lines <= MOST_LINES)
    yield from texts.messages()


def _stacks(found: StackSet, session: Session) -> Iterator[bytes]:
    texts = Texts()
    types = [("objects", "count"), ("space", "bytes")]
    if all(stack.blocks is None for stack in found.stacks):  # Massif counts no blocks
        types = types[1:]
    yield from _head(types, [session.id], session, texts)
    places = _Places()
    for stack in found.stacks:
        values = [stack.bytes] if len(types) == 1 else [stack.blocks or 0, stack.bytes]
        locations = [places.location(frame) for frame in stack.frames]
        yield message(2, packed(1, locations) + packed(2, values))
    yield from places.messages(texts)
    yield from texts.messages()


def _head(
    types: list[tuple[str, str]], comments: list[str], session: Session, texts: Texts
) -> Iterator[bytes]:
    for name, unit in types:
        yield message(1, number(1, texts.number(name)) + number(2, texts.number(unit)))
    yield number(9, _nanoseconds(session.manifest.created))
    for comment in comments:
        yield number(13, texts.number(comment))
    yield number(14, texts.number(types[-1][0]))


def _nanoseconds(created: str) -> int:
    try:
        return int(datetime.fromisoformat(created).timestamp()) * 1_000_000_000
    except (ValueError, OverflowError):
        return 0


class _Places:
    """The functions and locations of stacks."""

    def __init__(self) -> None:
        self._functions: dict[tuple[str, str], int] = {}
        self._locations: dict[tuple[int | None, int, int], int] = {}

    def location(self, frame: Frame) -> int:
        """The number of a frame's location; locations count from 1."""
        name = frame.fn or (frame.obj or "???").rpartition("/")[2]
        function = self._functions.setdefault(
            (name, frame.path or frame.obj or ""), len(self._functions) + 1
        )
        key = frame.ip, function, frame.line or 0
        return self._locations.setdefault(key, len(self._locations) + 1)

    def messages(self, texts: Texts) -> Iterator[bytes]:
        for (address, function, line), place in self._locations.items():
            body = number(1, place) + number(3, address or 0)
            yield message(4, body + message(4, number(1, function) + number(2, line)))
        for (name, file), place in self._functions.items():
            text = texts.number(name)
            body = number(1, place) + number(2, text) + number(3, text)
            yield message(5, body + number(4, texts.number(file)))
