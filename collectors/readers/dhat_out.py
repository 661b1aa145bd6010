"""DHAT's output: every place that allocates, with its blocks' lifetimes and accesses.

Format: Valgrind's dhat/dh_main.c and dh_view.js, `dhatFileVersion` 2 (1 has the same fields
with other words around them). The file is JSON, but names are escaped by halves, and a cut
file is no JSON at all: then the places that are whole are picked out one by one.
"""

import json
import re
from array import array
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from collectors.errors import ParseError
from collectors.records.heap import (
    AllocPoint,
    AllocSites,
    AllocTree,
    HeapProcess,
    HeapProfile,
    HeapSnapshot,
    TreeKind,
)
from collectors.records.shared import Damage, Frame

MAGIC = re.compile(rb'\s*\{\s*"dhatFileVersion"\s*:\s*(\d{1,9})')
_KNOWN_VERSIONS = (1, 2)
_COLUMNS = {
    "tb": "total_bytes",
    "tbk": "total_blocks",
    "tl": "lifetime",
    "mb": "max_bytes",
    "mbk": "max_blocks",
    "gb": "peak_bytes",
    "gbk": "peak_blocks",
    "eb": "end_bytes",
    "ebk": "end_blocks",
    "rb": "read_bytes",
    "wb": "written_bytes",
}
_UNITS = {"instrs": "i", "bytes": "B", "ms": "ms", "µs": "µs"}
_FRAME = re.compile(r"(0x[0-9A-Fa-f]{1,16}): (.*)", re.DOTALL)
_PLACE = re.compile(rb'\{\s*"tb"\s*:[^{}"]*(?:"[a-z]{1,4}"[^{}"]*)*\}')
_FIELD = re.compile(rb'"(cmd|mode|tu|pid|te|tg)"\s*:\s*("(?:[^"\\\n]|\\.)*"|\d{1,18})')
_STRING = re.compile(rb'\n[\s,\[]*"((?:[^"\\\n]|\\.)*)"')
_MOST = (1 << 63) - 1
_MOST_DAMAGE = 20
_ROOT = AllocPoint("(heap allocation functions) malloc/new/new[], --alloc-fns, etc.")


def parse_dhat(file: Path) -> HeapProfile:
    """Read one file. Raises `ParseError` when there is no place in it to use."""
    return parse_content(file.read_bytes(), file.name)


def parse_content(content: bytes, source: str) -> HeapProfile:
    """Read the bytes of one file; `source` is its name in messages."""
    head = MAGIC.match(content)
    if head is None:
        raise ParseError(source, 'it does not begin with {"dhatFileVersion"')
    damage: list[Damage] = []
    version = int(head[1])
    if version not in _KNOWN_VERSIONS:
        damage.append(
            Damage(source, f"version {version} is not known here", "it is read as version 2")
        )
    try:
        whole: object = json.loads(content.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        whole = _pieces(content, source, damage)
    if not isinstance(whole, dict):
        raise ParseError(source, "its JSON is no object")
    return _Reading(cast("dict[str, Any]", whole), source, damage).profile()


def _pieces(content: bytes, source: str, damage: list[Damage]) -> dict[str, Any]:
    """What can be used of a file that is no whole JSON."""
    names_at = content.find(b'"ftbl"')
    end = names_at if names_at >= 0 else len(content)
    places: list[object] = []
    position = 0
    for found in _PLACE.finditer(content, 0, end):
        position = found.end()
        try:
            places.append(json.loads(found[0]))
        except ValueError:
            continue
    damage.append(
        Damage(
            source,
            "it is no whole JSON: cut, or a name in it is not escaped",
            "places and names are those that are whole"
            if names_at >= 0
            else "the names are missing, and the places after this one",
            line=content[:position].count(b"\n") + 1,
        )
    )
    whole: dict[str, Any] = {"pps": places}
    for found in _FIELD.finditer(content, 0, min(end, 1 << 20)):
        try:
            whole.setdefault(found[1].decode(), json.loads(found[2], strict=False))
        except ValueError:
            continue
    names = _STRING.findall(content, names_at) if names_at >= 0 else []
    whole["ftbl"] = [name.decode("utf-8", "replace").replace('\\"', '"') for name in names]
    return whole


class _Reading:
    """A file's JSON, taken for what it is, with what is not as it should be left out."""

    def __init__(self, whole: Mapping[str, Any], source: str, damage: list[Damage]) -> None:
        self._whole = whole
        self._source = source
        self._damage = damage
        names = whole.get("ftbl")
        self._points = [
            _point(name) if isinstance(name, str) else AllocPoint("???")
            for name in cast("list[object]", names if isinstance(names, list) else [])
        ]
        self._stacks: list[tuple[int, ...]] = []
        self._columns: dict[str, array[int]] = {}
        self._accesses: dict[int, list[tuple[int, int]]] = {}

    def profile(self) -> HeapProfile:
        places = self._whole.get("pps")
        if not isinstance(places, list):
            raise ParseError(self._source, "no places in it (`pps`): cut at once, or no DHAT")
        left_out = 0
        for place in cast("list[object]", places):
            if not isinstance(place, dict) or not self._add(cast("dict[str, object]", place)):
                left_out += 1
        if left_out:
            self._complain(f"{left_out:,} places that are not whole", "they are left out")
        columns = {name: memoryview(column) for name, column in self._columns.items()}
        sites = AllocSites(
            [tuple(self._frames(stack)) for stack in self._stacks], columns, self._accesses
        )
        mode = self._text("mode") or "heap"
        snapshots, trees = self._snapshots(columns) if mode == "heap" else ([], {})
        command = self._text("cmd")
        return HeapProfile(
            snapshots=tuple(snapshots),
            time_unit=_UNITS.get(self._text("tu") or "", self._text("tu") or "i"),
            process=HeapProcess(pid=self._number("pid"), command=command),
            load_tree=trees.get,
            damage=tuple(self._damage),
            sites=sites,
            measures=mode,
        )

    def _snapshots(
        self, columns: "Mapping[str, memoryview[int]]"
    ) -> tuple[list[HeapSnapshot], dict[int, AllocTree]]:
        """The heap at its peak and at the program's end."""
        snapshots: list[HeapSnapshot] = []
        trees: dict[int, AllocTree] = {}
        for time, name, kind in (
            ("tg", "peak_bytes", TreeKind.PEAK),
            ("te", "end_bytes", TreeKind.DETAILED),
        ):
            moment = self._number(time)
            if moment is None or name not in columns:
                continue
            total = sum(columns[name])
            if total > _MOST:
                self._complain("a sum that no 64 bits hold", f"no {name} are given")
                continue
            trees[len(snapshots)] = self._tree(columns[name])
            snapshots.append(HeapSnapshot(len(snapshots), moment, total, 0, 0, kind))
        return snapshots, trees

    def _tree(self, column: "memoryview[int]") -> AllocTree:
        """Stacks with a common beginning, joined; the nodes with the most bytes first."""
        children: list[dict[int, int]] = [{}]
        sizes = [0]
        names = [-1]
        for stack, size in zip(self._stacks, column, strict=True):
            if size <= 0:
                continue
            sizes[0] += size
            node = 0
            for name in stack:
                below = children[node].get(name)
                if below is None:
                    below = children[node][name] = len(sizes)
                    children.append({})
                    sizes.append(0)
                    names.append(name)
                sizes[below] += size
                node = below
        depth, bytes_, point = array("i"), array("q"), array("i")
        todo = [(0, 0)]
        while todo:
            node, level = todo.pop()
            depth.append(level)
            bytes_.append(sizes[node])
            point.append(names[node] if names[node] >= 0 else len(self._points))
            below_it = sorted(children[node].values(), key=lambda child: sizes[child])
            todo.extend((child, level + 1) for child in below_it)
        return AllocTree(
            memoryview(depth), memoryview(bytes_), memoryview(point), [*self._points, _ROOT]
        )

    def _add(self, place: Mapping[str, object]) -> bool:
        """Add a place; False where it is not whole."""
        numbers: dict[str, int] = {}
        for key, name in _COLUMNS.items():
            value = place.get(key)
            if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST:
                numbers[name] = value
        stack = _integers(place.get("fs"))
        if "total_bytes" not in numbers or stack is None:
            return False
        if any(not 0 <= index < len(self._points) for index in stack):
            if self._points:
                return False
            stack = []
        index = len(self._stacks)
        for name, value in numbers.items():
            column = self._columns.setdefault(name, array("q"))
            column.extend([0] * (index - len(column)))
            column.append(value)
        self._stacks.append(tuple(stack))
        for column in self._columns.values():
            column.extend([0] * (index + 1 - len(column)))
        runs = _integers(place.get("acc"))
        if runs:
            self._accesses[index] = list(_runs(runs))
        return True

    def _frames(self, stack: Sequence[int]) -> Iterable[Frame]:
        for index in stack:
            point = self._points[index]
            if point.frame is not None:
                yield point.frame

    def _complain(self, what: str, effect: str) -> None:
        if len(self._damage) < _MOST_DAMAGE:
            self._damage.append(Damage(self._source, what, effect))

    def _text(self, key: str) -> str | None:
        value = self._whole.get(key)
        return value if isinstance(value, str) else None

    def _number(self, key: str) -> int | None:
        value = self._whole.get(key)
        usable = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _MOST
        return value if usable else None


def _integers(value: object) -> list[int] | None:
    if not isinstance(value, list):
        return None
    found = cast("list[object]", value)
    if not all(isinstance(item, int) and abs(item) <= _MOST for item in found):
        return None
    return cast("list[int]", found)


def _runs(numbers: Sequence[int]) -> Iterable[tuple[int, int]]:
    """Accesses of the block's bytes: `-8, 3` says 3 accesses for each of 8 bytes."""
    repeat = 1
    for number in numbers:
        if number < 0:
            repeat = -number
        else:
            yield repeat, number
            repeat = 1


def _point(name: str) -> AllocPoint:
    found = _FRAME.fullmatch(name)
    if found is None:
        return AllocPoint(name)
    address, text = int(found[1], 16), found[2]
    inside = text.rfind(" (in ")
    if inside >= 0 and text.endswith(")"):
        return AllocPoint(
            name, Frame(address, _known(text[:inside]), obj=text[inside + 5 : -1])
        )
    place = text.rfind(" (")
    if place >= 0 and text.endswith(")"):
        file, colon, line = text[place + 2 : -1].rpartition(":")
        if colon and line.isascii() and line.isdigit() and len(line) < 10:
            frame = Frame(address, _known(text[:place]), file=file, line=int(line))
            return AllocPoint(name, frame)
    return AllocPoint(name, Frame(address, _known(text)))


def _known(name: str) -> str | None:
    return None if name == "???" else name
