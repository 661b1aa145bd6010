"""Massif's output file: heap size over time, and allocation trees.

Format: Valgrind manual, "Massif", `--massif-out-file`. The table of snapshots is read at
once; a tree is read when it is asked for, from the place in the file where it stands. What
`--xtree-memory` writes has the same grammar, with a quantity in each snapshot's place.
"""

import mmap
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from collectors.errors import ParseError
from collectors.readers.massif_out.quantities import quantity_of, sites_of
from collectors.readers.massif_out.trees import Content, Trees
from collectors.records.heap import HeapProcess, HeapProfile, HeapSnapshot, TreeKind
from collectors.records.shared import Damage

_BEGIN = b"\nsnapshot="
_SNAPSHOT = re.compile(
    rb"\nsnapshot=(\d{1,18})\r*\n"
    rb"#-+\r*\n"
    rb"time=(-?\d{1,18})\r*\n"
    rb"mem_heap_B=(\d{1,18})\r*\n"
    rb"mem_heap_extra_B=(\d{1,18})\r*\n"
    rb"mem_stacks_B=(\d{1,18})\r*\n"
    rb"heap_tree=(empty|detailed|peak)\r*(?:\n|$)"
)
_PAGES = b"(page allocation syscalls)"
_HEADER_BYTES = 1 << 20
_ROOT_BYTES = 200
_CHUNK_BYTES = 1 << 18
_FEW_LETTERS = 500  # in a chunk
_MOST_DAMAGE = 20
# Trees of smaller files are all held against their own counts at once, those of larger ones
# when their tables are written.
_CHECKED_BYTES = 2_000_000


def parse_massif(file: Path) -> HeapProfile:
    """Read one output file. Raises `ParseError` when there is no snapshot in it to use."""
    with file.open("rb") as stream:
        if not file.stat().st_size:
            raise ParseError(file.name, "the file is empty")
        content = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    return parse_content(content, file.name)


def parse_content(content: Content, source: str) -> HeapProfile:
    """Read the bytes of one output file; `source` is its name in messages."""
    begins = list(_begins(content))
    found = (_SNAPSHOT.match(content, begin) for begin in begins)
    matches = [match for match in found if match is not None]
    if not matches:
        raise ParseError(source, "no whole snapshot: not a Massif output, or cut at once")
    second = _second_output(content, matches)
    if second is not None:
        first = parse_content(content[:second], source)
        what = "the output of another run begins here"
        effect = "it is left out: import each in a file of its own"
        line = content[:second].count(b"\n") + 1
        return replace(first, damage=(*first.damage, Damage(source, what, effect, line=line)))
    header = _header(content[: min(matches[0].start(), _HEADER_BYTES)])
    if "time_unit" not in header:
        raise ParseError(source, "no `time_unit:` line before the first snapshot")
    snapshots = [
        HeapSnapshot(
            int(m[1]), int(m[2]), int(m[3]), int(m[4]), int(m[5]), TreeKind(m[6].decode())
        )
        for m in matches
    ]
    ends = _ends(content, begins, matches)
    trees = Trees(
        content,
        {
            i: (m.end(), end)
            for i, (m, end) in enumerate(zip(matches, ends, strict=True))
            if m[6] != b"empty"
        },
    )
    roots = [content[m.end() : m.end() + _ROOT_BYTES].split(b"\n", 1)[0] for m in matches]
    damage = list(_damaged_snapshots(content, begins, matches, source))
    checked = range(len(snapshots)) if len(content) < _CHECKED_BYTES else [len(snapshots) - 1]
    damage += damaged_trees(snapshots, trees, checked, source)
    unchecked = _Unchecked(snapshots, trees, source) if len(checked) == 1 else None
    process = HeapProcess(command=header.get("cmd"), description=header.get("desc"))
    quantities = [quantity_of(root) for root in roots]
    if any(quantities):
        heap = [i for i, name in enumerate(quantities) if name == "curB"]
        return HeapProfile(
            snapshots=[snapshots[i] for i in heap],
            time_unit=header["time_unit"],
            process=process,
            load_tree=lambda position: trees.load(heap[position]),
            damage=tuple(damage),
            sites=sites_of(quantities, trees),
            unchecked=unchecked,
        )
    return HeapProfile(
        snapshots=tuple(snapshots),
        time_unit=header["time_unit"],
        process=process,
        pages=any(_PAGES in root for root in roots)
        or "--pages-as-heap=yes" in header.get("desc", ""),
        load_tree=trees.load,
        damage=tuple(damage),
        unchecked=unchecked,
    )


def _begins(content: Content) -> Iterator[int]:
    """Where snapshots begin.

    Trees are nearly the whole file, and `=` is rare in them: the C library finds one letter
    several times as fast as a word. Where there are many of it the word is looked for.
    """
    overlap = len(_BEGIN) - 1
    for start in range(0, len(content), _CHUNK_BYTES):
        chunk = content[start : start + _CHUNK_BYTES + overlap]
        letters = 0
        end = chunk.find(b"=")
        while end >= 0 and letters < _FEW_LETTERS:
            letters += 1
            if chunk.endswith(_BEGIN, 0, end + 1):
                yield start + end - overlap
            end = chunk.find(b"=", end + 1)
        position = -1 if end < 0 else chunk.find(_BEGIN, max(0, end - overlap))
        while position >= 0:
            yield start + position
            position = chunk.find(_BEGIN, position + len(_BEGIN))


def _second_output(content: Content, matches: Sequence[re.Match[bytes]]) -> int | None:
    """Where a second output begins in the same file: a head, and numbers from 0 again."""
    for before, match in pairwise(matches):
        if int(match[1]) <= int(before[1]):
            head = content.rfind(b"\ndesc:", before.end() - 1, match.start())
            if head >= 0:
                return head + 1
    return None


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


def _ends(
    content: Content, begins: Sequence[int], matches: Sequence[re.Match[bytes]]
) -> Iterator[int]:
    """Where each snapshot's tree ends: at the line before the next snapshot, whole or not."""
    following = iter([*begins[1:], -1])
    next_of = dict(zip(begins, following, strict=True))
    for match in matches:
        begin = next_of[match.start()]
        if begin < 0:
            yield len(content)
        else:
            rule = content.rfind(b"\n#", match.end() - 1, begin)
            yield begin if rule < 0 else rule + 1


def _damaged_snapshots(
    content: Content,
    begins: Sequence[int],
    matches: Sequence[re.Match[bytes]],
    source: str,
) -> Iterator[Damage]:
    """Snapshots that begin but are not whole: the file was cut or mangled there."""
    whole = {match.start() for match in matches}
    broken = [begin for begin in begins if begin not in whole]
    for begin in broken[:_MOST_DAMAGE]:
        at_end = begin == begins[-1]
        yield Damage(
            source,
            "the file ends inside a snapshot" if at_end else "a snapshot that is not whole",
            "the snapshot is left out",
            line=content[: begin + 1].count(b"\n") + 1,
        )
    if len(broken) > _MOST_DAMAGE:
        more = len(broken) - _MOST_DAMAGE
        yield Damage(source, f"{more:,} more snapshots that are not whole", "they are left out")


def damaged_trees(
    snapshots: Sequence[HeapSnapshot], trees: Trees, positions: Sequence[int], source: str
) -> Iterator[Damage]:
    """Trees that are not what they say of themselves, among the snapshots at `positions`."""
    found = 0
    for position in positions:
        snapshot = snapshots[position]
        if snapshot.tree is TreeKind.EMPTY:
            continue
        tree, whole = trees.load_checked(position)
        if whole and tree is not None and tree.bytes[0] != snapshot.heap_bytes:
            what = (
                f"the tree of snapshot {snapshot.index} holds {tree.bytes[0]:,} bytes, "
                f"the snapshot {snapshot.heap_bytes:,}"
            )
        elif not whole and position == len(snapshots) - 1:
            what = f"the file ends inside the tree of snapshot {snapshot.index}"
        elif not whole:
            what = f"the tree of snapshot {snapshot.index} is not whole"
        else:
            continue
        found += 1
        if found > _MOST_DAMAGE:
            return
        yield Damage(source, what, "the snapshot's sizes are right, its tree may miss nodes")


class _Unchecked:
    """Checks the trees that were not, at reading, for want of time."""

    def __init__(self, snapshots: Sequence[HeapSnapshot], trees: Trees, source: str) -> None:
        self._snapshots = snapshots
        self._trees = trees
        self._source = source

    def __call__(self) -> tuple[Damage, ...]:
        positions = range(len(self._snapshots) - 1)
        return tuple(damaged_trees(self._snapshots, self._trees, positions, self._source))
