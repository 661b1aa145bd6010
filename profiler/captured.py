"""What a run left on disk and what it took, and who records it."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from collectors.devices.device import ExitStatus, RunningJob
from profiler.manifest import CapturedFile, NativeRun, Recorder, State
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


def native_run(running: RunningJob, status: ExitStatus | None, wall: float) -> NativeRun:
    """What a native run took, as the device tells; else `wall` seconds as seen from here."""
    usage = running.usage
    return NativeRun(
        exit_status=status.shell_status if status is not None and status.is_known else None,
        wall_seconds=round(usage.wall_seconds if usage else wall, 3),
        cpu_seconds=None
        if usage is None or usage.cpu_seconds is None
        else round(usage.cpu_seconds, 3),
        max_rss_bytes=usage.max_rss_bytes if usage else None,
    )


def shell_status(status: ExitStatus | None) -> int | None:
    """The status as a shell would say it; None where nobody saw the end."""
    return status.shell_status if status is not None and status.is_known else None


def state_of(captures: Sequence[State], *, whole: bool) -> State:
    """A session's state by its captures'; `whole` says that none is missing."""
    if whole and all(state is State.COMPLETE for state in captures):
        return State.COMPLETE
    if any(state is not State.FAILED for state in captures):
        return State.PARTIAL
    return State.FAILED
