"""A comparison as `diff --json` prints it; docs/commands/diff.md describes it."""

from collections.abc import Sequence
from typing import Any

from profiler.diff.compared import Compared
from profiler.diff.cost import NOISE, CostDiff
from profiler.diff.errors import Change, ErrorChange
from profiler.diff.function import FunctionDelta
from profiler.diff.heap import HeapDiff, HeapFigures
from profiler.diff.runs import RunsDelta
from profiler.diff.sessions import SessionDiff

SCHEMA = 1
MOST_FUNCTIONS = 50
MOST_STACKS = 20


def diff_json(diff: SessionDiff) -> dict[str, Any]:
    """A part that was not compared has no key; `missing` and `refused` say why."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "baseline": _session(diff.baseline),
        "session": _session(diff.session),
        "warnings": list(diff.warnings),
        "refused": dict(diff.refused),
        "missing": dict(diff.missing),
    }
    if diff.errors is not None:
        document["errors"] = _errors(diff.errors)
    if diff.cost is not None:
        document["cost"] = _cost(diff.cost, diff.cost_tool)
    if diff.heap is not None:
        document["heap"] = _heap(diff.heap)
    if diff.scheduling is not None:
        document["scheduling"] = [_runs(delta) for delta in diff.scheduling]
    return document


def _session(session: Compared) -> dict[str, Any]:
    manifest = session.manifest
    return {
        "id": manifest.id,
        "created": manifest.created,
        "target": list(manifest.target.argv),
        "device": manifest.device.model or manifest.device.serial,
        "labels": dict(manifest.labels),
    }


def _errors(changes: Sequence[ErrorChange]) -> dict[str, Any]:
    listed: dict[str, list[dict[str, Any]]] = {change.value: [] for change in Change}
    for change in changes:
        record = change.record
        entry: dict[str, Any] = {
            "fingerprint": change.fingerprint,
            "kind": record.kind,
            "what": record.what,
            "count": record.count,
            "stack": [
                {"function": frame.fn, "file": frame.path, "line": frame.line}
                for frame in record.frames
            ],
        }
        if record.leaked_bytes is not None:
            entry["leaked_bytes"] = record.leaked_bytes
            if change.was is not None:
                entry["bytes_delta"] = change.bytes_delta
        listed[change.change.value].append(entry)
    return listed


def ratio(before: float, after: float) -> float | None:
    """After by before; None where there is no before."""
    return round(after / before, 6) if before else None


def _cost(diff: CostDiff, tool: str) -> dict[str, Any]:
    return {
        "tool": tool,
        "events": {
            event: {"before": old, "after": new, "delta": new - old, "ratio": ratio(old, new)}
            for event, old, new in zip(diff.events, diff.before, diff.after, strict=True)
        },
        "estimated_cycles": {
            "before": diff.cycles[0],
            "after": diff.cycles[1],
            "delta": diff.cycles[1] - diff.cycles[0],
            "ratio": ratio(*diff.cycles),
        },
        "noise": NOISE,
        "changed": diff.changed,
        "unchanged": diff.unchanged,
        "new": diff.new,
        "gone": diff.gone,
        "functions": [
            _function(function, diff.events) for function in diff.functions[:MOST_FUNCTIONS]
        ],
    }


def _function(function: FunctionDelta, events: Sequence[str]) -> dict[str, Any]:
    def counts(values: tuple[int, ...] | None) -> dict[str, int] | None:
        return None if values is None else dict(zip(events, values, strict=True))

    entry: dict[str, Any] = {
        "function": function.function,
        "file": function.file,
        "before": counts(function.before),
        "after": counts(function.after),
        "delta": {event: function.change(place) for place, event in enumerate(events)},
        "estimated_cycles_delta": function.delta,
        "without_inlining": function.own_delta,
        "ratio": ratio(*function.cycles),
    }
    if function.was_file is not None:
        entry["was_file"] = function.was_file
    if function.moved:
        entry["inlining"] = [
            {
                "to" if moved.outward else "from": moved.function,
                "file": moved.file,
                "estimated_cycles": moved.cycles,
            }
            for moved in function.moved
        ]
    if function.lines:
        entry["lines"] = [
            {
                "file": line.file,
                "was_line": line.was_line,
                "line": line.line,
                "before": line.before,
                "after": line.after,
            }
            for line in function.lines
        ]
    return entry


def _heap(diff: HeapDiff) -> dict[str, Any]:
    def side(figures: HeapFigures) -> dict[str, int]:
        return {
            "peak_bytes": figures.peak.total_bytes,
            "peak_snapshot": figures.peak.index,
            "held_bytes": figures.held,
            "growth_bytes": figures.growth,
        }

    before, after = diff.before.peak.total_bytes, diff.after.peak.total_bytes
    return {
        "before": side(diff.before),
        "after": side(diff.after),
        "peak_delta_bytes": after - before,
        "peak_ratio": ratio(before, after),
        "stacks": [
            {
                "before": stack.before,
                "after": stack.after,
                "delta": stack.delta,
                "stack": [frame.fn or frame.obj or "???" for frame in stack.frames],
            }
            for stack in diff.stacks[:MOST_STACKS]
        ],
    }


def _runs(delta: RunsDelta) -> dict[str, Any]:
    return {
        "name": delta.name,
        "unit": delta.unit,
        "before": list(delta.before),
        "after": list(delta.after),
        "medians": list(delta.medians),
        "interval": None if delta.interval is None else list(delta.interval),
        "p": delta.p,
        "verdict": delta.verdict.value,
    }
