"""callgrind.out: costs with objects and, where Callgrind recorded them, calls.

Format: Valgrind manual, "Callgrind Format Specification". Names are compressed: `(7) name`
the first time, `(7)` after that. A line's last zeros are left out, as Callgrind does.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO

from collectors.records.cost import UNKNOWN, CallEdges, CostProfile, symbol_names
from profiler.command_line import target_words
from profiler.exports.content import cost_profiles
from profiler.exports.cost_columns import columns_of, union_of_events
from profiler.exports.name_lines import name_line
from profiler.exports.number_lines import lines_below_headers
from profiler.store import Session


class _Names:
    """Numbers for names, as the format compresses them."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __call__(self, name: str) -> bytes:
        number = self._numbers.get(name)
        if number is not None:
            return b"(%d)" % number
        number = self._numbers[name] = len(self._numbers) + 1
        return b"(%d) %s" % (number, name_line(name))


def write(session: Session, out: BinaryIO) -> None:
    """All processes of the tool in one part: first what functions cost, then their calls."""
    tool, profiles = cost_profiles(session)
    events, totals = union_of_events(profiles)
    out.write(b"# callgrind format\nversion: 1\ncreator: droidgrind\n")
    out.write(b"cmd: " + name_line(target_words(session)) + b"\n")
    out.write(b"desc: Trigger: export of " + name_line(tool) + b"\n")
    out.write(f"positions: line\nevents: {' '.join(events)}".encode())
    names = _Names(), _Names(), _Names()
    for profile in profiles:
        functions = _Functions(profile, names)
        columns = columns_of(events, profile.events, profile.counts, len(profile))
        keys = profile.row_symbol, profile.row_file
        rows = [profile.row_line, *columns]
        out.writelines(lines_below_headers(keys, rows, functions.of_rows, trim=True))
        if profile.edges is not None:
            out.writelines(_calls(profile.edges, events, profile.events, functions.of_call))
    out.write(f"\ntotals: {' '.join(map(str, totals))}\n".encode())


def _calls(
    edges: CallEdges,
    events: Sequence[str],
    counted: Sequence[str],
    header: Callable[..., bytes],
) -> Iterator[bytes]:
    import numpy as np

    columns = columns_of(events, counted, edges.counts, len(edges.line))
    each = np.arange(len(edges.line))  # two calls that are alike are two
    keys = edges.caller, edges.callee, edges.calls, each
    return lines_below_headers(keys, [edges.line, *columns], header, trim=True)


class _Functions:
    """What stands before rows and calls: whose they are."""

    def __init__(self, profile: CostProfile, names: tuple[_Names, _Names, _Names]) -> None:
        self._names = symbol_names(profile.symbols)
        self._line_files = list(profile.files)
        self._object, self._file, self._function = names
        self._present = -1

    def of_rows(self, symbol: int, file_index: int) -> bytes:
        file = self._line_files[file_index]
        if symbol == self._present:
            return b"\nfi=%b\n" % self._file(file)
        function = self._begin(symbol)
        if file == self._names[1][symbol]:
            return function
        return b"%bfi=%b\n" % (function, self._file(file))

    def of_call(self, caller: int, callee: int, calls: int, each: int) -> bytes:
        own = b"\n" if caller == self._present and each else self._begin(caller)
        called = self._words(callee)
        return b"%bcob=%b\ncfi=%b\ncfn=%b\ncalls=%d 0\n" % (own, *called, calls)

    def _begin(self, symbol: int) -> bytes:
        self._present = symbol
        return b"\n\nob=%b\nfl=%b\nfn=%b\n" % self._words(symbol)

    def _words(self, symbol: int) -> tuple[bytes, bytes, bytes]:
        """Its object, file and function, as the format names them."""
        functions, files, objects = self._names
        return (
            self._object(objects[symbol] or UNKNOWN),
            self._file(files[symbol]),
            self._function(functions[symbol]),
        )
