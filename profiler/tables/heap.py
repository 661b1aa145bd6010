"""A HeapProfile as tables: its snapshots, the nodes of all trees, and their labels.

NAME.snapshots.parquet has a row a snapshot, with where its tree begins in NAME.nodes.parquet
(-1: none); NAME.points.parquet holds the labels that nodes index, NAME.texts.parquet their
texts. A tree is a piece of the nodes' columns: nothing is copied to look at one.

Where it is known what each stack allocates, NAME.sites.parquet has a row for each, with the
columns of `AllocSites`; NAME.stacks.parquet says where each one's points begin in
NAME.stack_points.parquet, NAME.runs.parquet where its runs of accesses begin in
NAME.accesses.parquet (each with a last row that says where they end).
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any, overload

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
from profiler.tables.group import UNUSABLE, load_group, write_group
from profiler.tables.parquet import Table

SCHEMA = 1
_NONE = -(1 << 63)
_KINDS: tuple[TreeKind, ...] = tuple(TreeKind)
_SIZES = ("index", "time", "heap_bytes", "extra_bytes", "stacks_bytes")
_POINT = ("text", "ip", "fn", "obj", "dir", "file", "line", "places")


def write_heap_tables(folder: Path, name: str, raw: Path, profile: HeapProfile) -> HeapProfile:
    """Write the tables; returns the profile with the damage that was found in its trees.

    Raises `OSError`, and `OverflowError` where a column does not fit.
    """
    if profile.unchecked is not None:
        damage = profile.damage + profile.unchecked()
        profile = replace(profile, damage=damage, unchecked=None)
    snapshots = {name: array("q") for name in _SIZES}
    kinds, starts, ends = array("q"), array("q"), array("q")
    nodes = array("i"), array("q"), array("i")
    points = _Points()
    for position, snapshot in enumerate(profile.snapshots):
        for size, column in snapshots.items():
            column.append(getattr(snapshot, size))
        kinds.append(_KINDS.index(snapshot.tree))
        tree = profile.load_tree(position)
        starts.append(-1 if tree is None else len(nodes[0]))
        if tree is not None:
            nodes[0].frombytes(tree.depth.cast("B"))
            nodes[1].frombytes(tree.bytes.cast("B"))
            nodes[2].extend(points.places(tree.point, tree.points))
        ends.append(len(nodes[0]))
    sites = {} if profile.sites is None else _site_tables(profile.sites, points)
    write_group(
        folder,
        name,
        raw,
        {
            "snapshots": {
                **{size: memoryview(column) for size, column in snapshots.items()},
                "tree": memoryview(kinds),
                "nodes_start": memoryview(starts),
                "nodes_end": memoryview(ends),
            },
            "nodes": {
                "depth": memoryview(nodes[0]),
                "bytes": memoryview(nodes[1]),
                "point": memoryview(nodes[2]),
            },
            "points": {name: memoryview(column) for name, column in points.columns.items()},
            "texts": {"text": list(points.texts)},
            **sites,
        },
        {
            "schema": SCHEMA,
            "time_unit": profile.time_unit,
            "pages": profile.pages,
            "measures": profile.measures,
            "process": asdict(profile.process),
            "damage": [asdict(damage) for damage in profile.damage],
        },
    )
    return profile


def load_heap_tables(folder: Path, name: str, raw: Path) -> HeapProfile | None:
    """The profile from its tables; None where they are missing, damaged or not of `raw`."""
    try:
        tables, about = load_group(folder, name, raw, "snapshots", SCHEMA)
        columns = tables["snapshots"].columns
        kinds: Sequence[int] = columns["tree"]
        snapshots = tuple(
            HeapSnapshot(**{size: columns[size][i] for size in _SIZES}, tree=_KINDS[kinds[i]])
            for i in range(len(kinds))
        )
        points = _StoredPoints(tables)
        return HeapProfile(
            snapshots=snapshots,
            time_unit=about["time_unit"],
            process=HeapProcess(**about["process"]),
            pages=about["pages"],
            measures=about["measures"],
            damage=tuple(Damage(**entry) for entry in about["damage"]),
            load_tree=_StoredTrees(tables, points).load,
            sites=_stored_sites(tables, points) if "sites" in tables else None,
        )
    except UNUSABLE:
        return None  # derived from raw: the caller reads that


def _site_tables(sites: AllocSites, points: "_Points") -> dict[str, dict[str, Any]]:
    numbers = array("i", points.places(sites.stack_points, sites.points))
    return {
        "sites": dict(sites.columns),
        "stacks": {"start": sites.stack_starts},
        "stack_points": {"point": memoryview(numbers)},
        "runs": {"start": sites.run_starts},
        "accesses": {"bytes": sites.run_bytes, "accesses": sites.run_accesses},
    }


def _stored_sites(tables: Mapping[str, Table], points: "_StoredPoints") -> AllocSites:
    return AllocSites(
        tables["sites"].columns,
        points,
        tables["stacks"].columns["start"],
        tables["stack_points"].columns["point"],
        tables["runs"].columns["start"],
        tables["accesses"].columns["bytes"],
        tables["accesses"].columns["accesses"],
    )


class _Points:
    """The labels of all trees as columns."""

    def __init__(self) -> None:
        self.texts: dict[str, int] = {}
        self.columns = {name: array("q") for name in _POINT}
        self._known: dict[int, tuple[Sequence[AllocPoint], list[int]]] = {}
        self._place_of: dict[AllocPoint, int] = {}

    def places(self, numbers: "memoryview[int]", points: Sequence[AllocPoint]) -> list[int]:
        """Numbers of `points` as those of the table; trees mostly share their points."""
        _, known = self._known.setdefault(id(points), (points, []))
        for point in points[len(known) :]:
            place = self._place_of.get(point)
            if place is None:
                place = self._place_of[point] = len(self._place_of)
                self._append(point)
            known.append(place)
        return [known[number] for number in numbers]

    def _append(self, point: AllocPoint) -> None:
        frame = point.frame or Frame(None)
        ip = frame.ip
        row = {
            "text": self._text(point.text),
            "ip": ip if ip is None or ip < 1 << 63 else ip - (1 << 64),
            "fn": self._text(frame.fn),
            "obj": self._text(frame.obj),
            "dir": self._text(frame.dir),
            "file": self._text(frame.file),
            "line": frame.line,
            "places": point.places,
        }
        for name, column in self.columns.items():
            value = row[name]
            column.append(_NONE if value is None else value)

    def _text(self, text: str | None) -> int | None:
        return None if text is None else self.texts.setdefault(text, len(self.texts))


class _StoredPoints(Sequence[AllocPoint]):
    """The labels of the tables: all are made when the first one is looked at."""

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self._columns = tables["points"].columns
        self._texts: Sequence[str] = tables["texts"].columns["text"]

    def __len__(self) -> int:
        return len(self._columns["text"])

    @overload
    def __getitem__(self, index: int) -> AllocPoint: ...
    @overload
    def __getitem__(self, index: slice) -> list[AllocPoint]: ...
    def __getitem__(self, index: int | slice) -> AllocPoint | list[AllocPoint]:
        return self.made[index]

    @cached_property
    def made(self) -> list[AllocPoint]:
        columns = (self._columns[name] for name in _POINT)
        return [self._point(*row) for row in zip(*columns, strict=True)]

    def _point(self, text: int, ip: int, *rest: int) -> AllocPoint:
        fn, obj, folder, file, line, places = rest
        frame = None
        if ip != _NONE:
            frame = Frame(
                ip & (1 << 64) - 1,
                self._text(fn),
                self._text(obj),
                self._text(folder),
                self._text(file),
                _known(line),
            )
        return AllocPoint(self._texts[text], frame, _known(places))

    def _text(self, place: int) -> str | None:
        return None if place == _NONE else self._texts[place]


class _StoredTrees:
    """Trees as pieces of the mapped columns."""

    def __init__(self, tables: Mapping[str, Table], points: _StoredPoints) -> None:
        snapshots, nodes = tables["snapshots"].columns, tables["nodes"].columns
        self._starts, self._ends = snapshots["nodes_start"], snapshots["nodes_end"]
        self._nodes = nodes["depth"], nodes["bytes"], nodes["point"]
        self._points = points

    def load(self, position: int) -> AllocTree | None:
        start = self._starts[position]
        if start < 0:
            return None
        span = slice(start, self._ends[position])
        depth, sizes, point = (column[span] for column in self._nodes)
        return AllocTree(depth, sizes, point, self._points.made)


def _known(number: int) -> int | None:
    return None if number == _NONE else number
