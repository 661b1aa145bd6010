"""Reads one ELF file in a process of its own: `python -m profiler.symbols.worker`.

A file that is damaged or hostile may cost this process its memory, its time or its life;
whoever asked reads the exit status and goes on. The addresses come as little-endian 64-bit
numbers on standard input; the answers go to the file that the last argument names.
"""

import resource
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np

from profiler.symbols.answers import Place, made_answers, save_answers
from profiler.symbols.demangle import demangled
from profiler.symbols.dwarf import Lines, first_address, load_lines, read_lines
from profiler.symbols.elf import BadElf, Detail, Elf
from profiler.symbols.symtab import SymbolTable, symbol_table

MEMORY_BYTES = 16 << 30
CPU_SECONDS = 600
_BELOW_MAIN = frozenset({"_start", "__libc_start_main", "generic_start_main"})
_UNNAMED = "UnknownInlinedFun"  # Valgrind's word


def main(file: Path, table: Path, answers: Path) -> int:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    addresses = np.frombuffer(sys.stdin.buffer.read(), dtype="<u8").tolist()
    frames, problem = resolve(file, table, addresses)
    save_answers(answers, made_answers(frames, problem))
    return 0


def resolve(
    file: Path, table: Path, addresses: list[int]
) -> tuple[dict[int, list[Place]], str | None]:
    """The frames of each address, and what of the file could not be used."""
    problems: list[str] = []
    with file.open("rb") as stream:
        elf = Elf(stream, file.stat().st_size)
        symbols: SymbolTable | None = None
        try:
            symbols = symbol_table(elf)
        except BadElf as error:
            problems.append(str(error))
        lines: Lines | None = None
        base = 0
        if elf.detail() is Detail.LINES:
            try:
                lines = _lines(elf, table)
                base = first_address(elf)
            except BadElf as error:
                problems.append(str(error))
        names = (
            [None] * len(addresses)
            if symbols is None
            else symbols.find(np.array(addresses, dtype=np.uint64))
        )
    frames = {
        address: _frames([] if lines is None else lines.find(address - base), name)
        for address, name in zip(addresses, names, strict=True)
    }
    return frames, "; ".join(problems) or None


def _lines(elf: Elf, table: Path) -> Lines:
    with suppress(BadElf):
        return load_lines(table)
    lines = read_lines(elf)
    unfinished = table.with_name(f".{table.name}.tmp")
    with suppress(OSError):  # a full disk costs time, not answers
        lines.save(unfinished)
        unfinished.replace(table)
    return lines


def _frames(places: list[Place], symbol: str | None) -> list[Place]:
    """The frames of one address. The outermost function is called as its symbol."""
    if not places:
        return [] if symbol is None else [(_called(symbol), None, 0)]
    fn, path, line = places[-1]
    outer = symbol or fn
    return [
        *((name or _UNNAMED, source, number) for name, source, number in places[:-1]),
        (None if outer is None else _called(outer), path, line),
    ]


def _called(symbol: str) -> str:
    """What Valgrind calls a function."""
    return "(below main)" if symbol in _BELOW_MAIN else demangled(symbol)


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
