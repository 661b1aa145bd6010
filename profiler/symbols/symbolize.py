"""Symbols for a whole session, looked up after its run, stored, and what stayed unknown."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from collectors.records.cost import UNKNOWN, CostProfile
from profiler.session_writer import write_atomically
from profiler.source_map import SourceMap, guessed_rules, source_hashes
from profiler.store import Session
from profiler.symbols.answers import Answers
from profiler.symbols.applied import Place
from profiler.symbols.cache import usable_folder
from profiler.symbols.elf import BadElf, Detail, Elf, build_id_of
from profiler.symbols.index import Candidate, SymbolIndex, build_index, unpacked
from profiler.symbols.maps import is_archive, kept_maps
from profiler.symbols.modules import Module, ModuleFacts, modules_of, read_facts
from profiler.symbols.reasons import RECORD_UNSTRIPPED, why_no_match, why_no_module
from profiler.symbols.resolver import Resolver
from profiler.symbols.stored import (
    SYMBOLS_FILE,
    SymbolsEntry,
    Unresolved,
    UsedFile,
    symbols_document,
)
from profiler.symbols.wanted import Wanted, pid_of, wanted_of

_ADDRESS = re.compile(r"0x[0-9a-f]{8,16}")


def symbolize(
    session: Session,
    roots: Sequence[Path],
    *,
    source_map: Mapping[str, str] | None = None,
    cache: Path | None = None,
) -> SymbolsEntry:
    """Look a session's addresses up below `roots` and store the answers in the session.

    `source_map` says where the build's sources are here; what it leaves out is guessed from
    where the symbols are. Raises `InputError` where the session cannot be read or written to.
    """
    bare = Session(session.directory, session.manifest, symbols=False)
    facts = read_facts(session.directory)
    with usable_folder(cache) as folder:
        index = build_index(roots, folder)
        entry = _Symbolizer(bare, facts, index, Resolver(folder), folder).run(roots)
    entry = _with_sources(entry, roots, source_map or {})
    write_atomically(session.directory / SYMBOLS_FILE, symbols_document(entry))
    return entry


def _with_sources(
    entry: SymbolsEntry, roots: Sequence[Path], given: Mapping[str, str]
) -> SymbolsEntry:
    paths = {
        path
        for files in entry.places.values()
        for found in files.values()
        for frames in found.values()
        for _, path, _ in frames
        if path is not None
    }
    left = [path for path in paths if SourceMap(given).place(path) == path]
    near = [Path(file.symbols.partition("!")[0]).parent for file in entry.files if file.symbols]
    rules = SourceMap(guessed_rules(left, [*near, *roots])).with_rules(given)
    hashes = source_hashes(paths, rules)
    return replace(entry, source_map=rules.rules, sources=hashes)


class _Symbolizer:
    def __init__(
        self,
        session: Session,
        facts: Mapping[str, ModuleFacts],
        index: SymbolIndex,
        resolver: Resolver,
        folder: Path,
    ) -> None:
        self._session = session
        self._facts = facts
        self._index = index
        self._resolver = resolver
        self._folder = folder
        self._places: dict[str, dict[str, dict[int, tuple[Place, ...]]]] = {}
        self._used: dict[str, UsedFile] = {}
        self._unresolved: list[Unresolved] = []
        self._problems: dict[str, None] = {}

    def run(self, roots: Sequence[Path]) -> SymbolsEntry:
        for tool in self._session.tools:
            modules = modules_of(self._session.folder(tool))
            reading = self._session.reading(tool)
            for file, profile in zip(reading.files, reading.profiles, strict=True):
                if isinstance(profile, CostProfile):
                    self._count_unknown_costs(tool, profile)
                    continue
                pid = pid_of(file.name, profile)
                for wanted in wanted_of(tool, file.name, profile, modules.get(pid, ()), pid):
                    self._look_up(wanted)
        return SymbolsEntry(
            tuple(str(root) for root in roots),
            tuple(self._used.values()),
            tuple(self._unresolved),
            (*self._index.notes, *self._problems),
            self._places,
        )

    def _look_up(self, wanted: Wanted) -> None:
        fact = self._facts.get(wanted.object)
        build_id = None if fact is None else fact.build_id
        if wanted.module is None:
            left = dict(wanted.addresses)
            if is_archive(wanted.object):
                for ip in self._look_up_in_archive(wanted):
                    del left[ip]
            imported = self._session.manifest.imported
            why = why_no_module(wanted.object, imported=imported)
            self._note(wanted, build_id, left, *why)
            return
        candidate = self._candidate(wanted.module, build_id)
        if candidate is None:
            why = why_no_match(wanted.module, fact, self._index)
            self._note(wanted, build_id, wanted.addresses, *why)
            return
        text = candidate.facts.text
        bias = wanted.module.avma - (wanted.module.svma if text is None else text)
        answers = self._answers(candidate, [ip - bias for ip in wanted.addresses if ip >= bias])
        if answers is None:
            why = (f"{candidate.name} cannot be read", "give an undamaged copy of it")
            self._note(wanted, build_id, wanted.addresses, *why)
            return
        asked = [ip - bias for ip in wanted.addresses if ip >= bias]
        found = {at + bias: frames for at, frames in answers.of(asked) if frames}
        self._places.setdefault(wanted.tool, {}).setdefault(wanted.raw, {}).update(found)
        old = self._used.get(wanted.object)
        self._used[wanted.object] = UsedFile(
            wanted.object,
            build_id,
            candidate.name,
            len(wanted.addresses) + (old.addresses if old else 0),
            len(found) + (old.resolved if old else 0),
        )
        left = {ip: bare for ip, bare in wanted.addresses.items() if ip not in found}
        if any(left.values()):
            why = (
                f"no symbol of {candidate.name} covers the address",
                "give the unstripped file of this build"
                if candidate.facts.detail < Detail.SYMBOLS
                else "it is code without a name (a trampoline, a stub)",
            )
            self._note(wanted, build_id, left, *why)

    def _look_up_in_archive(self, wanted: Wanted) -> list[int]:
        """Resolve addresses inside an APK; those that are now known."""
        parts = kept_maps(self._session.directory, wanted.tool).get(wanted.pid, ())
        by_library: dict[Candidate, dict[int, int]] = {}
        for ip in wanted.addresses:
            part = next((p for p in parts if p.start <= ip < p.end), None)
            offset = 0 if part is None else ip - part.start + part.offset
            inside = None if part is None else self._index.in_archive(part.path, offset)
            if inside is not None and inside.data_offset is not None:
                by_library.setdefault(inside, {})[ip] = offset - inside.data_offset
        known: list[int] = []
        for inside, offsets in by_library.items():
            try:
                addresses = _addresses(unpacked(inside, self._folder), offsets)
            except (BadElf, OSError) as error:
                self._problems[f"{inside.name}: {error}"] = None
                continue
            build_id = inside.facts.build_id
            best = (build_id and self._index.by_build_id(build_id)) or inside
            shift = (best.facts.text or 0) - (inside.facts.text or 0)
            asked = {ip: address + shift for ip, address in addresses.items()}
            answers = self._answers(best, list(asked.values()))
            found = {} if answers is None else dict(answers.of(asked.values()))
            resolved = {ip: found[at] for ip, at in asked.items() if found.get(at)}
            self._places.setdefault(wanted.tool, {}).setdefault(wanted.raw, {}).update(resolved)
            name = f"{wanted.object}!{inside.entry}"
            old = self._used.get(name)
            self._used[name] = UsedFile(
                name,
                build_id,
                best.name,
                len(offsets) + (old.addresses if old else 0),
                len(resolved) + (old.resolved if old else 0),
            )
            known += resolved
        return known

    def _candidate(self, module: Module, build_id: str | None) -> Candidate | None:
        if build_id is None:
            found = self._index.by_name(module.path, module.svma)
        else:
            found = self._index.by_build_id(build_id) or self._own(module, build_id)
        if found is None or found.facts.detail is Detail.LINES:
            return found
        return self._index.linked(found) or found

    def _own(self, module: Module, build_id: str) -> Candidate | None:
        """The very file that ran, where this machine has it and it tells more than exports."""
        path = Path(module.path)
        if (
            self._session.manifest.device.serial != "local"
            or build_id_of_quietly(path) != build_id
        ):
            return None
        found = build_index([path], self._folder).by_build_id(build_id)
        return found if found is not None and found.facts.detail > Detail.EXPORTS else None

    def _answers(self, candidate: Candidate, addresses: Sequence[int]) -> Answers | None:
        try:
            file = unpacked(candidate, self._folder)
            answers = self._resolver.resolve(file, candidate.facts.build_id, addresses)
        except (BadElf, OSError) as error:
            self._problems[f"{candidate.name}: {error}"] = None
            return None
        if answers.problem is not None:
            self._problems[f"{candidate.name}: {answers.problem}"] = None
        return answers if len(answers) else None

    def _note(
        self,
        wanted: Wanted,
        build_id: str | None,
        addresses: Mapping[int, bool],
        why: str,
        remedy: str,
    ) -> None:
        unknown = sum(addresses.values())
        if unknown:
            self._unresolved.append(
                Unresolved(wanted.tool, wanted.object or None, build_id, unknown, why, remedy)
            )

    def _count_unknown_costs(self, tool: str, profile: CostProfile) -> None:
        # Callgrind calls what it has no name for by its address.
        unknown = sum(
            1
            for symbol in profile.symbols
            if symbol.fn == UNKNOWN or _ADDRESS.fullmatch(symbol.fn)
        )
        if unknown:
            self._unresolved.append(
                Unresolved(
                    tool,
                    None,
                    None,
                    unknown,
                    "what the tool counted for unknown functions cannot be split up later",
                    RECORD_UNSTRIPPED,
                )
            )


def _addresses(library: Path, offsets: Mapping[int, int]) -> dict[int, int]:
    """Addresses in a library's file, from offsets in it."""
    with library.open("rb") as stream:
        elf = Elf(stream, library.stat().st_size)
        places = {ip: elf.address_at(offset) for ip, offset in offsets.items()}
    return {ip: address for ip, address in places.items() if address is not None}


def build_id_of_quietly(path: Path) -> str | None:
    """A file's build-id; None where it cannot be read."""
    try:
        return build_id_of(path)
    except OSError:
        return None
