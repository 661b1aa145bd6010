"""How much errors matter: one sign for a thing, in the findings and in the lists below them."""

from collections.abc import Sequence

from collectors.records.errors import ErrorRecord
from profiler.error_kinds import kind_words
from profiler.finding import Judged
from profiler.report.headline import RANK
from profiler.rules.leaks import LOST


def worst(severities: Sequence[str]) -> str:
    return min(severities, key=RANK.__getitem__)


def record_severities(records: Sequence[ErrorRecord], judged: Sequence[Judged]) -> list[str]:
    """What the finding on each record says.

    What no finding speaks of weighs as its kind does, but a block that is lost along with
    another no more than that.
    """
    said = {place: finding.severity.value for finding, places in judged for place in places}
    lost = [severity for place, severity in said.items() if records[place].kind == LOST]
    found: list[str] = []
    for place, record in enumerate(records):
        severity = said.get(place) or kind_words(record.kind).severity
        if lost and record.kind == "Leak_IndirectlyLost":
            severity = max(severity, worst(lost), key=RANK.__getitem__)
        found.append(severity)
    return found


def kind_severities(records: Sequence[ErrorRecord], judged: Sequence[Judged]) -> dict[str, str]:
    """The worst of each kind's records."""
    found: dict[str, str] = {}
    for record, severity in zip(records, record_severities(records, judged), strict=True):
        found[record.kind] = worst((found.get(record.kind, severity), severity))
    return found
