"""What can be fuzzed: a reader's name, its seeds, and a function that reads bytes.

A target raises nothing where the reader gives a profile or a ParseError. Add one by adding
an entry to `TARGETS`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

Read = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Target:
    """`load` imports the reader (under instrumentation) and returns what reads bytes."""

    pattern: str
    load: Callable[[], Read]
    longest: int = (
        1_500  # bytes of an input: what is found in longer ones is found in short ones
    )

    def seeds(self, folder: Path) -> Iterable[Path]:
        """The recorded outputs that the fuzzer starts from."""
        return sorted(folder.glob(self.pattern))


def _cachegrind() -> Read:
    from collectors.errors import ParseError
    from collectors.readers.cachegrind_out import parse_lines
    from collectors.readers.cachegrind_out.blocks import parse_blocks

    def read(raw: bytes) -> None:
        try:
            by_lines = parse_lines(BytesIO(raw), "fuzz")
        except ParseError:
            try:
                parse_blocks(BytesIO(raw), "fuzz", block_bytes=97)
            except ParseError:
                return
            raise AssertionError("only one of the readers refuses it") from None
        by_blocks = parse_blocks(BytesIO(raw), "fuzz", block_bytes=97)
        assert by_blocks.totals() == by_lines.totals()
        assert by_blocks.damage == by_lines.damage
        assert by_blocks.symbols == by_lines.symbols
        assert by_blocks.row_symbol == by_lines.row_symbol

    return read


def _callgrind() -> Read:
    from collectors.errors import ParseError
    from collectors.readers.callgrind_out import parse_lines

    def read(raw: bytes) -> None:
        try:
            profile = parse_lines(BytesIO(raw), "fuzz")
        except ParseError:
            return
        assert all(0 <= place < len(profile.symbols) for place in profile.row_symbol)
        list(profile.symbols)

    return read


def _elf() -> Read:
    from profiler.symbols.abbrevs import without_linkage_names
    from profiler.symbols.elf import BadElf, Elf, build_id_of_head
    from profiler.symbols.symtab import symbol_table

    def read(raw: bytes) -> None:
        without_linkage_names(raw)
        build_id_of_head(raw)
        try:
            elf = Elf(BytesIO(raw), len(raw))
            elf.facts()
            table = symbol_table(elf)
        except BadElf:
            return
        table.find(table.ranges()[0][:100])

    return read


TARGETS = {
    "elf": Target("elf/*.so", _elf, longest=4_000),
    "cachegrind": Target("cachegrind/*/*.out", _cachegrind),
    "callgrind": Target("callgrind/*/*.out*", _callgrind),
}
