"""The memory errors' share of a page: records, stacks, and the source lines around them."""

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


class _Frames:
    def __init__(self) -> None:
        self.rows: list[list[Any]] = []
        self._known: dict[Frame, int] = {}
        # Stacks share their frames: an identity is found faster than six fields are hashed.
        self._seen: dict[int, tuple[Frame, int]] = {}

    def number(self, frame: Frame) -> int:
        seen = self._seen.get(id(frame))
        if seen is not None:
            return seen[1]
        found = self._number(frame)
        self._seen[id(frame)] = frame, found  # held, so that its id stays its own
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


def error_parts(
    profiles: Sequence[ErrorProfile], sources: Sources, own_code: OwnCode | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The one part of all processes together; `own_code` says which frame leads."""
    records = [record for profile in profiles for record in profile.records]
    several = len({record.pid for record in records}) > 1
    frames = _Frames()
    suppressions: dict[str, int] = {}
    snippets: dict[str, dict[str, str]] = {}
    left = MOST_SNIPPETS
    rows: list[dict[str, Any]] = []
    for record in records[:MOST_RECORDS]:
        stacks = (record.frames, *(aux.frames for aux in record.aux))
        for stack in stacks:
            for frame in stack[:SNIPPET_FRAMES]:
                if left > 0 and frame.line and frame.path:
                    near = sources.around(frame.path, frame.line)
                    left -= bool(near)
                    if near:
                        into = snippets.setdefault(visible(frame.path, 400), {})
                        into.update(
                            {str(n): visible(t.expandtabs(4), 300) for n, t in near.items()}
                        )
        own = own_code.frame(record.frames) if own_code else own_frame(record.frames)
        row: dict[str, Any] = {
            "kind": visible(record.kind, 80),
            "what": visible(record.what, 600),
            "count": record.count,
            "module": visible(module_of(record), 120),
            "frames": [frames.number(frame) for frame in record.frames],
            "aux": [
                [visible(aux.what or "", 600), [frames.number(frame) for frame in aux.frames]]
                for aux in record.aux
            ],
        }
        if own is not None:
            row["own"] = frames.number(own)
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
            "frames": frames.rows,
            "suppressions": list(suppressions),
            "snippets": snippets,
            "all_records": len(records),
        },
    )
