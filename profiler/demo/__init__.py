"""The recorded session that comes with the package, copied where it may be written to."""

import os
import shutil
from importlib.resources import as_file, files
from pathlib import Path

from collectors.errors import InputError
from profiler.store import Session, open_session

NAME = "demo-sample"


def demo_session(folder: Path | None = None) -> Session:
    """A copy of the demo's session below `folder` (default: the user's cache)."""
    if folder is None:
        base = os.environ.get("XDG_CACHE_HOME")
        folder = (Path(base) if base else Path.home() / ".cache") / "droidgrind"
    directory = folder / NAME
    if not (directory / "session.json").is_file():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            temporary = folder / f".{NAME}.{os.getpid()}"
            with as_file(files("profiler.demo") / "session") as packed:
                shutil.copytree(packed, temporary)
            temporary.rename(directory)
        except OSError as error:
            raise InputError(f"cannot copy the demo to {folder}: {error.strerror}") from error
    return open_session(directory)
