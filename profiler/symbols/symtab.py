"""Symbols by address, over an ELF file's symbol tables.

The rules are Valgrind's, so that a stack reads alike whether the file on the device had
symbols or this machine's has: of several names of one place the shortest is taken, then the
first in the alphabet.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from profiler.symbols.elf import BadElf, Elf

Numbers = NDArray[Any]
_FUNC, _NOTYPE, _IFUNC = 2, 0, 10
_MOST_SYMBOLS = 40_000_000
_WIDE = [("name", 4), ("info", 1), ("other", 1), ("index", 2), ("value", 8), ("size", 8)]
_NARROW = [("name", 4), ("value", 4), ("size", 4), ("info", 1), ("other", 1), ("index", 2)]


class SymbolTable:
    """Functions of one file, by falling address ranges; empty where it has no symbols."""

    def __init__(self, starts: Numbers, sizes: Numbers, names: Numbers, texts: bytes) -> None:
        self._starts = starts
        self._sizes = sizes
        self._names = names
        self._texts = texts

    def __len__(self) -> int:
        return len(self._starts)

    def ranges(self) -> tuple[Numbers, Numbers]:
        """Where each function starts and its size, by rising address."""
        return self._starts, self._sizes

    def find(self, addresses: Numbers) -> list[str | None]:
        """The raw (mangled) name of the function at each address, None where there is none."""
        if not len(self._starts):
            return [None] * len(addresses)
        places = np.searchsorted(self._starts, addresses, side="right") - 1
        known = places >= 0
        offsets = addresses - self._starts[places]
        known &= offsets < np.maximum(self._sizes[places], np.uint64(1))
        texts: dict[int, str] = {}
        found: list[str | None] = []
        for place, is_known in zip(places.tolist(), known.tolist(), strict=True):
            if not is_known:
                found.append(None)
                continue
            at = int(self._names[place])
            name = texts.get(at)
            if name is None:
                name = texts[at] = _text(self._texts, at)
            found.append(name or None)
        return found


def symbol_table(elf: Elf) -> SymbolTable:
    """The fullest table of a file: `.symtab`, or `.dynsym` with `.gnu_debugdata`'s."""
    if elf.section(".symtab"):
        return _read(elf, (".symtab", ".strtab"))
    inner = elf.mini()
    tables = [_rows(elf, ".dynsym", ".dynstr")]
    if inner is not None:
        tables.append(_rows(inner, ".symtab", ".strtab"))
    return _build(tables)


def _read(elf: Elf, names: tuple[str, str]) -> SymbolTable:
    return _build([_rows(elf, *names)])


def _rows(elf: Elf, table: str, strings: str) -> tuple[Any, bytes, Elf]:
    raw = elf.content(table)
    kinds = _WIDE if elf.wide else _NARROW
    row = np.dtype([(name, f"{elf.order}u{size}") for name, size in kinds])
    number = len(raw) // row.itemsize
    if number > _MOST_SYMBOLS:
        raise BadElf(f"{table} has {number:,} symbols")
    return np.frombuffer(raw, dtype=row, count=number), elf.content(strings), elf


def _build(tables: "list[tuple[Any, bytes, Elf]]") -> SymbolTable:
    starts: list[Any] = []
    sizes: list[Any] = []
    names: list[Any] = []
    ends: list[Any] = []
    texts = b""
    for rows, strings, elf in tables:
        kind = rows["info"] & 15
        wanted = (rows["index"] != 0) & (rows["value"] != 0) & (rows["name"] < len(strings))
        wanted &= (kind == _FUNC) | (kind == _IFUNC) | ((kind == _NOTYPE) & (rows["size"] > 0))
        chosen = rows[wanted]
        values = chosen["value"].astype(np.uint64)
        if elf.machine == "EM_ARM":
            values &= ~np.uint64(1)  # the lowest bit says Thumb, not where
        starts.append(values)
        sizes.append(chosen["size"].astype(np.uint64))
        section_ends = np.array([*elf.section_ends, 0], dtype=np.uint64)
        ends.append(section_ends[np.minimum(chosen["index"], len(section_ends) - 1)])
        names.append(chosen["name"].astype(np.int64) + len(texts))
        texts += strings + b"\0"
    if not starts or not sum(map(len, starts)):
        empty = np.zeros(0, dtype=np.uint64)
        return SymbolTable(empty, empty, empty.astype(np.int64), b"")
    columns = [np.concatenate(column) for column in (starts, sizes, names, ends)]
    order = np.argsort(columns[0], kind="stable")
    all_starts, all_sizes, all_names, all_ends = (column[order] for column in columns)
    keep = _preferred(all_starts, all_names, texts)
    all_starts, all_sizes, all_names, all_ends = (
        column[keep] for column in (all_starts, all_sizes, all_names, all_ends)
    )
    # A symbol without a size (assembly) reaches to the next, inside its section.
    following = np.append(all_starts[1:], all_starts[-1:] + np.uint64(1))
    reach = np.minimum(following, np.maximum(all_ends, all_starts)) - all_starts
    all_sizes = np.where(all_sizes == 0, reach, all_sizes)
    return SymbolTable(all_starts, all_sizes, all_names, texts)


def _preferred(starts: Any, names: Any, texts: bytes) -> Any:
    """Which of the symbols to keep: one for each address."""
    first = np.append(True, starts[1:] != starts[:-1])
    groups = np.flatnonzero(first)
    keep = groups.copy()
    lengths = np.diff(np.append(groups, len(starts)))
    for index in np.flatnonzero(lengths > 1).tolist():
        start = int(groups[index])
        rivals = range(start, start + int(lengths[index]))
        keep[index] = min(rivals, key=lambda i: _preference(_text(texts, int(names[i]))))
    return keep


def _preference(name: str) -> tuple[bool, int, str]:
    bare = name.partition("@")[0]
    return not bare, len(bare), name


def _text(texts: bytes, at: int) -> str:
    end = texts.find(b"\0", at)
    return texts[at:end].decode("utf-8", "replace")
