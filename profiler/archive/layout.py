"""The tables of an archive, their columns, and where their files lie.

ARCHIVE/TABLE/day=YYYY-MM-DD/SESSION.parquet; `day` is that of the recording, in UTC. The
column `session` is in every table. Types are DuckDB's names of Parquet's plain types.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Row = tuple[Any, ...]
FOLDER = "archive"
SCHEMA = 2
DAY = "day"

EVENTS = (
    *("Ir", "I1mr", "ILmr", "Dr", "D1mr", "DLmr", "Dw", "D1mw", "DLmw"),
    *("Bc", "Bcm", "Bi", "Bim"),
)
_SESSION = {"session": "VARCHAR"}

# Table → column → type. What was not measured is NULL.
TABLES: dict[str, dict[str, str]] = {
    "sessions": {
        **_SESSION,
        "created": "TIMESTAMP",
        "state": "VARCHAR",
        "target": "VARCHAR",
        "program": "VARCHAR",
        "serial": "VARCHAR",
        "model": "VARCHAR",
        "abi": "VARCHAR",
        "android": "VARCHAR",
        "kernel": "VARCHAR",
        "valgrind": "VARCHAR",
        "droidgrind": "VARCHAR",
        "build": "VARCHAR",
        "labels": "VARCHAR",
        "directory": "VARCHAR",
        "stamp": "VARCHAR",
        "exit_status": "BIGINT",
    },
    "metrics": {
        **_SESSION,
        "tool": "VARCHAR",
        "metric": "VARCHAR",
        "value": "DOUBLE",
        "unit": "VARCHAR",
    },
    "functions": {
        **_SESSION,
        "tool": "VARCHAR",
        "function": "VARCHAR",
        "file": "VARCHAR",
        "object": "VARCHAR",
        **dict.fromkeys(EVENTS, "BIGINT"),
    },
    "errors": {
        **_SESSION,
        "tool": "VARCHAR",
        "pid": "BIGINT",
        "kind": "VARCHAR",
        "what": "VARCHAR",
        "count": "BIGINT",
        "leaked_bytes": "BIGINT",
        "leaked_blocks": "BIGINT",
        "function": "VARCHAR",
        "file": "VARCHAR",
        "line": "BIGINT",
        "object": "VARCHAR",
        "stack": "VARCHAR",
    },
    "heap": {
        **_SESSION,
        "tool": "VARCHAR",
        "pid": "BIGINT",
        "snapshot": "BIGINT",
        "time": "BIGINT",
        "time_unit": "VARCHAR",
        "heap_bytes": "BIGINT",
        "extra_bytes": "BIGINT",
        "stacks_bytes": "BIGINT",
        "marked_peak": "BOOLEAN",
    },
    "threads": {
        **_SESSION,
        "tool": "VARCHAR",
        "pid": "BIGINT",
        "tid": "BIGINT",
        "thread": "VARCHAR",
        "run_seconds": "DOUBLE",
        "wait_seconds": "DOUBLE",
        "voluntary": "BIGINT",
        "involuntary": "BIGINT",
        "last_cpu": "BIGINT",
    },
}


@dataclass(frozen=True, slots=True)
class Archive:
    """The folder of an archive."""

    root: Path

    def file(self, table: str, created: str, session: str) -> Path:
        """Where a session's rows of a table are."""
        return self.root / table / f"{DAY}={_day(created)}" / f"{_file_name(session)}.parquet"

    def pattern(self, table: str) -> str:
        """All files of a table, as DuckDB and most other engines write it."""
        return str(self.root / table / f"{DAY}=*" / "*.parquet")

    def has(self, table: str) -> bool:
        return any((self.root / table).glob(f"{DAY}=*/*.parquet"))


def _day(created: str) -> str:
    """The day of an ISO 8601 time in UTC; a time without sense is the first day of all."""
    try:
        return datetime.fromisoformat(created).astimezone(UTC).strftime("%Y-%m-%d")
    except (ValueError, OverflowError):
        return "1970-01-01"


def _file_name(session: str) -> str:
    """Ids come from session.json, which anybody may have written: no path, no hidden file."""
    return re.sub(r"[^A-Za-z0-9._+-]", "_", session).lstrip(".")[:200] or "session"
