"""SARIF 2.1.0: errors of one kind at one own line are a result.

The stack of each is among the result's stacks, up to a few; the other stacks of the first
(where its block was allocated or freed) are code flows.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO
from urllib.parse import quote

from collectors.records.errors import ErrorRecord
from collectors.records.shared import Frame
from profiler.command_line import target_words
from profiler.error_kinds import kind_words
from profiler.exports.content import (
    MOST_STACKS,
    ErrorGroup,
    error_groups,
    own_code,
    source_path,
)
from profiler.store import Session
from profiler.version import installed_version, project_url
from profiler.visible import visible

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_MOST_PLACES = 50_000
_ESSENTIAL = ', "importance": "essential"'
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def write(session: Session, out: BinaryIO) -> None:
    found = list(error_groups(session, own_code(session)))
    kinds = list(dict.fromkeys(group.records[0].kind for group in found))
    url = project_url()
    head = {
        "tool": {
            "driver": {
                "name": "droidgrind",
                "version": installed_version(),
                **({} if url is None else {"informationUri": url}),
                "rules": [
                    {
                        "id": kind,
                        "shortDescription": {"text": kind_words(kind).title},
                        "defaultConfiguration": {"level": _LEVELS[kind_words(kind).severity]},
                    }
                    for kind in kinds
                ],
            }
        },
        "automationDetails": {"id": f"droidgrind/{target_words(session)[:200]}"},
        "columnKind": "utf16CodeUnits",
    }
    start = f'{{"$schema": "{_SCHEMA}", "version": "2.1.0", "runs": [{_dump(head)[:-1]}'
    out.write(f'{start}, "results": ['.encode())
    places = _Places()
    for number, group in enumerate(found):
        out.write(b",\n" if number else b"\n")
        rule = kinds.index(group.records[0].kind)
        out.write(_result(group, rule, places).encode())
    out.write(b"\n]}]}\n")


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=True)


def _result(group: ErrorGroup, rule: int, places: "_Places") -> str:
    records = group.records
    record = records[0]
    result: dict[str, Any] = {
        "ruleId": record.kind,
        "ruleIndex": rule,
        "level": _LEVELS[group.severity],
        "message": {"text": visible(record.what)},
        "occurrenceCount": sum(max(1, same.count) for same in records),
        "partialFingerprints": {"droidgrind/v1": group.mark},
        "properties": {"tool": group.tool, "distinctStacks": len(records)},
    }
    parts = [_dump(result)[:-1]]
    if group.frame is not None:
        parts.append(f'"locations": [{places(group.frame)}]')
    if record.frames:
        # SARIF wants them distinct: some differ in addresses only, which it is not told.
        stacks = dict.fromkeys(_stack(r.what, r.frames, places) for r in records[:MOST_STACKS])
        parts.append(f'"stacks": [{", ".join(stacks)}]')
    flows = ", ".join(_flows(record, places))
    if flows:
        parts.append(f'"codeFlows": [{flows}]')
    return ", ".join(parts) + "}"


class _Places:
    """Frames as locations, in JSON. Most stand in many stacks: each is written once."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], str] = {}

    def __call__(self, frame: Frame) -> str:
        key = frame.fn, frame.obj, frame.dir, frame.file, frame.line
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _MOST_PLACES:
                self._known.clear()
            known = self._known[key] = _dump(_location(frame))
        return known


def _location(frame: Frame) -> dict[str, Any]:
    location: dict[str, Any] = {}
    path = source_path(frame)
    if path is not None:
        physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(path)}}
        if frame.line:
            physical["region"] = {"startLine": frame.line}
        location["physicalLocation"] = physical
    if frame.fn:
        location["logicalLocations"] = [
            {"fullyQualifiedName": visible(frame.fn), "kind": "function"}
        ]
    location["message"] = {"text": visible(frame.place)}
    return location


def _uri(path: str) -> str:
    """A relative reference, or a file URI."""
    quoted = quote(path.encode("utf-8", "surrogateescape"))
    return f"file://{quoted}" if path.startswith("/") else quoted


def _stack(what: str, frames: Sequence[Frame], places: _Places) -> str:
    listed = ", ".join(f'{{"location": {places(frame)}}}' for frame in frames)
    return f'{{"message": {_message(what)}, "frames": [{listed}]}}'


def _message(text: str) -> str:
    return _dump({"text": visible(text)})


def _flows(record: ErrorRecord, places: _Places) -> Iterator[str]:
    """The way through the program: what happened before (from its caller down), then this."""
    for aux in record.aux:
        if not aux.frames:
            continue
        steps = ", ".join(
            [*_steps(aux.frames, places), *_steps(record.frames, places, _ESSENTIAL)]
        )
        yield (
            f'{{"message": {_message(aux.what or "an earlier stack")}, '
            f'"threadFlows": [{{"locations": [{steps}]}}]}}'
        )


def _steps(frames: Sequence[Frame], places: _Places, more: str = "") -> Iterator[str]:
    for depth, frame in enumerate(reversed(frames)):
        yield f'{{"location": {places(frame)}, "nestingLevel": {depth}{more}}}'
