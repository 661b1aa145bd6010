"""Which addresses of a profile have no name or line, by the file that they are in."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from collectors.records.errors import ErrorProfile
from collectors.records.heap import AllocTree, HeapProfile, TreeKind
from collectors.records.shared import Frame
from collectors.tools.tool import Profile
from profiler.symbols.applied import wants_symbols
from profiler.symbols.modules import Module

_PID = re.compile(r"\.(\d+)\.[a-z]+$")
# Nothing is ever mapped below (vm.mmap_min_addr; 64 KiB but on Android).
_LEAST_ADDRESS = 0x8000


@dataclass(slots=True)
class Wanted:
    """Addresses of one file in one process that have no line yet."""

    tool: str
    raw: str
    object: str
    module: Module | None
    pid: int
    addresses: dict[int, bool] = field(default_factory=dict[int, bool])
    """Address in the run → whether its function is unknown, too."""


def pid_of(name: str, profile: Profile) -> int:
    match = _PID.search(name)
    if match is not None:
        return int(match[1])
    if isinstance(profile, ErrorProfile) and profile.processes:
        return profile.processes[0].pid or -1
    return -1


def wanted_of(
    tool: str, raw: str, profile: Profile, loaded: Sequence[Module], pid: int
) -> Iterator[Wanted]:
    """What a profile does not know, by file; frames without a file under the name ''."""
    found: dict[str, Wanted] = {}
    by_path: dict[str, list[Module]] = {}
    for module in loaded:
        by_path.setdefault(module.path, []).append(module)
    for frame in _frames(profile):
        if frame.ip is None or frame.file is not None:
            continue
        name = frame.obj or ""
        if not wants_symbols(frame) and frame.fn is not None:
            continue
        near = _nearest(by_path.get(name, ()), frame.ip)
        key = f"{name}\0{'' if near is None else near.avma}"
        wanted = found.setdefault(key, Wanted(tool, raw, name, near, pid))
        wanted.addresses[frame.ip] = frame.fn is None
    yield from found.values()


def _nearest(modules: Sequence[Module], address: int) -> Module | None:
    """Which loading of a file an address is of, where it was loaded more than once."""
    below = [module for module in modules if module.avma <= address]
    if below:
        return max(below, key=lambda module: module.avma)
    return modules[0] if modules else None


def _frames(profile: Profile) -> Iterator[Frame]:
    match profile:
        case ErrorProfile():
            for record in profile.records:
                yield from _real(record.frames)
                for aux in record.aux:
                    yield from _real(aux.frames)
            for process in profile.processes:
                if process.fatal_signal is not None:
                    yield from _real(process.fatal_signal.frames)
                for message in (*process.client_messages, *process.announced_threads):
                    yield from _real(message.frames)
        case HeapProfile():
            seen: set[int] = set()
            for index, snapshot in enumerate(profile.snapshots):
                if snapshot.tree is TreeKind.EMPTY:
                    continue
                tree = profile.load_tree(index)
                for number in () if tree is None else _real_points(tree) - seen:
                    seen.add(number)
                    frame = tree.points[number].frame if tree is not None else None
                    if frame is not None:
                        yield frame
        case _:
            return


def _is_no_caller(frame: Frame | None) -> bool:
    """Whether a stack was walked past its end, and this is no return address.

    Where `_start` has no unwind information the walk goes on with what the kernel put below
    it: the number of the arguments, then their addresses.
    """
    return (
        frame is not None
        and frame.obj is None
        and frame.ip is not None
        and frame.ip < _LEAST_ADDRESS
    )


def _real(frames: Sequence[Frame]) -> Sequence[Frame]:
    """A stack without what lies past its end. The innermost is where a wild jump led."""
    for number, frame in enumerate(frames):
        if number and _is_no_caller(frame):
            return frames[:number]
    return frames


def _real_points(tree: AllocTree) -> set[int]:
    """The points of a tree without those that are only past the end of stacks."""
    points = set(tree.point)
    ends = {number for number in points if _is_no_caller(tree.points[number].frame)}
    if not ends:
        return points
    real: set[int] = set()
    end: int | None = None
    for depth, number in zip(tree.depth, tree.point, strict=True):
        if end is not None and depth > end:
            continue
        end = depth if number in ends else None
        if end is None:
            real.add(number)
    return real
