"""Where the sources of a build are on this machine.

A binary names its sources as the machine that built it did (`/ci/build/engine/src/net.cpp`).
A rule `FROM=TO` replaces the beginning of such a path; rules are given by a person, or
guessed from where the symbols were found.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath

from collectors.errors import InputError, UsageError
from profiler.sources import MOST_BYTES, Sources, looks_like_source
from profiler.store import Session

_PARENTS = 6
_LEAST_PARTS = 2  # `src/net.cpp`; a bare `net.cpp` may be anybody's
_MOST_PATHS = 2000


@dataclass(frozen=True, slots=True)
class SourceMap:
    """Rules in the order in which they are tried."""

    rules: Mapping[str, str] = field(default_factory=dict[str, str])

    def place(self, path: str) -> str:
        """Where a source file of the build is here; the path itself without a rule for it."""
        for start, here in self.rules.items():
            bare = start.rstrip("/\\")
            if path == bare or path.startswith((bare + "/", bare + "\\")):
                rest = path[len(bare) :].replace("\\", "/").lstrip("/")
                return str(Path(here) / rest) if rest else here
        return path

    def with_rules(self, rules: Mapping[str, str]) -> "SourceMap":
        """These rules first, then the ones here."""
        return SourceMap({**rules, **{k: v for k, v in self.rules.items() if k not in rules}})


def parse_rules(words: Sequence[str]) -> dict[str, str]:
    """`FROM=TO` words as rules. Raises `UsageError` for anything else."""
    rules: dict[str, str] = {}
    for word in words:
        start, equals, here = word.rpartition("=")
        if not equals or not start or not here:
            raise UsageError(f"--source-map {word}: write FROM=TO, such as /ci/engine=~/engine")
        folder = Path(here).expanduser()
        if not folder.is_dir():
            raise UsageError(f"--source-map {word}: there is no directory {folder}")
        rules[start] = str(folder.resolve())
    return rules


def guessed_rules(paths: Iterable[str], near: Sequence[Path]) -> dict[str, str]:
    """Rules for sources that are not where the build had them.

    `near` are the directories with symbols: a build directory lies in or beside its project,
    so that the project is one of the folders above it. Of several rules the one that finds
    most files comes first.
    """
    folders = _above(near)
    found: dict[tuple[str, str], int] = {}
    for path in sorted(set(paths))[:_MOST_PATHS]:
        if not looks_like_source(Path(path)) or _is_file(Path(path)):
            continue
        rule = _rule(path, folders)
        if rule is not None:
            found[rule] = found.get(rule, 0) + 1
    rules: dict[str, str] = {}
    for (start, here), _ in sorted(found.items(), key=lambda item: (-item[1], item[0])):
        rules.setdefault(start, here)
    return rules


def _above(near: Sequence[Path]) -> list[Path]:
    folders: dict[Path, None] = {}
    for start in near:
        place = start.resolve()
        for folder in [place, *place.parents][: _PARENTS + 1]:
            if len(folder.parts) > 2:  # neither / nor /home
                folders[folder] = None
    return list(folders)


def _rule(path: str, folders: Sequence[Path]) -> tuple[str, str] | None:
    parts = PurePosixPath(path.replace("\\", "/")).parts
    if ".." in parts:
        return None
    for first in range(1, len(parts) - _LEAST_PARTS + 1):
        rest = Path(*parts[first:])
        for folder in folders:
            if _is_file(folder / rest):
                return path[: len(path) - len(str(rest)) - 1], str(folder)
    return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def source_hashes(paths: Iterable[str], source_map: SourceMap) -> dict[str, str]:
    """SHA-256 of the sources that are here, by their path in the build."""
    found: dict[str, str] = {}
    for path in sorted(set(paths))[:_MOST_PATHS]:
        here = Path(source_map.place(path))
        if not looks_like_source(here) or not here.is_absolute() or not _is_file(here):
            continue
        try:
            if here.stat().st_size <= MOST_BYTES:
                found[path] = hashlib.sha256(here.read_bytes()).hexdigest()
        except OSError:
            continue  # what cannot be read has no hash, and is not shown either
    return found


def session_sources(
    session: Session, *, allowed: bool = True, rules: Mapping[str, str] | None = None
) -> Sources:
    """The sources of a session, found by its stored rules and by `rules` before them."""
    try:
        entry = session.symbols
    except InputError:
        entry = None  # each reading says so, as damage
    stored = SourceMap({} if entry is None else entry.source_map)
    return Sources(
        allowed=allowed,
        recorded=_moment(session.manifest.created),
        place=stored.with_rules(rules or {}).place,
        hashes=None if entry is None else entry.sources,
    )


def _moment(text: str) -> float | None:
    """Unix time of an ISO 8601 text; None for what is none."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
