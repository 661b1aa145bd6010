"""speedscope's JSON: a profile for each set of stacks, and one of the costs by function.

Format: speedscope's file-format-schema.json; frames are shared by all profiles. All is written
piece by piece: a large session's profiles, or their JSON, are never in memory as a whole.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from collectors.errors import UsageError
from collectors.records.cost import symbol_names
from collectors.records.shared import Frame
from profiler.command_line import target_words
from profiler.exports.content import cost_profiles
from profiler.exports.stacks import StackSet, stack_sets
from profiler.store import Session
from profiler.version import installed_version
from profiler.visible import visible

_SCHEMA = "https://www.speedscope.app/file-format-schema.json"
_BATCH = 10_000


class _Frames:
    """Frames by their number; those of stacks are numbered as they come, equal ones alike."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str | None, int | None], int] = {}
        self._functions: tuple[Sequence[str], Sequence[str]] = (), ()
        self._files: dict[str, int] = {}

    def of(self, frame: Frame) -> int:
        name = frame.fn or (frame.obj or "???").rpartition("/")[2]
        key = name, frame.path or frame.obj, frame.line
        return self._numbers.setdefault(key, len(self._numbers))

    def add_functions(
        self, functions: Sequence[str], files: Sequence[str]
    ) -> tuple[list[int], int]:
        """Number the files, then the functions, behind all others.

        Returns the file of each function, and the first function.
        """
        first = len(self._numbers)
        for file in files:
            self._files.setdefault(file, first + len(self._files))
        self._functions = functions, files
        return [self._files[file] for file in files], first + len(self._files)

    def encoded(self) -> Iterator[bytes]:
        for name, file, line in self._numbers:
            yield _frame(name, file, line)
        for file in self._files:
            yield _frame(file, file, None)
        for name, file in zip(*self._functions, strict=True):
            yield _frame(name, file, None)


def _frame(name: str, file: str | None, line: int | None) -> bytes:
    entry: dict[str, Any] = {"name": visible(name)}
    if file is not None:
        entry["file"] = visible(file)
    if line:
        entry["line"] = line
    return _json(entry)


@dataclass(frozen=True, slots=True)
class _Profile:
    """`pieces` are samples (a list of frames each, outermost first) and what they weigh."""

    name: str
    unit: str
    pieces: Iterable[tuple[list[list[int]], list[int]]]


def write(session: Session, out: BinaryIO) -> None:
    """Raises `UsageError` where the session has neither stacks nor costs."""
    frames = _Frames()
    profiles = _profiles(session, frames)
    first = next(profiles)
    document = {
        "$schema": _SCHEMA,
        "name": visible(target_words(session), 200),
        "exporter": f"droidgrind {installed_version()}",
        "activeProfileIndex": 0,
    }
    out.write(_json(document)[:-1] + b', "profiles": [')
    _write_profile(out, first)
    for profile in profiles:
        out.write(b", ")
        _write_profile(out, profile)
    out.write(b'], "shared": {"frames": [')
    encoded = frames.encoded()
    out.write(next(encoded, b""))
    out.writelines(b", " + frame for frame in encoded)
    out.write(b"]}}")


def _write_profile(out: BinaryIO, profile: _Profile) -> None:
    head = {"type": "sampled", "name": profile.name, "unit": profile.unit, "startValue": 0}
    out.write(_json(head)[:-1] + b', "samples": [')
    weights: list[bytes] = []
    total = 0
    for samples, some in profile.pieces:
        out.write((b", " if weights else b"") + _json(samples)[1:-1])
        weights.append(_json(some)[1:-1])
        total += sum(some)
    out.write(b'], "weights": [' + b", ".join(weights) + b'], "endValue": %d}' % total)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode("ascii")


def _profiles(session: Session, frames: _Frames) -> Iterator[_Profile]:
    """At least one. Raises `UsageError` where there is none."""
    missing: list[UsageError] = []
    try:
        for found in stack_sets(session):
            yield _Profile(found.name, "bytes", _stacks(found, frames))
    except UsageError as error:
        missing.append(error)
    try:
        yield from _costs(session, frames)
    except UsageError as error:
        missing.append(error)
    if len(missing) > 1:
        raise missing[0]


def _stacks(found: StackSet, frames: _Frames) -> Iterator[tuple[list[list[int]], list[int]]]:
    for start in range(0, len(found.stacks), _BATCH):
        stacks = found.stacks[start : start + _BATCH]
        samples = [[frames.of(frame) for frame in reversed(stack.frames)] for stack in stacks]
        yield samples, [stack.bytes for stack in stacks]


def _costs(session: Session, frames: _Frames) -> Iterator[_Profile]:
    """Self costs of functions below their files: these tools record no stacks."""
    from profiler.aggregate.cost import by_function

    tool, profiles = cost_profiles(session)
    sums = by_function(profiles)
    functions, files, _ = symbol_names(sums.keys)
    file_frames, first = frames.add_functions(functions, files)
    for event, column in zip(sums.events, sums.counts, strict=True):
        name = f"{event} by file and function ({tool})"
        yield _Profile(name, "none", _function_costs(column, file_frames, first))


def _function_costs(
    column: Sequence[int], file_frames: Sequence[int], first: int
) -> Iterator[tuple[list[list[int]], list[int]]]:
    for start in range(0, len(column), _BATCH):
        counts = column[start : start + _BATCH]
        chosen = [place for place, count in enumerate(counts, start) if count > 0]
        if chosen:
            samples = [[file_frames[place], first + place] for place in chosen]
            yield samples, [count for count in counts if count > 0]
