"""speedscope's JSON: a profile for each set of stacks, and one of the costs by function.

Format: speedscope's file-format-schema.json; frames are shared by all profiles.
"""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from collectors.errors import UsageError
from collectors.records.shared import Frame
from profiler.exports.content import cost_profiles
from profiler.exports.stacks import StackSet, stack_sets
from profiler.store import Session
from profiler.version import installed_version
from profiler.visible import visible

_SCHEMA = "https://www.speedscope.app/file-format-schema.json"
_LONG = ("samples", "weights")
_BATCH = 10_000


class _Frames:
    """Frames by their number; equal ones have one."""

    def __init__(self) -> None:
        self.entries: list[bytes] = []  # JSON: a third of a dict's room
        self._numbers: dict[tuple[str, str | None, int | None], int] = {}

    def number(self, name: str, file: str | None, line: int | None) -> int:
        key = name, file, line
        if key not in self._numbers:
            self._numbers[key] = len(self.entries)
            entry: dict[str, Any] = {"name": visible(name)}
            if file is not None:
                entry["file"] = visible(file)
            if line:
                entry["line"] = line
            self.entries.append(_json(entry))
        return self._numbers[key]

    def of(self, frame: Frame) -> int:
        name = frame.fn or (frame.obj or "???").rpartition("/")[2]
        return self.number(name, frame.path or frame.obj, frame.line)


def write(session: Session, out: BinaryIO) -> None:
    """Raises `UsageError` where the session has neither stacks nor costs.

    Profiles are written one after another: those of a large session are never all in memory.
    """
    frames = _Frames()
    profiles = _profiles(session, frames)
    first = next(profiles)
    document = {
        "$schema": _SCHEMA,
        "name": visible(session.manifest.target.label, 200),
        "exporter": f"droidgrind {installed_version()}",
        "activeProfileIndex": 0,
    }
    out.write(_json(document)[:-1] + b', "profiles": [')
    _write_profile(out, first)
    for profile in profiles:
        out.write(b", ")
        _write_profile(out, profile)
    out.write(b'], "shared": {"frames": [' + b", ".join(frames.entries) + b"]}}")


def _write_profile(out: BinaryIO, profile: dict[str, Any]) -> None:
    """The long lists piece by piece: their JSON takes many times their room."""
    short = {key: value for key, value in profile.items() if key not in _LONG}
    out.write(_json(short)[:-1])
    for key in _LONG:
        out.write(f', "{key}": ['.encode())
        for start in range(0, len(profile[key]), _BATCH):
            piece = json.dumps(profile[key][start : start + _BATCH])
            out.write((b", " if start else b"") + piece[1:-1].encode("ascii"))
        out.write(b"]")
    out.write(b"}")


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode("ascii")


def _profiles(session: Session, frames: _Frames) -> Iterator[dict[str, Any]]:
    """At least one. Raises `UsageError` where there is none."""
    missing: list[UsageError] = []
    try:
        yield from (_stacks(found, frames) for found in stack_sets(session))
    except UsageError as error:
        missing.append(error)
    try:
        yield from _costs(session, frames)
    except UsageError as error:
        missing.append(error)
    if len(missing) > 1:
        raise missing[0]


def _stacks(found: StackSet, frames: _Frames) -> dict[str, Any]:
    return {
        "type": "sampled",
        "name": found.name,
        "unit": "bytes",
        "startValue": 0,
        "endValue": found.total,
        "samples": [
            [frames.of(frame) for frame in reversed(stack.frames)] for stack in found.stacks
        ],
        "weights": [stack.bytes for stack in found.stacks],
    }


def _costs(session: Session, frames: _Frames) -> Iterator[dict[str, Any]]:
    """Self costs of functions below their files: these tools record no stacks."""
    from profiler.aggregate.cost import by_function

    tool, profiles = cost_profiles(session)
    sums = by_function(profiles)
    stacks = [  # once: each event has the same
        [
            frames.number(symbol.file, symbol.file, None),
            frames.number(symbol.fn, symbol.file, None),
        ]
        for symbol in sums.keys
    ]
    for event, column in zip(sums.events, sums.counts, strict=True):
        samples = [stack for stack, count in zip(stacks, column, strict=True) if count > 0]
        weights = [count for count in column if count > 0]
        yield {
            "type": "sampled",
            "name": f"{event} by file and function ({tool})",
            "unit": "none",
            "startValue": 0,
            "endValue": sum(weights),
            "samples": samples,
            "weights": weights,
        }
