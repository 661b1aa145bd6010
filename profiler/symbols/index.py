"""build-id → the least stripped file below the directories that a person names.

Directories are walked (in a Gradle project only where unstripped files are), zip files are
looked into. What was learnt of a file is kept in the cache by its path, size and time.
"""

import json
import os
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import cast

from collectors.errors import InputError
from profiler.json_fields import Fields, parse_json
from profiler.symbols.cache import key_of, replace_file
from profiler.symbols.elf import BadElf, Detail, ElfFacts, crc32_of, facts_of

_SKIPPED = frozenset({".git", ".gradle", ".idea", "node_modules", "stripped_native_libs"})
# Below Gradle's build/intermediates only these hold unstripped libraries.
_INTERMEDIATES = frozenset({"cmake", "cxx", "merged_native_libs", "ndkBuild"})
_ZIPS = frozenset({".zip", ".apk", ".aar", ".jar", ".aab", ".apks"})
_IN_ZIP = (".so", ".so.dbg", ".so.sym", ".debug", ".dbg")
_MOST_FILES = 200_000
_MOST_ENTRY_BYTES = 4 << 30
_MOST_RATIO = 1000


@dataclass(frozen=True, slots=True)
class Candidate:
    """An ELF file that may have symbols; `entry` is its name inside the zip file `path`."""

    path: Path
    facts: ElfFacts
    size: int
    mtime_ns: int
    entry: str | None = None
    data_offset: int | None = None

    @property
    def name(self) -> str:
        return f"{self.path}!{self.entry}" if self.entry else str(self.path)

    @property
    def base_name(self) -> str:
        return (self.entry or self.path.name).rpartition("/")[2]


class SymbolIndex:
    """The files found below some directories. `notes` says what could not be used."""

    def __init__(self, candidates: Sequence[Candidate], notes: Sequence[str]) -> None:
        self.candidates = tuple(candidates)
        self.notes = list(notes)
        self._by_id: dict[str, list[Candidate]] = {}
        self._by_name: dict[str, list[Candidate]] = {}
        for candidate in candidates:
            if candidate.facts.build_id is not None:
                self._by_id.setdefault(candidate.facts.build_id, []).append(candidate)
            for name in dict.fromkeys((candidate.base_name, _bare(candidate.base_name))):
                self._by_name.setdefault(name, []).append(candidate)
        self._told: set[str] = set()

    def by_build_id(self, build_id: str) -> Candidate | None:
        """The file of this build that tells most."""
        found = self._by_id.get(build_id)
        if not found:
            return None
        best = _best(found)
        rivals = [c for c in found if c.facts.detail is best.facts.detail and c != best]
        different = [c for c in rivals if c.size != best.size]
        if different and build_id not in self._told:
            self._told.add(build_id)
            self.notes.append(
                f"{best.name} and {different[0].name} both say build-id {build_id} but differ: "
                "the first is used"
            )
        return best

    def by_name(self, path: str, text: int) -> Candidate | None:
        """The file of the same name whose `.text` stands at the same address."""
        found = [
            c for c in self._by_name.get(path.rpartition("/")[2], ()) if c.facts.text == text
        ]
        return _best(found) if found else None

    def namesake(self, path: str) -> Candidate | None:
        """A file of the same name, one that has a build-id before others."""
        found = self._by_name.get(path.rpartition("/")[2], ())
        return max(found, key=lambda c: c.facts.build_id is not None, default=None)

    def of_layout(self, text: int) -> Candidate | None:
        """The only file with names, whatever its own, whose `.text` stands at an address."""
        found = [
            c
            for c in self.candidates
            if c.facts.text == text and c.facts.detail > Detail.EXPORTS
        ]
        return found[0] if len(found) == 1 else None

    def linked(self, candidate: Candidate) -> Candidate | None:
        """The file that a `.gnu_debuglink` names, its checksum verified."""
        link = candidate.facts.debuglink
        if link is None:
            return None
        for other in self._by_name.get(link, ()):
            if other.facts.detail <= candidate.facts.detail or other.entry is not None:
                continue
            with suppress(OSError), other.path.open("rb") as stream:
                if crc32_of(stream) == candidate.facts.debuglink_crc:
                    return other
        return None

    def in_archive(self, archive: str, offset: int) -> Candidate | None:
        """The library stored at `offset` of an APK of this name."""
        name = archive.rpartition("/")[2]
        for candidate in self.candidates:
            start = candidate.data_offset
            if (
                candidate.entry is not None
                and start is not None
                and candidate.path.name == name
                and start <= offset < start + candidate.size
            ):
                return candidate
        return None


def _bare(name: str) -> str:
    """`libx.so` for what native-debug-symbols.zip calls `libx.so.dbg`."""
    for suffix in (".dbg", ".sym", ".debug"):
        name = name.removesuffix(suffix)
    return name


def _best(found: Sequence[Candidate]) -> Candidate:
    return max(found, key=lambda c: (c.facts.detail, c.mtime_ns, c.name))


def build_index(roots: Sequence[Path], folder: Path) -> SymbolIndex:
    """Look through directories, files and zip files; `folder` is the cache's."""
    notes: list[str] = []
    candidates: list[Candidate] = []
    for root in roots:
        known = _Known(folder, root)
        if root.is_file():
            candidates.extend(_file(root, known, notes))
        elif root.is_dir():
            for number, file in enumerate(_walk(root, notes)):
                if number == _MOST_FILES:
                    notes.append(
                        f"{root} has more than {_MOST_FILES:,} files: name a subfolder"
                    )
                    break
                candidates.extend(_file(file, known, notes))
        else:
            notes.append(f"{root}: there is no such directory")
        known.save()
    return SymbolIndex(candidates, notes)


def _walk(root: Path, notes: list[str]) -> Iterator[Path]:
    def refused(error: OSError) -> None:
        notes.append(f"{error.filename}: {error.strerror}: it is left out")

    for folder, names, files in os.walk(root, onerror=refused):
        kept = [name for name in names if name not in _SKIPPED]
        if folder.endswith("build/intermediates"):
            kept = [name for name in kept if name in _INTERMEDIATES]
        names[:] = sorted(kept)
        for name in sorted(files):
            yield Path(folder, name)


def _file(file: Path, known: "_Known", notes: list[str]) -> Iterator[Candidate]:
    try:
        facts = file.stat()
        if not file.is_file() or facts.st_size < 64:
            return
        stored = known.get(file, facts)
        if stored is None:
            stored = list(_read(file, facts, notes))
            known.put(file, facts, stored)
        yield from stored
    except OSError as error:
        notes.append(f"{file}: {error.strerror}: it is left out")


def _read(file: Path, facts: os.stat_result, notes: list[str]) -> Iterator[Candidate]:
    with file.open("rb") as stream:
        head = stream.read(4)
        if head == b"\x7fELF":
            try:
                yield Candidate(
                    file, facts_of(stream, facts.st_size), facts.st_size, facts.st_mtime_ns
                )
            except BadElf as error:
                notes.append(f"{file}: {error}: it is left out")
        elif head == b"PK\x03\x04" and file.suffix in _ZIPS:
            yield from _zip(file, facts, notes)


def _zip(file: Path, facts: os.stat_result, notes: list[str]) -> Iterator[Candidate]:
    try:
        with zipfile.ZipFile(file) as archive:
            for info in archive.infolist():
                if not info.filename.endswith(_IN_ZIP) or info.file_size < 64:
                    continue
                if _is_bomb(info):
                    notes.append(f"{file}!{info.filename} unpacks to too much: it is left out")
                    continue
                try:
                    content = archive.read(info)
                    found = facts_of(BytesIO(content), len(content))
                except (BadElf, zlib.error, NotImplementedError, RuntimeError) as error:
                    notes.append(f"{file}!{info.filename}: {error}: it is left out")
                    continue
                yield Candidate(
                    file,
                    found,
                    info.file_size,
                    facts.st_mtime_ns,
                    info.filename,
                    _data_offset(file, info) if info.compress_type == 0 else None,
                )
    except (zipfile.BadZipFile, EOFError, ValueError) as error:
        notes.append(f"{file}: {error}: it is left out")


def _is_bomb(info: zipfile.ZipInfo) -> bool:
    too_large = info.file_size > _MOST_ENTRY_BYTES
    return too_large or info.file_size > _MOST_RATIO * max(info.compress_size, 1)


def _data_offset(file: Path, info: zipfile.ZipInfo) -> int:
    with file.open("rb") as stream:
        stream.seek(info.header_offset + 26)
        lengths = stream.read(4)
    names = int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
    return info.header_offset + 30 + names


def unpacked(candidate: Candidate, folder: Path) -> Path:
    """The candidate as a file of its own. Raises `BadElf` and `OSError`."""
    if candidate.entry is None:
        return candidate.path
    key = key_of(candidate.path.resolve(), candidate.mtime_ns, candidate.entry, candidate.size)
    file = folder / "unpacked" / f"{key}.so"
    if file.exists() and file.stat().st_size == candidate.size:
        return file
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        with zipfile.ZipFile(candidate.path) as archive:
            unfinished.write_bytes(archive.read(candidate.entry))
    except (zipfile.BadZipFile, KeyError, zlib.error, EOFError) as error:
        raise BadElf(f"{candidate.name} cannot be unpacked ({error})") from error
    replace_file(unfinished, file)
    return file


class _Known:
    """What was learnt of a root's files before."""

    def __init__(self, folder: Path, root: Path) -> None:
        self._file = folder / f"index-{key_of(root.resolve())}.json"
        self._old: dict[str, object] = {}
        self._new: dict[str, object] = {}
        with suppress(OSError, ValueError):
            document: object = parse_json(self._file.read_bytes())
            if isinstance(document, dict):
                self._old = cast("dict[str, object]", document)

    def get(self, file: Path, facts: os.stat_result) -> list[Candidate] | None:
        entry = self._old.get(str(file))
        if entry is None:
            return None
        try:
            fields = Fields(entry, str(self._file))
            stamp = (fields.integer("size"), fields.integer("mtime_ns"))
            if stamp != (facts.st_size, facts.st_mtime_ns):
                return None
            candidates = [_candidate(file, found) for found in fields.objects("found")]
        except (InputError, ValueError):
            return None  # damaged: the file is read again
        self._new[str(file)] = entry
        return candidates

    def put(self, file: Path, facts: os.stat_result, found: Sequence[Candidate]) -> None:
        self._new[str(file)] = {
            "size": facts.st_size,
            "mtime_ns": facts.st_mtime_ns,
            "found": [{**asdict(candidate), "path": None} for candidate in found],
        }

    def save(self) -> None:
        if self._new == self._old:
            return
        unfinished = self._file.with_name(f".{self._file.name}.{os.getpid()}.tmp")
        with suppress(OSError):  # it only saves time
            self._file.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_text(json.dumps(self._new), encoding="utf-8")
            replace_file(unfinished, self._file)


def _candidate(file: Path, fields: Fields) -> Candidate:
    facts = fields.object("facts")
    link = facts.optional_text("debuglink")
    return Candidate(
        file,
        ElfFacts(
            facts.optional_text("build_id"),
            Detail(facts.integer("detail")),
            facts.text("machine"),
            facts.optional_integer("text"),
            link,
            facts.optional_integer("debuglink_crc"),
        ),
        fields.integer("size"),
        fields.integer("mtime_ns"),
        fields.optional_text("entry"),
        fields.optional_integer("data_offset"),
    )
