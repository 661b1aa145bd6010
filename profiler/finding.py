"""What a finding is: one piece of the assistant's advice, its evidence and its place."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode


class Severity(StrEnum):
    """How much a finding matters, the worst first."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class View(StrEnum):
    """Where a finding's figures are shown, in dashboard, report and text alike."""

    SCHEDULING = "scheduling"
    HEAP = "heap"
    CACHE = "cache"
    ERRORS = "errors"


@dataclass(frozen=True, slots=True)
class Place:
    """A view and what to look at in it.

    Keys by view: errors `record` (number of the record over all profiles of the session's
    error tools, from 0); heap `process` (number of the profile, left out for 0) and
    `snapshot`; cache `function` (as `short_name` writes it, its last part), `file`, `line`;
    scheduling `thread` (tid).
    """

    view: View
    keys: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str | None:
        return dict(self.keys).get(name)

    @property
    def fragment(self) -> str:
        """The report's deep link without its `#`, such as `errors/record=12`."""
        return f"{self.view}/{urlencode(self.keys)}" if self.keys else str(self.view)


def place(view: View, **keys: object) -> Place:
    """A place from keyword arguments; those that are None are left out."""
    return Place(view, tuple((k, str(v)) for k, v in keys.items() if v is not None))


@dataclass(frozen=True, slots=True)
class Finding:
    """One piece of advice.

    `title` is the verdict in few words, `evidence` the figures of this session and the
    reason in one sentence, `advice` the next step. `fingerprint` is the same for the same
    finding in another run (profiler/fingerprint.py). `weight` orders findings of one
    severity, more being worse; it means nothing across rules beyond that.
    """

    rule: str
    severity: Severity
    title: str
    evidence: str
    advice: str
    place: Place
    fingerprint: str
    weight: float = 0.0

    @property
    def docs(self) -> str:
        """The rule's page below docs/."""
        return f"findings/{self.rule}.md"


# A finding, and the places among all records of those that it speaks of.
Judged = tuple[Finding, Sequence[int]]

# The worst first; `ok` is what is said where nothing was found.
RANK: dict[str, int] = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2, "ok": 3}


def worst(severities: Iterable[str]) -> str:
    return min(severities, key=RANK.__getitem__)


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """In the order in which a person should see them; ties stay as they came."""
    return tuple(sorted(findings, key=lambda f: (RANK[f.severity], -f.weight)))
