"""Parquet: a file for each table of docs/archive.md that has rows. Needs DuckDB."""

from pathlib import Path

from profiler.archive.database import Database
from profiler.archive.layout import Archive
from profiler.archive.rows import session_rows
from profiler.store import Session


def write(session: Session, folder: Path) -> None:
    with Database(Archive(folder)) as database:
        for table, rows in session_rows(session, "").items():
            if rows:
                database.write(table, rows, folder / f"{table}.parquet")
