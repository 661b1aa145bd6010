"""A line of a page's first screen: a verdict, its evidence, the next step, the place."""

from collections.abc import Iterable
from dataclasses import dataclass

from profiler.finding import RANK, Finding


@dataclass(frozen=True, slots=True)
class Headline:
    """`link` is the place in the page; `rule` is known to `droidgrind explain`."""

    severity: str
    title: str
    evidence: str
    advice: str
    link: str
    rule: str = ""
    weight: float = 0.0


def headlines(findings: Iterable[Finding]) -> list[Headline]:
    """Findings as lines of the first screen."""
    return [
        Headline(
            finding.severity.value,
            finding.title,
            finding.evidence,
            finding.advice,
            finding.place.fragment,
            finding.rule,
            finding.weight,
        )
        for finding in findings
    ]


def worst_first(found: Iterable[Headline]) -> list[Headline]:
    """In the order in which a reader should see them."""
    return sorted(found, key=lambda headline: (RANK[headline.severity], -headline.weight))
