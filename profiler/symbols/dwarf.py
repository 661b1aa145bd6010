# pyright: basic
"""Lines and inlined calls by address, from DWARF 2 to 5.

The reading is done by `symbolic` (Sentry's, in Rust), which turns a file's DWARF into a
table once; this module decides what is read and how the answers are called. It runs in the
worker's process only, because the file may be hostile.
"""

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from profiler.symbols.abbrevs import without_linkage_names
from profiler.symbols.elf import BadElf, Elf

# A frame: function or None, source path or None, line (0: unknown)
Place = tuple[str | None, str | None, int]


class Lines:
    """A file's DWARF, ready for look-ups."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def find(self, address: int) -> list[Place]:
        """The frames at an address, the innermost inlined call first; empty if unknown."""
        if address >= 1 << 32:
            return []  # the table holds 32-bit offsets from the first segment
        return [
            (found.symbol or None, found.full_path, found.line)
            for found in self._table.lookup(address)
        ]

    def save(self, file: Path) -> None:
        """Keep the table; `load_lines` reads it much faster than the DWARF."""
        with file.open("wb") as stream:
            self._table.dump_into(stream)


def read_lines(elf: Elf, *, linkage_names: bool = False) -> Lines:
    """Read a file's DWARF. Raises `BadElf` where the library finds nothing to use.

    `linkage_names` keeps the linkage names of inlined functions, as addr2line prints them.
    """
    from symbolic.debuginfo import Archive
    from symbolic.exceptions import SymbolicError

    elf.stream.seek(0)
    content = bytearray(elf.stream.read())
    if not linkage_names:
        _rename_in(content, elf)
    kept = bytes(content)  # the library borrows it: it must outlive the archive
    try:
        archive = Archive.from_bytes(kept)
        for part in archive.iter_objects():
            return Lines(part.make_symcache())
    except SymbolicError as error:
        reason = ", ".join(line.strip() for line in str(error).splitlines() if line.strip())
        raise BadElf(f"its debug info cannot be read ({reason})") from error
    raise BadElf("its debug info cannot be read")


def load_lines(file: Path) -> Lines:
    """A table that `Lines.save` wrote. Raises `BadElf` where it is damaged."""
    from symbolic.exceptions import SymbolicError
    from symbolic.symcache import SymCache

    try:
        return Lines(SymCache.open(str(file)))  # type: ignore[no-untyped-call]
    except (SymbolicError, OSError) as error:
        raise BadElf(str(error)) from error


def first_address(elf: Elf) -> int:
    """The address that the table's offsets count from."""
    return min((address for address in _loaded(elf)), default=0)


def _loaded(elf: Elf) -> Iterable[int]:
    from elftools.elf.elffile import ELFFile

    elf.stream.seek(0)
    for segment in ELFFile(elf.stream).iter_segments(type="PT_LOAD"):
        yield int(segment["p_vaddr"])


def _rename_in(content: bytearray, elf: Elf) -> None:
    place = elf.section(".debug_abbrev")
    if place is None:
        return
    renamed = without_linkage_names(elf.content(".debug_abbrev"))
    if not place.compressed:
        content[place.offset : place.offset + place.size] = renamed
        return
    # A compressed table moves to the end of the file, and its header points there.
    header = _header_of(content, elf, place.offset, place.size)
    if header is None:
        return
    wide = elf.wide
    flags_at, offset_at, size_at = (8, 24, 32) if wide else (8, 16, 20)
    word = elf.order + ("Q" if wide else "I")
    flags = struct.unpack_from(word, content, header + flags_at)[0]
    struct.pack_into(word, content, header + flags_at, flags & ~0x800)
    struct.pack_into(word, content, header + offset_at, len(content))
    struct.pack_into(word, content, header + size_at, len(renamed))
    content += renamed


def _header_of(content: bytearray, elf: Elf, offset: int, size: int) -> int | None:
    """Where the section header with this offset and size stands."""
    wide = elf.wide
    start_word = elf.order + ("Q" if wide else "I")
    table = int(struct.unpack_from(start_word, content, 40 if wide else 32)[0])
    each, number = map(int, struct.unpack_from(elf.order + "HH", content, 58 if wide else 46))
    for index in range(number):
        at = table + index * each
        if at + each > len(content):
            return None
        word = elf.order + ("QQ" if wide else "II")
        if struct.unpack_from(word, content, at + (24 if wide else 16)) == (offset, size):
            return at
    return None
