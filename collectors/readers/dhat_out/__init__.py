"""DHAT's output: every place that allocates, with its blocks' lifetimes and accesses.

Format: Valgrind's dhat/dh_main.c and dh_view.js, `dhatFileVersion` 2 (1 has the same fields
with other words around them). The file is JSON, but names are escaped by halves, and a cut
file is no JSON at all: then the places that are whole are picked out one by one.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

from collectors.errors import ParseError
from collectors.readers.dhat_out.names import names_in_lines, parse_name, whole_letters
from collectors.readers.dhat_out.places import Places
from collectors.readers.dhat_out.trees import tree_of
from collectors.records.heap import HeapProcess, HeapProfile, HeapSnapshot, TreeKind
from collectors.records.shared import Damage

MAGIC = re.compile(rb'\s*\{\s*"dhatFileVersion"\s*:\s*(\d{1,9})')
_KNOWN_VERSIONS = (1, 2)
_UNITS = {"instrs": "i", "bytes": "B", "ms": "ms", "µs": "µs"}
# As Valgrind writes them, each on lines of their own.
_PLACES = b'\n,"pps":'
_NEXT_PLACE = b"\n ,{"
_NAMES = b'\n,"ftbl":'
_PLACE = re.compile(rb'\{\s*+"tb"\s*+:[^{}"]*+(?:"[a-z]{1,4}"[^{}"]*+)*+\}')
_BETWEEN = re.compile(rb"[\s:,\[\]]++")
_FIELD = re.compile(rb'"(cmd|mode|tu|pid|te|tg)"\s*:\s*("(?:[^"\\\n]|\\.)*"|\d{1,18})')
_MOST = (1 << 63) - 1
_MOST_DAMAGE = 20
_CHUNK_BYTES = 1 << 18  # of places, read at a time: as objects they are ten times as large


def parse_dhat(file: Path) -> HeapProfile:
    """Read one file. Raises `ParseError` when there is no place in it to use."""
    return parse_content(file.read_bytes(), file.name)


def parse_content(content: bytes, source: str) -> HeapProfile:
    """Read the bytes of one file; `source` is its name in messages."""
    found = MAGIC.match(content)
    if found is None:
        raise ParseError(source, 'it does not begin with {"dhatFileVersion"')
    reading = _Reading(content, source)
    version = int(found[1])
    if version not in _KNOWN_VERSIONS:
        reading.complain(f"version {version} is not known here", "it is read as version 2")
    begin = content.find(_PLACES)
    if begin >= 0:
        reading.as_written(begin)
    elif (whole := _object(content)) is not None:
        reading.as_json(whole)
    else:
        reading.in_pieces()
    return reading.profile()


class _Reading:
    """One file: what is not as it should be is left out, and said."""

    def __init__(self, content: bytes, source: str) -> None:
        self._content = content
        self._source = source
        self._damage: list[Damage] = []
        self._head: Mapping[str, object] = {}
        self._places = Places((), names_are_whole=False)

    def as_written(self, begin: int) -> None:
        """A file in Valgrind's own layout, whose places begin at `begin`."""
        end = self._content.find(_NAMES, begin)
        self._read_names(end)
        head = _object(self._content[:begin] + b"}")
        if head is None:
            self.complain("its head is no JSON", "of that, what is whole is read", at=0)
            head = self._fields(begin)
        self._head = head
        start, last = begin + len(_PLACES), len(self._content) if end < 0 else end
        broken = last
        while start < last:
            after = self._content.find(_NEXT_PLACE, start + _CHUNK_BYTES, last)
            stop = last if after < 0 else after
            text = self._content[start:stop].lstrip(b"[, \r\n")
            try:
                self._places.add(json.loads(b"[" + text + (b"]" if after >= 0 else b"")))
            except (ValueError, RecursionError):
                broken = self._add_whole_ones(start, stop)
                if end >= 0 or after >= 0:
                    what, effect = "a place that is no JSON", "those around it are read"
                    self.complain(what, effect, at=broken)
            start = stop
        if end < 0:
            self.complain(
                "the file ends among its places",
                "the names are missing, and the places from here on",
                at=broken,
            )

    def as_json(self, whole: Mapping[str, object]) -> None:
        """A file that something else wrote anew."""
        places, names = whole.get("pps"), whole.get("ftbl")
        if not isinstance(places, list):
            raise ParseError(self._source, "no places in it (`pps`): cut at once, or no DHAT")
        self._head = whole
        if isinstance(names, list):
            self._name(cast("list[object]", names))
        self._places.add(cast("list[object]", places))

    def in_pieces(self) -> None:
        """What can be used of a file that is no whole JSON, nor as Valgrind writes it."""
        names_at = self._content.find(b'"ftbl"')
        end = len(self._content) if names_at < 0 else names_at
        self._read_names(names_at)
        self._head = self._fields(end)
        key = self._content.find(b'"pps"', 0, end)
        broken = self._add_whole_ones(0 if key < 0 else key + len(b'"pps"'), end)
        self.complain(
            "it is no whole JSON: cut, or something in it is not escaped",
            "what is whole is read",
            at=broken,
        )

    def profile(self) -> HeapProfile:
        left_out = self._places.left_out
        if left_out:
            self.complain(f"{left_out:,} places that are not whole", "they are left out")
        sites = self._places.sites()
        mode, unit = self._text("mode") or "heap", self._text("tu") or "i"
        moments = list(self._moments(sites.columns)) if mode == "heap" else []
        return HeapProfile(
            snapshots=tuple(snapshot for snapshot, _ in moments),
            time_unit=_UNITS.get(unit, unit),
            process=HeapProcess(pid=self._number("pid"), command=self._text("cmd")),
            load_tree=lambda position: tree_of(sites, moments[position][1]),
            damage=tuple(self._damage),
            sites=sites,
            measures=mode,
        )

    def complain(self, what: str, effect: str, *, at: int | None = None) -> None:
        if len(self._damage) < _MOST_DAMAGE:
            line = None if at is None else self._content.count(b"\n", 0, at) + 1
            self._damage.append(Damage(self._source, what, effect, line=line))

    def _moments(
        self, columns: "Mapping[str, memoryview[int]]"
    ) -> "Iterator[tuple[HeapSnapshot, memoryview[int]]]":
        """The heap at its peak and at the program's end, and what each place had then."""
        number = 0
        for time, name, kind in (
            ("tg", "peak_bytes", TreeKind.PEAK),
            ("te", "end_bytes", TreeKind.DETAILED),
        ):
            moment = self._number(time)
            if moment is None or name not in columns:
                continue
            total = sum(columns[name])
            if total > _MOST:
                self.complain("a sum that no 64 bits hold", f"no {name} are given")
                continue
            yield HeapSnapshot(number, moment, total, 0, 0, kind), columns[name]
            number += 1

    def _read_names(self, begin: int) -> None:
        """The list of names, which is the file's last part; `begin` is before its key."""
        if begin < 0:
            return
        text = self._content[begin:].lstrip(b"\n,")
        whole = _object(b"{" + text)
        names = None if whole is None else whole.get("ftbl")
        if isinstance(names, list):
            self._name(cast("list[object]", names))
            return
        self.complain(
            "the list of names is no JSON: cut, or a name in it is not escaped",
            "names are read line by line; stacks end before one that is missing",
            at=begin + 1,
        )
        self._name(names_in_lines(text[len(b'"ftbl":') :]), are_whole=False)

    def _name(self, names: Sequence[object], *, are_whole: bool = True) -> None:
        points = [parse_name(name) for name in names]
        self._places = Places(points, names_are_whole=are_whole)

    def _add_whole_ones(self, start: int, stop: int) -> int:
        """Add the places that stand whole; returns where the first stands that does not."""
        broken, position = -1, self._after_separators(start)
        for found in _PLACE.finditer(self._content, start, stop):
            try:
                self._places.add([json.loads(found[0])])
            except ValueError:
                continue
            if position < found.start() and broken < 0:
                broken = position
            position = self._after_separators(found.end())
        return position if broken < 0 else broken

    def _after_separators(self, position: int) -> int:
        found = _BETWEEN.match(self._content, position)
        return position if found is None else found.end()

    def _fields(self, end: int) -> dict[str, object]:
        """Facts of a head that is no JSON."""
        fields: dict[str, object] = {}
        for found in _FIELD.finditer(self._content, 0, min(end, 1 << 20)):
            try:
                fields.setdefault(found[1].decode(), json.loads(found[2], strict=False))
            except ValueError:
                continue
        return fields

    def _text(self, key: str) -> str | None:
        value = self._head.get(key)
        return whole_letters(value) if isinstance(value, str) else None

    def _number(self, key: str) -> int | None:
        value = self._head.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _MOST:
            return value
        return None


def _object(content: bytes) -> dict[str, object] | None:
    try:
        found: object = json.loads(content.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, object]", found) if isinstance(found, dict) else None
