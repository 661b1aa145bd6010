"""Stored answers put into profiles: unknown frames become functions, lines, inlined calls.

Frames that Valgrind could place itself are left as they are. As Valgrind does, a stack ends
with `main` once `main` is known.
"""

from array import array
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from collectors.records.errors import ErrorProfile, ErrorRecord
from collectors.records.heap import AllocPoint, AllocTree, HeapProfile
from collectors.records.shared import Frame
from collectors.tools.tool import Profile

# function, source path, line (0: unknown); the innermost inlined call first
Place = tuple[str | None, str | None, int]
Places = Mapping[int, tuple[Place, ...]]
_OUTERMOST = frozenset({"main", "(below main)"})


def wants_symbols(frame: Frame) -> bool:
    """Whether a frame has an address in a file, and no line."""
    return frame.ip is not None and frame.file is None and frame.obj is not None


def symbolized(profile: Profile, places: Places) -> Profile:
    """The profile with every frame that `places` (by address in the run) knows."""
    match profile:
        case ErrorProfile():
            return _errors(profile, places)
        case HeapProfile():
            return _heap(profile, places)
        case _:
            return profile  # costs and samples have no addresses


def expanded(frame: Frame, places: Places) -> tuple[Frame, ...]:
    """The frames that stand for one; itself alone where nothing more is known."""
    if not wants_symbols(frame) or frame.ip is None:
        return (frame,)
    found = places.get(frame.ip)
    if not found:
        return (frame,)
    return tuple(_frame(frame, place) for place in found)


def _frame(frame: Frame, place: Place) -> Frame:
    fn, path, line = place
    folder, slash, file = (path or "").rpartition("/")
    return replace(
        frame,
        fn=fn or frame.fn,
        dir=(folder or "/") if slash else None,
        file=file or None,
        line=line or None,
    )


def _stack(frames: tuple[Frame, ...], places: Places) -> tuple[Frame, ...]:
    result: list[Frame] = []
    for frame in frames:
        found = expanded(frame, places)
        result.extend(found)
        if found[-1].fn in _OUTERMOST and frame.fn not in _OUTERMOST:
            break
    return tuple(result) if result != list(frames) else frames


def _errors(profile: ErrorProfile, places: Places) -> ErrorProfile:
    @cache
    def stack(frames: tuple[Frame, ...]) -> tuple[Frame, ...]:
        return _stack(frames, places)

    def record(old: ErrorRecord) -> ErrorRecord:
        return replace(
            old,
            frames=stack(old.frames),
            aux=tuple(replace(aux, frames=stack(aux.frames)) for aux in old.aux),
        )

    processes = tuple(
        replace(
            process,
            fatal_signal=process.fatal_signal
            and replace(process.fatal_signal, frames=stack(process.fatal_signal.frames)),
            client_messages=tuple(
                replace(m, frames=stack(m.frames)) for m in process.client_messages
            ),
            announced_threads=tuple(
                replace(m, frames=stack(m.frames)) for m in process.announced_threads
            ),
        )
        for process in profile.processes
    )
    return replace(profile, records=[record(r) for r in profile.records], processes=processes)


def _heap(profile: HeapProfile, places: Places) -> HeapProfile:
    known: dict[AllocPoint, tuple[int, ...]] = {}
    points: list[AllocPoint] = []
    mains: set[int] = set()

    def load(index: int) -> AllocTree | None:
        tree = profile.load_tree(index)
        return None if tree is None else _tree(tree, places, known, points, mains)

    return replace(profile, load_tree=load)


def _tree(
    tree: AllocTree,
    places: Places,
    known: dict[AllocPoint, tuple[int, ...]],
    points: list[AllocPoint],
    mains: set[int],
) -> AllocTree:
    """A tree in which a node becomes one node for each of its frames, one below the other."""
    depth, sizes, point = array("i"), array("q"), array("i")
    deeper = [0]  # by depth in the file: how many nodes more there are above
    cut: int | None = None  # the depth of a `main` above, below which nothing is kept
    for old_depth, size, number in zip(tree.depth, tree.bytes, tree.point, strict=True):
        if cut is not None and old_depth > cut:
            continue
        cut = None
        old = tree.points[number]
        new = known.get(old)
        if new is None:
            new = known[old] = _expanded_point(old, places, points, mains)
        del deeper[old_depth + 1 :]
        deeper.extend([deeper[-1]] * (old_depth + 1 - len(deeper)))
        above = deeper[old_depth]
        for step, place in enumerate(new):
            depth.append(old_depth + above + step)
            sizes.append(size)
            point.append(place)
        deeper.append(above + len(new) - 1)
        if new[-1] in mains:
            cut = old_depth
    return AllocTree(memoryview(depth), memoryview(sizes), memoryview(point), points)


def _expanded_point(
    old: AllocPoint, places: Places, points: list[AllocPoint], mains: set[int]
) -> tuple[int, ...]:
    start = len(points)
    if old.frame is None:
        points.append(old)
        return (start,)
    found = expanded(old.frame, places)
    if found == (old.frame,):
        points.append(old)
        return (start,)
    points.extend(AllocPoint(f"{frame.ip:#X}: {frame.place}", frame) for frame in found)
    if found[-1].fn in _OUTERMOST:
        mains.add(len(points) - 1)
    return tuple(range(start, len(points)))
