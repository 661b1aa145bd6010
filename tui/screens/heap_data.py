"""What the heap screen shows: the heaps of a session, and which nodes are open at first."""

from dataclasses import dataclass

from collectors import registry
from collectors.records.heap import HeapProfile
from collectors.records.shared import Shape
from profiler.aggregate.alloc_nodes import AllocNodes
from profiler.store import Session

_OPEN_ROWS = 60
_OPEN_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class HeapRun:
    """The heap of one process: `name` says which."""

    tool: str
    name: str
    profile: HeapProfile


def heap_runs(session: Session) -> list[HeapRun]:
    """Every heap that a session has, in the order in which the tools ran."""
    known = registry.tool_names()
    runs: list[HeapRun] = []
    for tool in session.tools:
        if tool in known and registry.tool(tool).shape is Shape.HEAP:
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
