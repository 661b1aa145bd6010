"""The assistant's advice: what is wrong in a session, why one may believe so, what to do.

Findings are made by rules (profiler/rules/), each a pure function of profiles. Every one
has figures of its session as evidence and leads to the place where they can be seen.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from collectors import registry
from collectors.records.cost import CostProfile
from collectors.records.errors import ErrorProfile
from collectors.records.heap import HeapProfile
from collectors.records.samples import SampleProfile, Scope
from collectors.records.shared import Shape
from collectors.tools.tool import Profile
from profiler.finding import Finding, Place, Severity, View, place, worst_first
from profiler.own_code import OwnCode
from profiler.rules.context import Context
from profiler.store import Session
from profiler.thresholds import Thresholds

__all__ = [
    "Finding",
    "Place",
    "Severity",
    "View",
    "finding_json",
    "place",
    "session_findings",
    "worst_first",
]

_P = TypeVar("_P")


def session_findings(
    session: Session,
    *,
    thresholds: Thresholds | None = None,
    own: OwnCode | None = None,
) -> tuple[Finding, ...]:
    """What every rule finds in a session, the worst first.

    Without `own`, what is the person's own code is guessed from the target.
    """
    context = Context(
        session.manifest,
        thresholds or Thresholds(),
        own or OwnCode.guessed(session.manifest.target.argv),
    )
    return worst_first(_all(session, context))


def finding_json(finding: Finding) -> dict[str, Any]:
    """A finding as `show --json` has it (docs/json.md)."""
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "title": finding.title,
        "evidence": finding.evidence,
        "advice": finding.advice,
        "place": finding.place.fragment,
        "fingerprint": finding.fingerprint,
    }


def _all(session: Session, context: Context) -> Iterator[Finding]:
    from profiler.functions import function_costs
    from profiler.rules.cache import cache_findings
    from profiler.rules.errors import error_findings
    from profiler.rules.heap import heap_findings
    from profiler.rules.held import held_at_exit
    from profiler.rules.scheduling import scheduling_findings
    from profiler.rules.trust import Recorded, trust_findings

    known = registry.tool_names()  # a newer droidgrind may have recorded with other tools
    tools = [tool for tool in session.tools if tool in known]
    of_shape: dict[Shape, dict[str, tuple[Profile, ...]]] = {shape: {} for shape in Shape}
    for tool in tools:
        of_shape[registry.shape(tool)][tool] = session.profiles(tool)
    errors = _of(of_shape[Shape.ERRORS], ErrorProfile)
    # Two tools that counted the same run's instructions have no sum: the first one speaks.
    costs = next(
        (
            found
            for tool, group in of_shape[Shape.COST].items()
            if (found := _of({tool: group}, CostProfile))
        ),
        (),
    )
    heaps = _of(of_shape[Shape.HEAP], HeapProfile)
    samples = {
        tool: profile
        for tool, group in of_shape[Shape.SAMPLES].items()
        for profile in _of({tool: group[:1]}, SampleProfile)
    }
    readings = [session.reading(tool) for tool in tools]
    damage = [(reading.tool, item) for reading in readings for item in reading.all_damage()]
    read = {reading.tool: reading.file_names for reading in readings}
    yield from error_findings(errors, context)
    table = function_costs(costs) if costs else None  # summed once for all rules
    yield from cache_findings(costs, context, table)
    # Leaks that are suppressed are missing in the sum of what is in use.
    held = held_at_exit(() if session.suppressions else errors, heaps, context)
    yield from heap_findings(heaps, costs, context, table, held=held)
    yield from scheduling_findings(samples, context)
    threads = next((t for p in samples.values() if (t := p.table(Scope.THREAD))), None)
    recorded = Recorded(session.captures, errors, costs, heaps, damage, threads, read)
    yield from trust_findings(recorded, context)


def _of(groups: Mapping[str, tuple[Profile, ...]], kind: type[_P]) -> tuple[_P, ...]:
    return tuple(p for group in groups.values() for p in group if isinstance(p, kind))
