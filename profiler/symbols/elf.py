"""ELF files as far as symbols need them. Every file is untrusted: any damage is `BadElf`.

Structure is read by pyelftools; a build-id is read from the first bytes alone, since that is
all that is fetched from a device.
"""

import lzma
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

NOTE_HEAD_BYTES = 8192
_MAGIC = b"\x7fELF"
_PT_LOAD, _PT_NOTE = 1, 4
_NT_BUILD_ID = 3
_MOST_HEADERS = 4096
_MOST_NOTE_BYTES = 1 << 20
_MOST_DEBUGDATA_BYTES = 512 << 20
_MOST_ADDRESS = (1 << 64) - 1
_MOST_SECTION_BYTES = 4 << 30


class BadElf(Exception):
    """A file that is no ELF file, or is damaged where it matters; the message says how."""


class Detail(IntEnum):
    """How much a file can tell, the least stripped being the largest."""

    NOTHING = 0
    EXPORTS = 1  # .dynsym only: stripped
    MINI = 2  # .gnu_debugdata: function names
    SYMBOLS = 3  # .symtab: function names
    LINES = 4  # DWARF: lines and inlined calls


@dataclass(frozen=True, slots=True)
class ElfFacts:
    """What tells one build from another, and what a file can tell.

    `text` is the address of `.text` in the file, None where the section table is gone.
    `debuglink` names a file with the debug info, and its CRC-32.
    """

    build_id: str | None
    detail: Detail
    machine: str
    text: int | None = None
    debuglink: str | None = None
    debuglink_crc: int | None = None


def build_id_of_head(head: bytes, *, notes: bytes | None = None) -> str | None:
    """The build-id from a file's first bytes (or from `notes`, a part of the file)."""
    try:
        order = "<" if head[5] == 1 else ">"
        if notes is not None:
            return _build_id_in(notes, order)
        for offset, size in note_ranges(head):
            found = _build_id_in(head[offset : offset + size], order)
            if found is not None:
                return found
    except (IndexError, struct.error):
        return None
    return None


def note_ranges(head: bytes) -> Iterator[tuple[int, int]]:
    """Offset and size of the notes that a file's program headers name."""
    for kind, offset, size in _program_headers(head):
        if kind == _PT_NOTE and 0 < size <= _MOST_NOTE_BYTES:
            yield offset, size


def _program_headers(head: bytes) -> Iterator[tuple[int, int, int]]:
    if head[:4] != _MAGIC or len(head) < 64 or head[4] not in {1, 2} or head[5] not in {1, 2}:
        return
    order = "<" if head[5] == 1 else ">"
    wide = head[4] == 2
    start = struct.unpack_from(order + ("Q" if wide else "I"), head, 32 if wide else 28)[0]
    each, number = struct.unpack_from(order + "HH", head, 54 if wide else 42)
    if each < (56 if wide else 32):
        return
    for index in range(min(number, _MOST_HEADERS)):
        at = start + index * each
        if at + each > len(head):
            return
        kind = struct.unpack_from(order + "I", head, at)[0]
        if wide:
            offset, size = struct.unpack_from(order + "Q16xQ", head, at + 8)
        else:
            offset, size = struct.unpack_from(order + "I8xI", head, at + 4)
        yield kind, offset, size


def _build_id_in(notes: bytes, order: str) -> str | None:
    position = 0
    while position + 12 <= len(notes):
        name_size, size, kind = struct.unpack_from(order + "III", notes, position)
        name = notes[position + 12 : position + 12 + min(name_size, 64)]
        start = position + 12 + (name_size + 3) // 4 * 4
        if kind == _NT_BUILD_ID and name == b"GNU\0":
            content = notes[start : start + size]
            return content.hex() if 0 < len(content) == size <= 64 else None
        position = start + (size + 3) // 4 * 4
    return None


class Elf:
    """An open ELF file. `sections` are found by name; any damage raises `BadElf`."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        from elftools.elf.elffile import ELFFile

        self.stream = stream
        self.size = size
        stream.seek(0)
        head = stream.read(NOTE_HEAD_BYTES)
        if head[:4] != _MAGIC:
            raise BadElf("not an ELF file")
        self._head = head
        self.order = "<" if head[5:6] == b"\x01" else ">"
        self.wide = head[4:5] == b"\x02"
        self._sections: dict[str, SectionPlace] = {}
        self.section_ends: list[int] = []  # by section number: the address behind it
        try:
            elf = ELFFile(stream)
            self.machine = str(elf["e_machine"])
            if elf.num_sections() <= 1 << 16:
                for section in elf.iter_sections():
                    header = section.header
                    self.section_ends.append(
                        (int(header["sh_addr"]) + int(header["sh_size"])) & _MOST_ADDRESS
                    )
                    self._sections.setdefault(
                        section.name,
                        SectionPlace(
                            int(header["sh_offset"]),
                            int(header["sh_size"]),
                            int(header["sh_addr"]),
                            header["sh_type"] != "SHT_NOBITS",
                            bool(int(header["sh_flags"]) & 0x800),
                            int(header["sh_link"]),
                        ),
                    )
        except Exception as error:  # pyelftools raises whatever a damaged field leads to
            reason = str(error) or type(error).__name__
            raise BadElf(f"damaged ELF headers ({reason})") from error

    def section(self, name: str) -> "SectionPlace | None":
        """A section with content in this file, or None."""
        place = self._sections.get(name)
        return place if place is not None and place.in_file and place.size else None

    def address_of(self, name: str) -> int | None:
        place = self._sections.get(name)
        return None if place is None else place.address

    def content(self, name: str) -> bytes:
        """A section's bytes, decompressed; empty where it is not there."""
        place = self.section(name)
        if place is None:
            return b""
        if place.offset + place.size > self.size:
            raise BadElf(f"{name} goes past the end of the file")
        self.stream.seek(place.offset)
        raw = self.stream.read(place.size)
        return self._decompressed(name, raw) if place.compressed else raw

    def _decompressed(self, name: str, raw: bytes) -> bytes:
        try:
            if self.wide:
                kind, size = struct.unpack_from(self.order + "I4xQ", raw)
                body = raw[24:]
            else:
                kind, size = struct.unpack_from(self.order + "II", raw)
                body = raw[12:]
            if kind != 1 or size > _MOST_SECTION_BYTES:
                raise BadElf(f"{name} is compressed in a way that is not known here")
            return zlib.decompressobj().decompress(body, size)
        except (struct.error, zlib.error) as error:
            raise BadElf(f"{name}: {error}") from error

    def address_at(self, offset: int) -> int | None:
        """The address of the byte at `offset` of the file, where it is loaded at all."""
        from elftools.elf.elffile import ELFFile

        try:
            for segment in ELFFile(self.stream).iter_segments(type="PT_LOAD"):
                start = int(segment["p_offset"])
                if start <= offset < start + int(segment["p_filesz"]):
                    return int(segment["p_vaddr"]) + offset - start
        except Exception as error:  # as above
            raise BadElf(f"damaged program headers ({error!r})") from error
        return None

    def facts(self) -> ElfFacts:
        """Everything that the index keeps of a file."""
        build_id = build_id_of_head(self._head)
        if build_id is None:
            notes = self.content(".note.gnu.build-id")
            build_id = build_id_of_head(self._head, notes=notes) if notes else None
        if build_id is None:
            for offset, size in note_ranges(self._head):
                if offset + size <= self.size:
                    self.stream.seek(offset)
                    notes = self.stream.read(size)
                    build_id = build_id_of_head(self._head, notes=notes) or build_id
        return ElfFacts(
            build_id,
            self.detail(),
            self.machine,
            self.address_of(".text"),
            *self._debuglink(),
        )

    def detail(self) -> Detail:
        if self.section(".debug_info") and self.section(".debug_abbrev"):
            return Detail.LINES
        if self.section(".symtab"):
            return Detail.SYMBOLS
        if self.section(".gnu_debugdata"):
            return Detail.MINI
        return Detail.EXPORTS if self.section(".dynsym") else Detail.NOTHING

    def _debuglink(self) -> tuple[str | None, int | None]:
        raw = self.content(".gnu_debuglink")
        name, zero, _ = raw.partition(b"\0")
        if not name or not zero or len(raw) < 8 or len(name) > 255:
            return None, None
        crc = struct.unpack_from(self.order + "I", raw, len(raw) - 4)[0]
        return name.decode("utf-8", "replace"), crc

    def mini(self) -> "Elf | None":
        """The small ELF file with function names inside `.gnu_debugdata`, if there is one."""
        raw = self.content(".gnu_debugdata")
        if not raw:
            return None
        try:
            inner = lzma.LZMADecompressor(memlimit=1 << 30).decompress(
                raw, _MOST_DEBUGDATA_BYTES
            )
        except lzma.LZMAError as error:
            raise BadElf(f".gnu_debugdata: {error}") from error
        return Elf(BytesIO(inner), len(inner))


@dataclass(frozen=True, slots=True)
class SectionPlace:
    """Where a section is in the file, and where it would be in memory."""

    offset: int
    size: int
    address: int
    in_file: bool
    compressed: bool
    link: int


def facts_of(stream: BinaryIO, size: int) -> ElfFacts:
    """The facts of an ELF file. Raises `BadElf`, and `OSError`."""
    return Elf(stream, size).facts()


def build_id_of(file: Path) -> str | None:
    """The build-id of a file of this machine; None where it has none or is no ELF file."""
    try:
        with file.open("rb") as stream:
            return facts_of(stream, file.stat().st_size).build_id
    except BadElf:
        return None


def crc32_of(stream: BinaryIO) -> int:
    """The CRC-32 that `.gnu_debuglink` names a file by."""
    crc = 0
    stream.seek(0)
    while chunk := stream.read(1 << 20):
        crc = zlib.crc32(chunk, crc)
    return crc
