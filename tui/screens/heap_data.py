"""What the heap screen shows: the heaps of a session, and which nodes are open at first."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from collectors import registry
from collectors.records.cost import CostProfile
from collectors.records.errors import ErrorProfile
from collectors.records.heap import HeapProfile
from collectors.records.shared import Shape
from profiler.aggregate.alloc_nodes import AllocNodes
from profiler.source_map import session_sources
from profiler.sources import SourceFile
from profiler.store import Session

_OPEN_ROWS = 60
_MOST_PATHS = 200_000
_OPEN_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class HeapRun:
    """The heap of one process: `name` says which."""

    tool: str
    name: str
    profile: HeapProfile


def heap_runs(session: Session) -> list[HeapRun]:
    """Every heap that a session has, in the order in which the tools ran."""
    runs: list[HeapRun] = []
    for tool in registry.of_shapes(session.tools, Shape.HEAP):
        reading = session.reading(tool)
        for file, profile in zip(reading.files, reading.profiles, strict=True):
            if isinstance(profile, HeapProfile) and profile.snapshots:
                pid = profile.process.pid
                name = f"process {pid}" if pid is not None else file.name
                runs.append(HeapRun(tool, name, profile))
    return runs


def opened_at_first(nodes: AllocNodes) -> set[int]:
    """The nodes that are open when a tree is first shown: the largest, to fill a screen."""
    opened: set[int] = set()
    shown = 1
    waiting = [(nodes.width(0), 0)]
    while waiting and shown < _OPEN_ROWS:
        waiting.sort(key=lambda entry: (entry[0], -entry[1]))
        width, node = waiting.pop()
        if width < _OPEN_SHARE * nodes.width(0):
            break
        children = list(nodes.children(node))
        opened.add(node)
        shown += len(children)
        waiting.extend((nodes.width(child), child) for child in children)
    return opened


@dataclass(frozen=True, slots=True)
class Found:
    """A source file that is on this machine, and where; `reason` why there is none."""

    source: SourceFile | None
    here: str = ""
    reason: str = ""


def find_source(session: Session, file: str | None) -> Found:
    """The file that a heap tool means.

    Massif and DHAT leave the directories out: what the session's other tools say of a file
    of that name tells them, where it is but one.
    """
    if file is None:
        return Found(None, reason="No line is known here: build it with -g, or --symbols DIR.")
    sources = session_sources(session)
    paths = [file] if file.startswith("/") else sorted(_paths_named(session, file))
    if len(paths) > 1:
        return Found(None, reason=f"{file} may be any of {', '.join(paths)}.")
    if not paths:
        return Found(
            None,
            reason=f"Where {file} lies is not known: massif leaves out the directories, and "
            "no other tool of this session names the file.",
        )
    here = sources.place(paths[0])
    source = sources.read(paths[0])
    missing = "" if source is not None else f"{here} is not on this machine."
    return Found(source, here, missing)


def _paths_named(session: Session, name: str) -> set[str]:
    """The whole paths that end in this name, from the session's costs and errors."""
    found: set[str] = set()
    for tool in registry.of_shapes(session.tools, Shape.COST, Shape.ERRORS):
        for profile in session.profiles(tool):
            paths: Iterable[str | None] = ()
            if isinstance(profile, CostProfile):
                paths = profile.files
            elif isinstance(profile, ErrorProfile):
                paths = (
                    frame.path
                    for record in profile.records
                    for frames in (record.frames, *(aux.frames for aux in record.aux))
                    for frame in frames
                )
            found.update(
                path
                for path in islice(paths, _MOST_PATHS)
                if path is not None and path.startswith("/") and path.endswith(f"/{name}")
            )
    return found
