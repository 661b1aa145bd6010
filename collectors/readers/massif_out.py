"""Massif's output file: heap size over time, and allocation trees.

Format: Valgrind manual, "Massif", `--massif-out-file`. The table of snapshots is read at
once; a tree is read when it is asked for, from the place in the file where it stands.
"""

import mmap
import re
from array import array
from collections.abc import Iterator
from pathlib import Path

from collectors.errors import ParseError
from collectors.records.heap import (
    AllocPoint,
    AllocTree,
    HeapProcess,
    HeapProfile,
    HeapSnapshot,
    TreeKind,
)
from collectors.records.shared import Damage, Frame

_SNAPSHOT = re.compile(
    rb"#-+\r*\n"
    rb"snapshot=(\d{1,19})\r*\n"
    rb"#-+\r*\n"
    rb"time=(-?\d{1,19})\r*\n"
    rb"mem_heap_B=(\d{1,20})\r*\n"
    rb"mem_heap_extra_B=(\d{1,20})\r*\n"
    rb"mem_stacks_B=(\d{1,20})\r*\n"
    rb"heap_tree=(empty|detailed|peak)\r*(?:\n|$)"
)
_BEGIN = re.compile(rb"^snapshot=", re.MULTILINE)
_NODE = re.compile(rb"( *)n(\d+): (\d+) ([^\r\n]*)\r*\n?")
_PLACE = re.compile(r"(0x[0-9A-Fa-f]+): (.*)", re.DOTALL)
_SOURCE = re.compile(r"(.*) \(([^()]*|.*):(\d+)\)", re.DOTALL)
_OBJECT = re.compile(r"(.*) \(in (.*)\)", re.DOTALL)
_BELOW = re.compile(r"in (\d+) places?, (?:all )?below massif's threshold")
_PAGES = "(page allocation syscalls)"
_HEADER_BYTES = 1 << 20
_MOST_DEPTH = 10_000


def parse_massif(file: Path) -> HeapProfile:
    """Read one output file. Raises `ParseError` when there is no snapshot in it to use."""
    with file.open("rb") as stream:
        if not file.stat().st_size:
            raise ParseError(file.name, "the file is empty")
        content = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    return parse_content(content, file.name)


def parse_content(content: "mmap.mmap | bytes", source: str) -> HeapProfile:
    """Read the bytes of one output file; `source` is its name in messages."""
    matches = list(_SNAPSHOT.finditer(content))
    if not matches:
        raise ParseError(source, "no whole snapshot: not a Massif output, or cut at once")
    header = _header(content[: min(matches[0].start(), _HEADER_BYTES)])
    if "time_unit" not in header:
        raise ParseError(source, "no `time_unit:` line before the first snapshot")
    snapshots = tuple(
        HeapSnapshot(
            int(m[1]),
            int(m[2]),
            int(m[3]),
            int(m[4]),
            int(m[5]),
            TreeKind(m[6].decode("ascii")),
        )
        for m in matches
    )
    damage = list(_damaged_snapshots(content, matches, source))
    ends = [m.start() for m in matches[1:]] + [len(content)]
    trees = _Trees(content, {m_i: (m.end(), ends[m_i]) for m_i, m in enumerate(matches)})
    last = snapshots[-1]
    if last.tree is not TreeKind.EMPTY and not trees.is_whole(len(snapshots) - 1):
        damage.append(
            Damage(
                source,
                f"the file ends inside the tree of snapshot {last.index}",
                "its sizes are right, its tree is not whole",
                line=_line_of(content, len(content)),
            )
        )
    root = next((content[m.end() : m.end() + 200] for m in matches if m[6] != b"empty"), b"")
    return HeapProfile(
        snapshots=snapshots,
        time_unit=header["time_unit"],
        process=HeapProcess(command=header.get("cmd"), description=header.get("desc")),
        pages=_PAGES.encode() in root.split(b"\n", 1)[0]
        or "--pages-as-heap=yes" in header.get("desc", ""),
        load_tree=trees.load,
        damage=tuple(damage),
    )


def _header(raw: bytes) -> dict[str, str]:
    header: dict[str, str] = {}
    key = ""
    for line in raw.decode("utf-8", "replace").splitlines():
        name, colon, value = line.partition(":")
        if colon and name in {"desc", "cmd", "time_unit"} and name not in header:
            key = name
            header[key] = value.strip()
        elif key == "cmd":
            header[key] += "\n" + line  # an argument with a line break
    return header


def _damaged_snapshots(
    content: "mmap.mmap | bytes", matches: list[re.Match[bytes]], source: str
) -> Iterator[Damage]:
    """Snapshots that begin but are not whole: the file was cut or mangled there."""
    whole = {m.start(1) - len(b"snapshot=") for m in matches}
    for begin in _BEGIN.finditer(content):
        if begin.start() not in whole:
            at_end = content.find(b"snapshot=", begin.end()) < 0
            yield Damage(
                source,
                "the file ends inside a snapshot" if at_end else "a snapshot that is not whole",
                "the snapshot is left out",
                line=_line_of(content, begin.start()),
            )


def _line_of(content: "mmap.mmap | bytes", position: int) -> int:
    return content[:position].count(b"\n") + 1


class _Trees:
    """Reads the trees of one file; labels are shared between them."""

    def __init__(self, content: "mmap.mmap | bytes", spans: dict[int, tuple[int, int]]) -> None:
        self._content = content
        self._spans = spans
        self._ids: dict[bytes, int] = {}
        self._points: list[AllocPoint] = []

    def load(self, position: int) -> AllocTree | None:
        """The tree of the snapshot at `position` of the profile's list."""
        span = self._spans.get(position)
        if span is None:
            return None
        depth, sizes, point = array("i"), array("q"), array("i")
        for match in _NODE.finditer(self._content, *span):
            label = match[4]
            if len(match[1]) > _MOST_DEPTH or len(match[3]) > 18:
                continue
            number = self._ids.get(label)
            if number is None:
                number = self._ids[label] = len(self._points)
                self._points.append(parse_label(label.decode("utf-8", "replace")))
            depth.append(len(match[1]))
            sizes.append(int(match[3]))
            point.append(number)
        if not depth:
            return None
        return AllocTree(memoryview(depth), memoryview(sizes), memoryview(point), self._points)

    def is_whole(self, position: int) -> bool:
        """Whether every node has as many children as it says."""
        start, end = self._spans[position]
        open_children: list[int] = []
        for match in _NODE.finditer(self._content, start, end):
            depth = len(match[1])
            if depth > len(open_children) or (depth == 0 and open_children):
                return False
            if any(open_children[depth:]):
                return False
            del open_children[depth:]
            if depth:
                if not open_children[-1]:
                    return False
                open_children[-1] -= 1
            open_children.append(int(match[2]))
        return bool(open_children) and not any(open_children)


def parse_label(label: str) -> AllocPoint:
    """A node's label as Massif writes it: `0xADDR: fn (file:line)` and its kin."""
    place = _PLACE.fullmatch(label)
    if place is None:
        below = _BELOW.match(label)
        return AllocPoint(label, places=int(below[1]) if below else None)
    address, rest = int(place[1], 16), place[2]
    inside = _OBJECT.fullmatch(rest)
    if inside is not None:
        return AllocPoint(label, Frame(address, _known(inside[1]), obj=inside[2]))
    source = _SOURCE.fullmatch(rest)
    if source is not None:
        return AllocPoint(
            label, Frame(address, _known(source[1]), file=source[2], line=int(source[3]))
        )
    return AllocPoint(label, Frame(address, _known(rest)))


def _known(name: str) -> str | None:
    return None if name == "???" else name
