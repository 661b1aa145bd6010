"""The archive of a sessions folder, brought up to date and open for questions."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from profiler.archive.database import Database
from profiler.archive.update import Updated, archive_of, update_archive


@contextmanager
def open_archive(
    sessions: Path, tell: Callable[[int, int, str], None] = lambda _done, _of, _name: None
) -> Generator[tuple[Database, Updated]]:
    """Add what is new below `sessions`, then give a database that sees nothing else."""
    archive = archive_of(sessions)
    with Database(archive) as database:
        updated = update_archive(sessions, archive, database, tell)
        database.open_views()
        yield database, updated
