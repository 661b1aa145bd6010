"""The memory errors' share of a page: records, stacks, and the source lines around them."""

from array import array
from collections.abc import Iterator, Sequence
from typing import Any

from collectors.records.errors import ErrorProfile
from collectors.records.shared import Frame
from profiler.own_code import OwnCode, module_of, own_frame
from profiler.sources import Sources
from profiler.visible import visible

MOST_RECORDS = 5000
MOST_SNIPPETS = 3000
SNIPPET_FRAMES = 3


class _Stacks:
    """Stacks as numbers of frames, one behind the other; `rows` describe the frames."""

    def __init__(self) -> None:
        self.rows: list[list[Any]] = []
        self.starts = array("I", [0])
        self.frames = array("I")
        self._known: dict[Frame, int] = {}
        # Stacks share their frames: an identity is found faster than six fields are hashed.
        self._seen: dict[int, int] = {}
        self._held: list[Frame] = []  # so that each keeps its id

    def add(self, frames: Sequence[Frame]) -> int:
        """The number of a stack."""
        seen = self._seen
        for frame in frames:
            if id(frame) not in seen:
                self.number(frame)
        self.frames.extend([seen[id(frame)] for frame in frames])
        self.starts.append(len(self.frames))
        return len(self.starts) - 2

    def number(self, frame: Frame) -> int:
        found = self._seen.get(id(frame))
        if found is None:
            found = self._seen[id(frame)] = self._number(frame)
            self._held.append(frame)
        return found

    def _number(self, frame: Frame) -> int:
        found = self._known.get(frame)
        if found is None:
            found = self._known[frame] = len(self.rows)
            self.rows.append(
                [
                    visible(frame.fn, 600) if frame.fn else "",
                    visible(frame.path, 400) if frame.path else "",
                    frame.line or 0,
                    visible(frame.obj, 300) if frame.obj else "",
                    f"{frame.ip:#x}" if frame.ip is not None else "",
                ]
            )
        return found


class _Snippets:
    """Source lines around the first frames of stacks, by file and line."""

    def __init__(self, sources: Sources) -> None:
        self.lines: dict[str, dict[str, str]] = {}
        self._sources = sources
        self._asked: set[tuple[str, int]] = set()
        self._left = MOST_SNIPPETS

    def add(self, frames: Sequence[Frame]) -> None:
        for frame in frames[:SNIPPET_FRAMES]:
            path, line = frame.path, frame.line
            if self._left <= 0 or not line or not path or (path, line) in self._asked:
                continue
            self._asked.add((path, line))
            near = self._sources.around(path, line)
            self._left -= bool(near)
            if near:
                self.lines.setdefault(visible(path, 400), {}).update(
                    {str(n): visible(text.expandtabs(4), 300) for n, text in near.items()}
                )


def error_parts(
    profiles: Sequence[ErrorProfile], sources: Sources, own_code: OwnCode | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The one part of all processes together; `own_code` says which frame leads."""
    records = [record for profile in profiles for record in profile.records]
    several = len({record.pid for record in records}) > 1
    stacks = _Stacks()
    snippets = _Snippets(sources)
    suppressions: dict[str, int] = {}
    rows: list[dict[str, Any]] = []
    for record in records[:MOST_RECORDS]:
        for stack in (record.frames, *(aux.frames for aux in record.aux)):
            snippets.add(stack)
        own = own_code.frame(record.frames) if own_code else own_frame(record.frames)
        row: dict[str, Any] = {
            "kind": visible(record.kind, 80),
            "what": visible(record.what, 600),
            "count": record.count,
            "module": visible(module_of(record), 120),
            "stack": stacks.add(record.frames),
            "aux": [
                [visible(aux.what or "", 600), stacks.add(aux.frames)] for aux in record.aux
            ],
        }
        if own is not None:
            row["own"] = stacks.number(own)
        if record.is_leak:
            row |= {
                "bytes": record.leaked_bytes,
                "direct": record.direct_bytes,
                "blocks": record.leaked_blocks,
            }
        if several and record.pid is not None:
            row["process"] = record.pid
        if record.thread_name or record.tid not in (None, 1):
            row["thread"] = visible(record.thread_name or f"thread {record.tid}", 80)
        if record.suppression:
            text = "\n".join(visible(line, 2000) for line in record.suppression.splitlines())
            row["suppression"] = suppressions.setdefault(text, len(suppressions))
        rows.append(row)
    yield (
        "errors",
        {
            "records": rows,
            "frames": stacks.rows,
            "stacks": {"starts": stacks.starts, "frames": stacks.frames},
            "suppressions": list(suppressions),
            "snippets": snippets.lines,
            "all_records": len(records),
        },
    )
