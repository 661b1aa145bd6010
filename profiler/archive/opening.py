"""The archive of a sessions folder, brought up to date and open for questions."""

import os
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from collectors.errors import InputError
from profiler.archive.database import Database
from profiler.archive.layout import FOLDER, Archive
from profiler.archive.update import Updated, archive_of, update_archive


@contextmanager
def open_archive(
    sessions: Path, tell: Callable[[int, int, str], None] = lambda _done, _of, _name: None
) -> Generator[tuple[Database, Updated]]:
    """Add what is new below `sessions`, then give a database that sees nothing else.

    Where the archive cannot be written, what is new is added to one that ends with the
    question.
    """
    archive = archive_of(sessions)
    if _writable(archive.root):
        with _opened(sessions, archive, tell) as opened:
            yield opened
        return
    try:
        passing = tempfile.TemporaryDirectory(prefix="droidgrind-archive-")
    except OSError as error:
        raise InputError(
            f"cannot write {archive.root}, nor a temporary folder: {error.strerror}"
        ) from error
    with passing as folder, _opened(sessions, _linked(archive, Path(folder)), tell) as opened:
        yield opened


@contextmanager
def _opened(
    sessions: Path, archive: Archive, tell: Callable[[int, int, str], None]
) -> Generator[tuple[Database, Updated]]:
    with Database(archive) as database:
        updated = update_archive(sessions, archive, database, tell)
        database.open_views()
        yield database, updated


def _writable(folder: Path) -> bool:
    """Whether files can be made in a folder, or the folder itself where it is not there."""
    there = next((f for f in (folder, *folder.parents) if f.exists()), folder)
    return os.access(there, os.W_OK | os.X_OK)


def _linked(archive: Archive, folder: Path) -> Archive:
    """The same files below another folder, without a copy of what may be gigabytes."""
    for file in archive.root.glob("*/*/*.parquet"):
        link = folder / FOLDER / file.relative_to(archive.root)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file.resolve())
    return Archive(folder / FOLDER)
