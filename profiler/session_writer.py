"""Writing a session: its directory, and each change of its manifest, in one step."""

import json
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from collectors.errors import InputError, UsageError
from profiler.manifest import CaptureEntry, Manifest, manifest_to_json
from profiler.store import EVENTS_FILE, MANIFEST_FILE, RAW_FOLDER


def session_id(created: datetime, program: str) -> str:
    """`20261122-101500-benchncnn`: the local time and the program's name."""
    name = re.sub(r"[^A-Za-z0-9._+-]+", "-", Path(program).name).strip("-.")[:40]
    return f"{created:%Y%m%d-%H%M%S}-{name or 'session'}"


def check_parent(output: Path) -> None:
    """Raises `UsageError` where the folder that a file is to be written to is not there."""
    if not output.parent.is_dir():
        raise UsageError(f"{output}: there is no folder {output.parent}: create it first")


class SessionWriter:
    """Writes a session; every change of the manifest replaces the file in one step."""

    def __init__(self, directory: Path, manifest: Manifest) -> None:
        self.directory = directory
        self.manifest = manifest

    @classmethod
    def create(cls, directory: Path, manifest: Manifest) -> "SessionWriter":
        """Make the directory with its manifest in it, both or neither.

        Raises `InputError` when the directory exists or cannot be made.
        """
        if directory.is_file() or (directory.is_dir() and any(directory.iterdir())):
            raise InputError(f"{directory} is there already: a session needs a new folder")
        temporary = directory.parent / f".{directory.name}.{os.getpid()}.new"
        try:
            directory.parent.mkdir(parents=True, exist_ok=True)
            temporary.mkdir()
            writer = cls(temporary, manifest)
            writer.save(manifest)
            (temporary / RAW_FOLDER).mkdir()
            os.rename(temporary, directory)  # noqa: PTH104  # fails on a directory with content
        except OSError as error:
            shutil.rmtree(temporary, ignore_errors=True)
            raise InputError(f"cannot create {directory}: {error.strerror}") from error
        return cls(directory, manifest)

    def save(self, manifest: Manifest) -> None:
        """Replace the manifest, durably. Raises `InputError` when the disk refuses."""
        self.manifest = manifest
        text = json.dumps(manifest_to_json(manifest), indent=1, ensure_ascii=True)
        write_atomically(self.directory / MANIFEST_FILE, text.encode())

    def put_capture(self, entry: CaptureEntry) -> None:
        """Add a capture, or replace the one of the same tool."""
        others = [old for old in self.manifest.captures if old.tool != entry.tool]
        position = next(
            (i for i, old in enumerate(self.manifest.captures) if old.tool == entry.tool),
            len(others),
        )
        others.insert(position, entry)
        self.save(replace(self.manifest, captures=tuple(others)))

    def folder(self, name: str) -> Path:
        """The folder for raw files of this name, made if it is not there."""
        folder = self.directory / RAW_FOLDER / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def event(self, what: str, **details: object) -> None:
        """Append to the log of what droidgrind does."""
        line = {"time": now().isoformat(timespec="milliseconds"), "event": what, **details}
        file = self.directory / EVENTS_FILE
        try:
            with file.open("ab") as log:
                log.write(json.dumps(line, default=str).encode() + b"\n")
        except OSError as error:
            raise InputError(f"cannot write {file}: {error.strerror}") from error


def write_atomically(file: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old or the new content, never a part."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise InputError(f"cannot write {file}: {error.strerror}") from error


def now() -> datetime:
    return datetime.now().astimezone()


def new_session_directory(root: Path, created: datetime, argv: Sequence[str]) -> Path:
    """A directory name below `root` that no session has yet."""
    name = session_id(created, argv[0] if argv else "")
    directory = root / name
    number = 2
    while directory.exists():
        directory = root / f"{name}-{number}"
        number += 1
    return directory
