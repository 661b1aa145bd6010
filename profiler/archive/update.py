"""Bringing an archive up to date with the sessions of a folder."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from collectors.errors import DroidgrindError, InputError
from profiler.archive.database import Database
from profiler.archive.layout import FOLDER, SCHEMA, TABLES, Archive
from profiler.manifest import State
from profiler.store import MANIFEST_FILE, Session, open_session


@dataclass(frozen=True, slots=True)
class Updated:
    """How many sessions were added (or added anew), and which could not be, with the reason."""

    added: int
    failed: tuple[tuple[Path, str], ...]


def archive_of(sessions: Path) -> Archive:
    """The archive of a sessions folder."""
    return Archive(sessions / FOLDER)


def update_archive(
    sessions: Path,
    archive: Archive,
    database: Database,
    tell: Callable[[int, int, str], None] = lambda _done, _of, _name: None,
) -> Updated:
    """Add the sessions that are new or have changed; those still being recorded wait.

    Sessions that were deleted stay in the archive. `tell` hears how many are done, of how
    many, and which is next.
    """
    known = database.stamps()
    wanted: list[tuple[Session, str]] = []
    failed: list[tuple[Path, str]] = []
    for manifest in sorted(sessions.glob(f"*/{MANIFEST_FILE}")):
        try:
            stamp = stamp_of(manifest.parent)
            if stamp in known:
                continue
            session = open_session(manifest.parent)
        except DroidgrindError as error:
            failed.append((manifest.parent, str(error)))
            continue
        if session.state is not State.RECORDING:
            wanted.append((session, stamp))
    added = 0
    if not wanted:
        return Updated(0, tuple(failed))
    from profiler.archive.rows import session_rows  # with it come the readers of all shapes

    for place, (session, stamp) in enumerate(wanted):
        tell(place, len(wanted), session.id)
        try:
            rows = session_rows(session, stamp)
            # The row of `sessions` comes last: without it the session counts as missing.
            for table in (*(name for name in TABLES if name != "sessions"), "sessions"):
                file = archive.file(table, session.manifest.created, session.id)
                if rows[table]:
                    database.write(table, rows[table], file)
                else:
                    file.unlink(missing_ok=True)
        except DroidgrindError as error:
            failed.append((session.directory, str(error)))
            continue
        added += 1
    return Updated(added, tuple(failed))


def stamp_of(directory: Path) -> str:
    """Changes when the session's manifest does, or the archive's schema."""
    try:
        digest = hashlib.sha256((directory / MANIFEST_FILE).read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"{directory / MANIFEST_FILE}: {error.strerror}") from error
    return f"{SCHEMA}:{digest}"
