"""The program to record: found and checked before anything is started."""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from collectors.errors import UsageError

DEVICE_PREFIX = "device:"
_ELF = b"\x7fELF"
_SOURCES = {".c", ".cc", ".cpp", ".cxx", ".h", ".hh", ".hpp", ".rs", ".go", ".java", ".kt"}


@dataclass(frozen=True, slots=True)
class Pushed:
    """A file or folder to bring to the device: to `place`, else under its own name."""

    file: Path
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A command line to record. `argv[0]` is what the person wrote, as is `cwd`."""

    argv: tuple[str, ...]
    cwd: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    push: tuple[Pushed, ...] = ()


def parse_push(words: Sequence[str]) -> tuple[Pushed, ...]:
    """`FILE` and `FILE=DEVICE_PATH` words. Raises `UsageError` for an empty part."""
    pushed: list[Pushed] = []
    for word in words:
        file, equals, place = word.partition("=")
        if not file or (equals and not place) or ".." in place.split("/"):
            raise UsageError(f"--push {word}: write FILE or FILE=DEVICE_PATH")
        pushed.append(Pushed(Path(file), place or None))
    return tuple(pushed)


def find_program(program: str, cwd: Path | None = None) -> Path:
    """The file that a shell would run for `program`. Raises `UsageError` with the reason."""
    if "/" not in program:
        found = shutil.which(program)
        if found is not None:
            return Path(found)
        here = Path(cwd or ".") / program
        if here.is_dir():
            raise UsageError(
                f"{program} is a directory, not a program: give the program's path"
            )
        if here.is_file():
            _refuse_source(here)
            raise UsageError(f"{program} is not on PATH: write ./{program} to run the one here")
        raise UsageError(f"{program} is not on PATH: check its name, or give its path")
    path = Path(program) if cwd is None else cwd / program
    named = program if cwd is None else str(path)  # a path would lose the ./ that was written
    if not path.exists():
        raise UsageError(f"{named}: there is no such program")
    if path.is_dir():
        raise UsageError(f"{named} is a directory, not a program")
    if not os.access(path, os.X_OK):
        _refuse_source(path)
        raise UsageError(f"{named} is not executable: chmod +x {named}")
    try:
        with path.open("rb") as stream:
            head = stream.read(4)
    except PermissionError:
        return path  # executable but not readable: the kernel runs it all the same
    if not head.startswith((_ELF, b"#!")):
        raise UsageError(f"{named} is neither an ELF program nor a script with a #! line")
    return path


def _refuse_source(path: Path) -> None:
    if path.suffix.casefold() in _SOURCES:
        raise UsageError(
            f"{path} is a source file: compile it, with -g for lines, and record the program"
        )


def parse_environment(words: Sequence[str]) -> dict[str, str]:
    """`NAME=VALUE` words as a mapping. Raises `UsageError` for anything else."""
    environment: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise UsageError(f"--env {word}: write NAME=VALUE")
        environment[name] = value
    return environment
