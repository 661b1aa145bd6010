"""Two sessions compared, all four shapes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from collectors import registry
from collectors.records.cost import CostProfile
from collectors.records.errors import ErrorProfile
from collectors.records.heap import HeapProfile
from collectors.records.shared import Shape
from collectors.tools.tool import Profile
from profiler.diff.comparable import (
    cost_events,
    heap_refusal,
    program_name,
    session_warnings,
    tool_warning,
)
from profiler.diff.compared import Compared
from profiler.diff.cost import CostDiff, cost_diff
from profiler.diff.errors import ErrorChange, error_changes
from profiler.diff.heap import HeapDiff, heap_diff, largest
from profiler.diff.runs import RunsDelta
from profiler.diff.scheduling import scheduling_diff

NEITHER = "neither has any"
_P = TypeVar("_P", bound=Profile)


@dataclass(slots=True)
class SessionDiff:
    """What changed from `baseline` to `session`. None: not measured in both, or `refused`.

    `missing` tells for each part that is None, and was not refused, what is missing where.
    `heap_profiles` are the processes that `heap` is of.
    """

    baseline: Compared
    session: Compared
    warnings: list[str] = field(default_factory=list[str])
    refused: dict[str, str] = field(default_factory=dict[str, str])
    missing: dict[str, str] = field(default_factory=dict[str, str])
    errors: Sequence[ErrorChange] | None = None
    error_tools: tuple[str, ...] = ()
    cost: CostDiff | None = None
    cost_tool: str = "cachegrind"
    heap: HeapDiff | None = None
    heap_profiles: tuple[HeapProfile, HeapProfile] | None = None
    scheduling: Sequence[RunsDelta] | None = None


def compare(baseline: Compared, session: Compared) -> SessionDiff:
    """Compare two sessions (`compared` makes a side of a stored one)."""
    warnings, refused = session_warnings(baseline, session)
    diff = SessionDiff(baseline, session, warnings, refused)
    _errors(diff)
    _cost(diff)
    _heap(diff)
    if "scheduling" not in refused:
        diff.scheduling = scheduling_diff(baseline, session) or None
        if diff.scheduling is None:
            runs = [bool(side.runs()) for side in (baseline, session)]
            diff.missing["scheduling"] = (
                "the native runs have no figure in common"
                if all(runs)
                else NEITHER
                if not any(runs)
                else f"{'the session' if runs[0] else 'the baseline'} has no native run"
            )
    diff.warnings.extend(_one_sided(diff))
    return diff


_PARTS = {
    Shape.ERRORS: "errors",
    Shape.COST: "cost",
    Shape.HEAP: "heap",
    Shape.SAMPLES: "scheduling",
}


def _one_sided(diff: SessionDiff) -> Iterator[str]:
    """Tools that only one side has; where a whole part is missing, that is said there."""
    sides = {"the baseline": diff.baseline.tools, "the session": diff.session.tools}
    for (side, names), other in zip(sides.items(), reversed(sides.values()), strict=True):
        for tool in names:
            if tool in other or tool not in registry.tool_names():
                continue
            if _PARTS[registry.shape(tool)] not in diff.missing:
                yield f"{tool} is in {side} only: it is not compared"


def _common(
    diff: SessionDiff, shape: Shape, part: str, kind: type[_P]
) -> tuple[str, tuple[Sequence[_P], Sequence[_P]] | None]:
    """The first tool of a shape that both sessions have, and its profiles."""
    return next(_all_common(diff, shape, part, kind), ("", None))


def _all_common(
    diff: SessionDiff, shape: Shape, part: str, kind: type[_P]
) -> Iterator[tuple[str, tuple[Sequence[_P], Sequence[_P]]]]:
    """Each tool of a shape that both sessions have; says what is missing where none is."""
    tools = [registry.of_shapes(s.tools, shape) for s in (diff.baseline, diff.session)]
    found = False
    for tool in tools[1]:
        if tool in tools[0]:
            groups = [
                [p for p in s.profiles(tool) if isinstance(p, kind)]
                for s in (diff.baseline, diff.session)
            ]
            if all(groups):
                entries = (diff.baseline.capture(tool), diff.session.capture(tool))
                warning = tool_warning(*entries, (groups[0], groups[1]))
                if warning:
                    diff.warnings.append(warning)
                found = True
                yield tool, (groups[0], groups[1])
    if not found:
        diff.missing[part] = _lacking(tools)


def _lacking(tools: Sequence[Sequence[str]]) -> str:
    lacking = [
        side
        for side, names in zip(("the baseline", "the session"), tools, strict=True)
        if not names
    ]
    if len(lacking) == 2:
        return NEITHER
    if lacking:
        return f"{lacking[0]} has none"
    return "a capture could not be read, or the tools differ"


def _errors(diff: SessionDiff) -> None:
    before: list[ErrorProfile] = []
    after: list[ErrorProfile] = []
    # Each tool finds errors of its own: all that both sessions have are compared.
    for tool, (old, new) in _all_common(diff, Shape.ERRORS, "errors", ErrorProfile):
        diff.error_tools += (tool,)
        before += old
        after += new
    if after:
        programs = program_name(diff.baseline), program_name(diff.session)
        diff.errors = error_changes(before, after, programs)


def _cost(diff: SessionDiff) -> None:
    if "cost" in diff.refused:
        return
    tool, groups = _common(diff, Shape.COST, "cost", CostProfile)
    if groups is None:
        return
    events, warning = cost_events(*groups)
    if warning:
        diff.warnings.append(f"{tool}: {warning}")
    diff.cost_tool = tool
    diff.cost = cost_diff(*groups, events=events)


def _heap(diff: SessionDiff) -> None:
    _, groups = _common(diff, Shape.HEAP, "heap", HeapProfile)
    if groups is None:
        return
    reason = heap_refusal(*groups)
    if reason:
        diff.refused["heap"] = reason
        return
    before, after = (largest(group) for group in groups)
    if before is None or after is None:
        diff.missing["heap"] = "Massif took no snapshot"
        return
    diff.heap = heap_diff(before, after)
    diff.heap_profiles = before, after
