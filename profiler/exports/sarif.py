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
    severity,
    source_path,
)
from profiler.own_code import OwnCode
from profiler.store import Session
from profiler.version import installed_version
from profiler.visible import visible

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def write(session: Session, out: BinaryIO) -> None:
    own = own_code(session)
    found = list(error_groups(session, own))
    kinds = list(dict.fromkeys(group.records[0].kind for group in found))
    head = {
        "tool": {
            "driver": {
                "name": "droidgrind",
                "version": installed_version(),
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
    for place, group in enumerate(found):
        out.write(b",\n" if place else b"\n")
        out.write(_dump(_result(group, kinds.index(group.records[0].kind), own)).encode())
    out.write(b"\n]}]}\n")


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=True)


def _result(group: ErrorGroup, rule: int, own: OwnCode) -> dict[str, Any]:
    records = group.records
    record = records[0]
    result: dict[str, Any] = {
        "ruleId": record.kind,
        "ruleIndex": rule,
        "level": _LEVELS[severity(record)],
        "message": {"text": visible(record.what)},
        "occurrenceCount": sum(max(1, same.count) for same in records),
        "partialFingerprints": {"droidgrind/v1": group.mark},
        "properties": {"tool": group.tool, "distinctStacks": len(records)},
    }
    frame = own.frame(record.frames)
    if frame is not None:
        result["locations"] = [_location(frame)]
    if record.frames:
        stacks = [_stack(same.what, same.frames) for same in records[:MOST_STACKS]]
        # SARIF wants them distinct: some differ in addresses only, which it is not told.
        result["stacks"] = [one for i, one in enumerate(stacks) if one not in stacks[:i]]
    flows = list(_flows(record))
    if flows:
        result["codeFlows"] = flows
    return result


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


def _stack(what: str, frames: Sequence[Frame]) -> dict[str, Any]:
    return {
        "message": {"text": visible(what)},
        "frames": [{"location": _location(frame)} for frame in frames],
    }


def _flows(record: ErrorRecord) -> Iterator[dict[str, Any]]:
    """The way through the program: what happened before (from its caller down), then this."""
    for aux in record.aux:
        if not aux.frames:
            continue
        steps = [
            {"location": _location(frame), "nestingLevel": depth}
            for depth, frame in enumerate(reversed(aux.frames))
        ]
        steps += [
            {"location": _location(frame), "nestingLevel": depth, "importance": "essential"}
            for depth, frame in enumerate(reversed(record.frames))
        ]
        yield {
            "message": {"text": visible(aux.what or "an earlier stack")},
            "threadFlows": [{"locations": steps}],
        }
