"""How much errors matter: one sign for a thing, in findings and wherever errors are listed."""

from collections.abc import Mapping, Sequence

from collectors.records.errors import ErrorProfile, ErrorRecord
from profiler.error_kinds import kind_words
from profiler.finding import RANK, Judged, worst
from profiler.rules.context import Context
from profiler.rules.errors import is_crash, judged_errors
from profiler.rules.leaks import LOST, leaks_of_unknown_places


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


def tool_severities(
    profiles: Mapping[str, Sequence[ErrorProfile]], context: Context
) -> dict[str, str]:
    """The worst of what each tool saw, `ok` where it saw nothing.

    The tools are judged together, as findings are: one cause may be seen by several.
    """
    together = [profile for group in profiles.values() for profile in group]
    records = [record for profile in together for record in profile.records]
    severities = iter(record_severities(records, judged_errors(together, context)))
    found: dict[str, str] = {}
    for tool, group in profiles.items():
        of_tool = [next(severities) for profile in group for _ in profile.records]
        of_tool += [f.severity.value for f in leaks_of_unknown_places(group, context)]
        crashes = [p for profile in group for p in profile.processes if is_crash(p)]
        found[tool] = worst([*of_tool, *("error" for _ in crashes), "ok"])
    return found
