"""How many findings a session has, kept beside its tables: a list need not judge it again.

Format: `tables/findings.json`, `{"stamp": TEXT, "errors": N, "warnings": N, "notes": N}`. It is
derived and holds only for the session, rules and choices it was made by; the stamp tells.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from collectors.errors import InputError
from profiler.figures import plural
from profiler.finding import Finding, Severity
from profiler.json_fields import parse_json
from profiler.manifest import State
from profiler.session_writer import write_atomically
from profiler.store import Session
from profiler.tables.through import TABLES_FOLDER
from profiler.version import installed_version

_FILE = "findings.json"


@dataclass(frozen=True, slots=True)
class FindingCounts:
    """Findings by severity."""

    errors: int
    warnings: int
    notes: int

    def words(self) -> str:
        """`3 errors, 1 warning, 2 notes`."""
        parts = ((self.errors, "error"), (self.warnings, "warning"), (self.notes, "note"))
        return ", ".join(plural(number, word) for number, word in parts if number) or "none"


def counts_of(findings: Iterable[Finding]) -> FindingCounts:
    number = Counter(finding.severity for finding in findings)
    return FindingCounts(
        number[Severity.ERROR], number[Severity.WARNING], number[Severity.INFO]
    )


def kept_counts(session: Session, judged_by: object) -> FindingCounts | None:
    """What `keep_counts` left, if nothing has changed since."""
    try:
        document = parse_json((session.directory / TABLES_FOLDER / _FILE).read_bytes())
        if document.pop("stamp") != _stamp(session, judged_by):
            return None
        return FindingCounts(**document)
    except (OSError, ValueError, TypeError, AttributeError, KeyError):
        return None  # not judged yet, or by another version: it is derived, and made again


def keep_counts(
    session: Session, judged_by: object, findings: Iterable[Finding]
) -> FindingCounts:
    """Remember the counts; of a session that cannot be written to, or grows, they are not."""
    counts = counts_of(findings)
    if session.state is not State.RECORDING:
        document = {"stamp": _stamp(session, judged_by), **asdict(counts)}
        folder = session.directory / TABLES_FOLDER
        try:
            folder.mkdir(exist_ok=True)
            write_atomically(folder / _FILE, json.dumps(document).encode())
        except (OSError, InputError):
            return counts  # it only saves time
    return counts


def _stamp(session: Session, judged_by: object) -> str:
    """Changes with droidgrind, with what is judged by, and with what the session says."""
    files = sorted(
        (entry.name, entry.stat().st_mtime_ns)
        for entry in session.directory.iterdir()
        if entry.suffix == ".json"
    )
    said = repr((installed_version(), judged_by, session.suppressions, files))
    return hashlib.sha256(said.encode()).hexdigest()
