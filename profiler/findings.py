"""The assistant's advice: what is wrong in a session, why one may believe so, what to do.

Findings are made by rules (profiler/rules/), each a pure function of profiles. Every one
has figures of its session as evidence and leads to the place where they can be seen.
"""

from collections.abc import Iterator
from typing import Any, TypeVar

from collectors import registry
from collectors.records.errors import ErrorProfile
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
    from profiler.rules import errors

    known = registry.tool_names()
    of_shape: dict[Shape, dict[str, tuple[Profile, ...]]] = {}
    for tool in session.tools:
        if tool in known:
            group = session.profiles(tool)
            of_shape.setdefault(registry.tool(tool).shape, {})[tool] = group
    found_errors = _of(of_shape.get(Shape.ERRORS, {}), ErrorProfile)
    yield from errors.error_findings(found_errors, context)


def _of(groups: dict[str, tuple[Profile, ...]], kind: type[_P]) -> tuple[_P, ...]:
    return tuple(p for group in groups.values() for p in group if isinstance(p, kind))
