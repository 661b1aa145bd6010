"""Source code that a page carries: only source files, only those that can be read here."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# A profile names its files, and a profile may come from anybody: what does not look like
# source code is never read, or a crafted session could carry a private key into a report.
_SUFFIXES = frozenset(
    {
        *(".c", ".cc", ".cpp", ".cxx", ".c++", ".cp", ".cu", ".cl", ".comp"),
        *(".h", ".hh", ".hpp", ".hxx", ".h++", ".cuh", ".inl", ".inc", ".ipp", ".tcc", ".tpp"),
        *(".def", ".m", ".mm", ".rs", ".s", ".S", ".asm", ".zig", ".go", ".swift"),
        *(".y", ".yy", ".l", ".ll"),
    }
)
MOST_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The lines of a file; `newer` is True where it is not what was built and recorded."""

    path: str
    lines: tuple[str, ...]
    newer: bool


def looks_like_source(path: Path) -> bool:
    if path.suffix in _SUFFIXES:
        return True
    return not path.suffix and "/include/c++/" in path.as_posix()


class Sources:
    """Reads source files once each; `allowed=False` reads none (`--no-source`).

    `place` says where a file of the build is here. A file is stale by its hash where one is
    known (`hashes`, SHA-256 by path), else where it was changed after `recorded` (Unix time).
    """

    def __init__(
        self,
        *,
        allowed: bool = True,
        recorded: float | None = None,
        place: Callable[[str], str] = str,
        hashes: Mapping[str, str] | None = None,
    ) -> None:
        self.allowed = allowed
        self._recorded = recorded
        self.place = place
        self._hashes = hashes or {}
        self.read = cache(self._read)

    def _read(self, name: str) -> SourceFile | None:
        path = Path(self.place(name))
        if not self.allowed or not path.is_absolute() or "\0" in name:
            return None
        try:
            path = path.resolve(strict=True)
            if not looks_like_source(path):
                return None
            # Not to hang on a fifo that took a source file's name.
            with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
                facts = os.fstat(file.fileno())
                if not stat.S_ISREG(facts.st_mode) or facts.st_size > MOST_BYTES:
                    return None
                content = file.read(MOST_BYTES)
        except (OSError, RuntimeError, ValueError):  # absent, unreadable, a loop of links
            return None
        known = self._hashes.get(name)
        if known is not None:
            newer = hashlib.sha256(content).hexdigest() != known
        else:
            newer = self._recorded is not None and facts.st_mtime > self._recorded
        return SourceFile(name, tuple(content.decode("utf-8", "replace").splitlines()), newer)

    def around(self, name: str, line: int, context: int = 3) -> dict[int, str]:
        """The lines near `line`, by their numbers; empty where the file cannot be read."""
        source = self.read(name)
        if source is None or not 0 < line <= len(source.lines):
            return {}
        first = max(1, line - context)
        last = min(len(source.lines), line + context)
        return {number: source.lines[number - 1] for number in range(first, last + 1)}


def readable(names: Iterable[str], sources: Sources, most: int) -> list[SourceFile]:
    """The first `most` files of `names` that can be read."""
    found: list[SourceFile] = []
    for name in names:
        if len(found) == most:
            break
        source = sources.read(name)
        if source is not None:
            found.append(source)
    return found
