"""Small values that every shape of profile uses."""

from dataclasses import dataclass
from enum import StrEnum


class Shape(StrEnum):
    """The four shapes of profile."""

    ERRORS = "errors"
    COST = "cost"
    HEAP = "heap"
    SAMPLES = "samples"


GONE = "the file is gone"  # what is said of results that were recorded, and are not there


@dataclass(frozen=True, slots=True)
class Damage:
    """A part of a tool's output that could not be read as it was meant.

    `what` names the fault, `effect` what the figures miss because of it. At least one of
    `line` (1-based) and `byte` (0-based) says where, unless the whole file is meant.
    """

    file: str
    what: str
    effect: str
    line: int | None = None
    byte: int | None = None
    whole: bool = False  # nothing of the file could be used

    def __str__(self) -> str:
        where = (
            f":{self.line}"
            if self.line is not None
            else f": byte {self.byte}"
            if self.byte is not None
            else ""
        )
        return f"{self.file}{where}: {self.what}; {self.effect}"


@dataclass(frozen=True, slots=True)
class Frame:
    """One entry of a stack. None means that the tool did not know, never the empty string.

    `ip` is the address in the run's memory. `fn`, `obj`, `file`, `line` and `dir` are
    Valgrind's own names for function, object file, source file, line and its directory.
    Inlined calls are frames of their own with the `ip` of the frame that holds them.
    """

    ip: int | None
    fn: str | None = None
    obj: str | None = None
    dir: str | None = None
    file: str | None = None
    line: int | None = None

    @classmethod
    def from_place(cls, ip: int, place: str) -> "Frame":
        """What `fn (file:line)` or `fn (in /object)` says; names may hold brackets, too."""
        inside = place.rfind(" (in ")
        if inside >= 0 and place.endswith(")"):
            return cls(ip, _known(place[:inside]), obj=_known(place[inside + 5 : -1]))
        where = place.rfind(" (")
        if where >= 0 and place.endswith(")"):
            file, _, line = place[where + 2 : -1].rpartition(":")
            if file and line.isascii() and line.isdigit() and len(line) < 10:
                return cls(ip, _known(place[:where]), file=file, line=int(line))
        return cls(ip, _known(place))

    @property
    def path(self) -> str | None:
        """The source file with its directory, as far as it is known."""
        if self.file is None or self.dir is None or self.file.startswith("/"):
            return self.file
        return f"{self.dir.rstrip('/')}/{self.file}"

    @property
    def place(self) -> str:
        """`fn (file:line)` as Valgrind writes it, with what is known."""
        if self.file is not None:
            where = self.file if self.line is None else f"{self.file}:{self.line}"
        elif self.obj is not None:
            where = f"in {self.obj}"
        else:
            where = "" if self.ip is None else f"{self.ip:#x}"
        return f"{self.fn or '???'} ({where})" if where else (self.fn or "???")


def _known(name: str) -> str | None:
    return None if name in {"???", ""} else name
