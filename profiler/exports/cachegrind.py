"""cachegrind.out: costs by file, function and line; read by cg_annotate and KCachegrind."""

from typing import BinaryIO

from collectors.records.cost import CostProfile, symbol_names
from profiler.command_line import target_words
from profiler.exports.content import cost_profiles
from profiler.exports.cost_columns import columns_of, union_of_events
from profiler.exports.name_lines import name_line
from profiler.exports.number_lines import lines_below_headers
from profiler.store import Session


def write(session: Session, out: BinaryIO) -> None:
    """All processes of the tool; a row is counted under its function's file.

    What the format cannot hold is left out: objects and calls.
    """
    _, profiles = cost_profiles(session)
    events, totals = union_of_events(profiles)
    described = dict.fromkeys(
        line for p in profiles for process in p.processes for line in process.description
    )
    out.writelines(b"desc: " + name_line(line.strip()) + b"\n" for line in described)
    out.write(b"cmd: " + name_line(target_words(session)) + b"\n")
    out.write(f"events: {' '.join(events)}".encode())
    for profile in profiles:
        columns = columns_of(events, profile.events, profile.counts, len(profile))
        out.writelines(
            lines_below_headers(
                [profile.row_symbol], [profile.row_line, *columns], _Headers(profile)
            )
        )
    out.write(f"\nsummary: {' '.join(map(str, totals))}\n".encode())


class _Headers:
    """`fn=` of a function, with `fl=` where the file is another than before."""

    def __init__(self, profile: CostProfile) -> None:
        self._functions, self._files, _ = symbol_names(profile.symbols)
        self._file: str | None = None

    def __call__(self, symbol: int) -> bytes:
        function = b"\nfn=" + name_line(self._functions[symbol]) + b"\n"
        file = self._files[symbol]
        if file == self._file:
            return function
        self._file = file
        return b"\nfl=" + name_line(file) + function
