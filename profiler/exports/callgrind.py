"""callgrind.out: costs with objects and, where Callgrind recorded them, calls.

Format: Valgrind manual, "Callgrind Format Specification". Names are compressed: `(7) name`
the first time, `(7)` after that.
"""

from itertools import chain, groupby
from typing import BinaryIO

from collectors.records.cost import CostProfile
from profiler.exports.content import cost_profiles
from profiler.exports.name_lines import name_line
from profiler.store import Session
from profiler.tables.parquet import let_go

_FUNCTIONS_AT_ONCE = 10_000


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
    """All processes of the tool in one part."""
    tool, profiles = cost_profiles(session)
    events = tuple(dict.fromkeys(event for profile in profiles for event in profile.events))
    command = session.manifest.target.label
    out.write(b"# callgrind format\nversion: 1\ncreator: droidgrind\n")
    out.write(b"cmd: " + name_line(command) + b"\n")
    out.write(b"desc: Trigger: export of " + name_line(tool) + b"\n")
    out.write(f"positions: line\nevents: {' '.join(events)}\n".encode())
    totals = [0] * len(events)
    names = _Names(), _Names(), _Names()
    for profile in profiles:
        for event, count in profile.totals().items():
            totals[events.index(event)] += count
        _Body(profile, events, names).write(out)
    out.write(f"totals: {' '.join(map(str, totals))}\n".encode())


class _Body:
    """One profile's functions, each with its rows and its calls."""

    def __init__(
        self,
        profile: CostProfile,
        events: tuple[str, ...],
        names: tuple[_Names, _Names, _Names],
    ) -> None:
        self._profile = profile
        self._places = [events.index(event) for event in profile.events]
        self._width = len(events)
        self._objects, self._files, self._functions = names

    def write(self, out: BinaryIO) -> None:
        profile = self._profile
        rows = _by_group(profile.row_symbol)
        edges = profile.edges
        calls = {} if edges is None else _by_group(edges.caller)
        for done, index in enumerate(sorted({*rows, *calls})):
            if done % _FUNCTIONS_AT_ONCE == 0:
                let_go(profile.counts)
            symbol = profile.symbols[index]
            lines = [
                b"",
                b"ob=" + self._objects(symbol.obj or "???"),
                b"fl=" + self._files(symbol.file),
                b"fn=" + self._functions(symbol.fn),
            ]
            present = symbol.file
            for row in chain.from_iterable(rows.get(index, ())):
                file = profile.files[profile.row_file[row]]
                if file != present:
                    lines.append(b"fi=" + self._files(file))
                    present = file
                counts = [column[row] for column in profile.counts]
                lines.append(self._row(profile.row_line[row], counts))
            if present != symbol.file:
                lines.append(b"fe=" + self._files(symbol.file))
            if edges is not None:
                for call in chain.from_iterable(calls.get(index, ())):
                    callee = profile.symbols[edges.callee[call]]
                    lines += [
                        b"cob=" + self._objects(callee.obj or "???"),
                        b"cfi=" + self._files(callee.file),
                        b"cfn=" + self._functions(callee.fn),
                        b"calls=%d 0" % edges.calls[call],
                        self._row(edges.line[call], [column[call] for column in edges.counts]),
                    ]
            out.write(b"\n".join(lines) + b"\n")

    def _row(self, line: int, counts: list[int]) -> bytes:
        cells = [0] * self._width
        for place, count in zip(self._places, counts, strict=True):
            cells[place] = count
        return f"{line} {' '.join(map(str, cells))}".encode()


def _by_group(groups: "memoryview[int]") -> dict[int, list[range]]:
    """Group → its places, which mostly follow each other."""
    found: dict[int, list[range]] = {}
    start = 0
    for group, run in groupby(groups):
        end = start + sum(1 for _ in run)
        found.setdefault(group, []).append(range(start, end))
        start = end
    return found
