"""Valgrind's suppression files, read and written.

Format: Valgrind manual, "Suppressing errors".

{
   a name
   Memcheck:Leak
   match-leak-kinds: definite
   fun:malloc
   obj:*/libfoo.so
   ...
}
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from collectors.errors import InputError, ParseError, UsageError
from profiler.visible import visible

# Where the dashboard puts what a person knows of, in the folder that it was started in.
DEFAULT_FILE = "droidgrind.supp"
PACKS = ("bionic", "art", "gpu")
ANY_FRAMES = "..."
_FRAME_WORDS = ("fun:", "obj:", "src:")
_LEAK_KINDS = "match-leak-kinds:"
# Kinds with a line of their own between kind and frames: the system call's parameter.
_WITH_DETAIL = ("Param", "CoreError")


@dataclass(frozen=True, slots=True)
class Suppression:
    """One entry. `tools` are Valgrind's names (Memcheck), `kind` such as Addr4 or Leak.

    `detail` is the system call's parameter, `leak_kinds` what follows `match-leak-kinds:`;
    `frames` are `fun:`, `obj:` and `src:` patterns (`*`, `?`) and `...`, innermost first.
    """

    name: str
    tools: tuple[str, ...]
    kind: str
    frames: tuple[str, ...]
    detail: str | None = None
    leak_kinds: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The entry as Valgrind reads it, with its last newline."""
        lines = [self.name, f"{','.join(self.tools)}:{self.kind}"]
        if self.leak_kinds:
            lines.append(f"{_LEAK_KINDS} {','.join(self.leak_kinds)}")
        if self.detail is not None:
            lines.append(self.detail)
        lines += self.frames
        return "{\n" + "".join(f"   {line}\n" for line in lines) + "}\n"


def parse_suppressions(text: str, source: str) -> tuple[Suppression, ...]:
    """The entries of a file. Raises `ParseError` with the line of what is no entry."""
    found: list[Suppression] = []
    entry: list[str] | None = None
    first = 0
    number = 0
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if entry is None:
            if line != "{":
                what = "no suppression: it must begin with { and begins with "
                what += visible(line, 40)
                raise ParseError(source, what, line=number)
            entry, first = [], number
        elif line == "}":
            found.append(_entry(entry, source, first))
            entry = None
        else:
            entry.append(line)
    if entry is not None:
        raise ParseError(source, "the file ends inside an entry", line=number)
    return tuple(found)


def _entry(lines: list[str], source: str, number: int) -> Suppression:
    if len(lines) < 3:
        raise ParseError(source, "an entry needs a name, a kind and a frame", line=number)
    name, kinds, *rest = lines
    tools, colon, kind = kinds.partition(":")
    if not colon or not tools or not kind:
        raise ParseError(source, f"expected TOOL:KIND and found {kinds[:60]!r}", line=number)
    detail: str | None = None
    leak_kinds: tuple[str, ...] = ()
    if kind in _WITH_DETAIL and not _is_frame(rest[0]):
        detail = rest.pop(0)
    elif rest[0].startswith(_LEAK_KINDS):
        words = rest.pop(0).removeprefix(_LEAK_KINDS)
        leak_kinds = tuple(word.strip() for word in words.split(","))
    wrong = next((line for line in rest if not _is_frame(line)), None)
    if wrong is not None:
        raise ParseError(
            source, f"expected fun:, obj:, src: or ... and found {wrong[:60]!r}", line=number
        )
    if not rest:
        raise ParseError(source, "an entry needs a frame", line=number)
    return Suppression(
        name,
        tuple(t.strip() for t in tools.split(",")),
        kind.strip(),
        tuple(rest),
        detail,
        leak_kinds,
    )


def _is_frame(line: str) -> bool:
    return line == ANY_FRAMES or line.startswith(_FRAME_WORDS)


def suppressions_text(entries: Iterable[Suppression]) -> str:
    return "\n".join(entry.text for entry in entries)


def suppression_file(word: str, option: str = "--suppressions") -> Path:
    """The file that a person means: a path, or the name of a pack that comes along.

    Raises `UsageError` that names `option` where there is neither.
    """
    if word in PACKS:
        return Path(str(resources.files("profiler.suppressions") / "packs" / f"{word}.supp"))
    path = Path(word)
    if not path.is_file():
        raise UsageError(
            f"{option} {word}: there is no such file (nor pack: {', '.join(PACKS)})"
        )
    return path


def read_suppressions(files: Sequence[Path]) -> tuple[Suppression, ...]:
    """All entries of some files, in order. Raises `InputError` and `ParseError`."""
    found: list[Suppression] = []
    for file in files:
        try:
            text = file.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError as error:
            raise InputError(f"{file}: {error.strerror}") from error
        found += parse_suppressions(text, str(file))
    return tuple(found)
