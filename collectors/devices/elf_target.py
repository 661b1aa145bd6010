"""What an ELF file needs of the device that is to run it.

Read with pyelftools, but for symbol tables: there only the few names of an allocator are
looked for, which takes no time on files of a hundred megabytes either.
"""

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from collectors.errors import UsageError

_ABIS = {
    "EM_AARCH64": "arm64-v8a",
    "EM_ARM": "armeabi-v7a",
    "EM_X86_64": "x86_64",
    "EM_386": "x86",
    "EM_RISCV": "riscv64",
}
_SYMBOL_64 = struct.Struct("<IBBHQQ")
_SYMBOL_32 = struct.Struct("<IIIBBH")
_FUNCTION = 2  # STT_FUNC
_UNDEFINED = 0  # SHN_UNDEF
_ALLOCATOR = (b"malloc", b"free")


@dataclass(frozen=True, slots=True)
class ElfTarget:
    """An executable or shared library.

    `own_allocator`: it defines malloc and free itself. A program without an `interpreter`
    is static: no dynamic linker runs, so nothing can be preloaded into it.
    """

    file: Path
    abi: str
    interpreter: str | None
    needed: tuple[str, ...]
    search_path: tuple[str, ...]
    soname: str | None
    own_allocator: bool

    @property
    def is_64_bit(self) -> bool:
        return self.abi in {"arm64-v8a", "x86_64", "riscv64"}

    @property
    def is_musl(self) -> bool:
        return self.interpreter is not None and "ld-musl" in self.interpreter

    def search_folders(self) -> Iterator[Path]:
        """Where its own run path says that libraries are, on this machine."""
        origin = str(self.file.parent)
        for entry in self.search_path:
            for name in ("$ORIGIN", "${ORIGIN}"):
                entry = entry.replace(name, origin)
            if entry.startswith("/"):
                yield Path(entry)


def read_elf(file: Path) -> ElfTarget:
    """Raises `UsageError` when the file is no ELF program or library that can be read."""
    from elftools.common.exceptions import ELFError
    from elftools.elf.dynamic import DynamicSegment
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import SymbolTableSection
    from elftools.elf.segments import InterpSegment

    interpreter: str | None = None
    needed: list[str] = []
    paths: list[str] = []
    soname: str | None = None
    own = False
    try:
        with file.open("rb") as stream:
            elf = ELFFile(stream)
            machine = str(elf["e_machine"])
            for segment in elf.iter_segments():
                if isinstance(segment, InterpSegment):
                    interpreter = segment.get_interp_name()
                elif isinstance(segment, DynamicSegment):
                    for tag in segment.iter_tags():
                        match tag.entry.d_tag:
                            case "DT_NEEDED":
                                needed.append(str(vars(tag)["needed"]))
                            case "DT_RPATH":
                                paths += str(vars(tag)["rpath"]).split(":")
                            case "DT_RUNPATH":
                                paths += str(vars(tag)["runpath"]).split(":")
                            case "DT_SONAME":
                                soname = str(vars(tag)["soname"])
                            case _:
                                continue
            for section in elf.iter_sections():
                if isinstance(section, SymbolTableSection) and not own:
                    strings = elf.get_section(section["sh_link"])
                    own = _defines_allocator(
                        file,
                        (section["sh_offset"], section["sh_size"]),
                        (strings["sh_offset"], strings["sh_size"]),
                        _SYMBOL_64 if elf.elfclass == 64 else _SYMBOL_32,
                    )
    except (ELFError, ValueError, KeyError, AttributeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: not an ELF file that can be read: {error}") from error
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from error
    return ElfTarget(
        file=file,
        abi=_ABIS.get(machine, machine.removeprefix("EM_").lower()),
        interpreter=interpreter,
        needed=tuple(needed),
        search_path=tuple(path for path in paths if path),
        soname=soname,
        own_allocator=own,
    )


def _defines_allocator(
    file: Path, table: tuple[int, int], strings: tuple[int, int], layout: struct.Struct
) -> bool:
    with (
        file.open("rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        names = content[strings[0] : strings[0] + strings[1]]
        wanted = {word: set(_places(names, word + b"\0")) for word in _ALLOCATOR}
        if not all(wanted.values()):
            return False
        size = table[1] - table[1] % layout.size
        wide = layout is _SYMBOL_64
        found: set[bytes] = set()
        for entry in layout.iter_unpack(content[table[0] : table[0] + size]):
            name = entry[0]
            info, section = (entry[1], entry[3]) if wide else (entry[3], entry[5])
            if section == _UNDEFINED or info & 15 != _FUNCTION:
                continue
            for word, places in wanted.items():
                if name in places:
                    found.add(word)
        return len(found) == len(_ALLOCATOR)


def _places(names: bytes, word: bytes) -> Iterator[int]:
    """Where a name begins; linkers let `malloc` share the end of `je_malloc`."""
    at = names.find(word)
    while at >= 0:
        yield at
        at = names.find(word, at + 1)
