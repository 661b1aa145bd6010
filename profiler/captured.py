"""What a run left on disk, and who records it."""

import hashlib
import os
from pathlib import Path

from profiler.manifest import CapturedFile, Recorder
from profiler.recorder import boot_id, started_ticks


def captured_files(folder: Path) -> tuple[CapturedFile, ...]:
    """The files below a capture's folder with their sizes and hashes, by name."""
    found: list[CapturedFile] = []
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.is_symlink():
            with file.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            name = file.relative_to(folder).as_posix()
            found.append(CapturedFile(name, file.stat().st_size, digest))
    return tuple(found)


def this_process() -> Recorder:
    """The running process, so that other processes can see whether it is still there."""
    pid = os.getpid()
    return Recorder(pid, started_ticks(pid) or 0, boot_id())
