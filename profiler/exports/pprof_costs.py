"""Costs as pprof's samples, locations and functions: one sample a line, or a function."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from collectors.records.cost import CostProfile, SymbolTable
from profiler.aggregate.cost import by_function
from profiler.exports.pprof_texts import Texts
from profiler.exports.protobuf import Columns
from profiler.tables.mapped import release

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# pprof holds a profile in memory, a kilobyte or so a location, and draws no more anyhow.
MOST_LINES = 100_000
_ROWS_AT_ONCE = 1 << 14
_INT64 = -(1 << 63), (1 << 63) - 1


def cost_messages(
    profiles: Sequence[CostProfile],
    events: Sequence[str],
    texts: Texts,
    *,
    by_line: bool,
) -> Iterator[bytes]:
    """The encoded messages of all profiles, a piece at a time; numbers count from 1.

    Each profile has functions of its own: pprof adds up what is named alike.
    """
    import numpy as np

    locations = functions = 1
    for profile in profiles:
        if by_line:
            counts: Sequence[Sequence[int]] = profile.counts
            symbols, lines = np.asarray(profile.row_symbol), np.asarray(profile.row_line)
        else:
            counts = by_function([profile]).counts
            symbols = np.arange(len(profile.symbols))
            lines = np.zeros(len(symbols), dtype=np.int64)
        columns = [_counted(event, profile, counts, len(symbols)) for event in events]
        for start in range(0, len(symbols), _ROWS_AT_ONCE):
            here = slice(start, start + _ROWS_AT_ONCE)
            chosen = symbols[here].astype(np.int64)
            places = np.arange(locations + start, locations + start + len(chosen))
            yield _samples(places, [column[here] for column in columns])
            yield _locations(places, functions + chosen, lines[here].astype(np.int64))
        release(profile.counts)
        yield from _functions(functions, *_names(profile, texts))
        locations += len(symbols)
        functions += len(profile.symbols)


def _counted(
    event: str, profile: CostProfile, counts: Sequence[Sequence[int]], rows: int
) -> "NDArray[np.int64]":
    """The column of an event, zeros where the profile did not count it."""
    import numpy as np

    if event not in profile.events:
        return np.zeros(rows, dtype=np.int64)
    column = counts[profile.events.index(event)]
    if isinstance(column, memoryview):
        return np.asarray(column)
    low, high = _INT64  # exact sums may be greater than what the format holds
    return np.fromiter((min(max(count, low), high) for count in column), np.int64, rows)


def _samples(places: "NDArray[np.int64]", counts: "Sequence[NDArray[np.int64]]") -> bytes:
    sample = Columns(len(places))
    sample.packed(1, [places])
    sample.packed(2, counts)
    return _repeated(2, sample, len(places))


def _locations(
    places: "NDArray[np.int64]", functions: "NDArray[np.int64]", lines: "NDArray[np.int64]"
) -> bytes:
    line = Columns(len(places))
    line.number(1, functions)
    line.number(2, lines)
    location = Columns(len(places))
    location.number(1, places)
    location.message(4, line)
    return _repeated(4, location, len(places))


def _functions(
    first: int, names: "NDArray[np.int64]", files: "NDArray[np.int64]"
) -> Iterator[bytes]:
    import numpy as np

    for start in range(0, len(names), _ROWS_AT_ONCE):
        here = slice(start, start + _ROWS_AT_ONCE)
        number = len(names[here])
        function = Columns(number)
        function.number(1, np.arange(first + start, first + start + number))
        function.number(2, names[here])
        function.number(3, names[here])
        function.number(4, files[here])
        yield _repeated(5, function, number)


def _repeated(field: int, body: Columns, rows: int) -> bytes:
    outer = Columns(rows)
    outer.message(field, body)
    return outer.encoded()


def _names(profile: CostProfile, texts: Texts) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """The text numbers of every symbol's name and file."""
    import numpy as np

    symbols = profile.symbols
    if isinstance(symbols, SymbolTable):  # each text once, however many symbols have it
        names = np.fromiter(map(texts.number, symbols.functions), np.int64)
        files = np.fromiter(map(texts.number, symbols.files), np.int64)
        return names[np.asarray(symbols.function_of)], files[np.asarray(symbols.file_of)]
    return (
        np.fromiter((texts.number(symbol.fn) for symbol in symbols), np.int64),
        np.fromiter((texts.number(symbol.file) for symbol in symbols), np.int64),
    )
