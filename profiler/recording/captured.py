"""What a run left on disk and what it took, and who records it."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from collectors.devices.device import ExitStatus, ResourceUsage, RunningJob
from collectors.devices.thermal import Thermal
from collectors.errors import ParseError
from collectors.records.samples import SampleProfile
from collectors.tools.tool import Sampler
from collectors.tools.valgrind import Outcome, Verdict
from profiler.manifest import UNSAMPLED, CapturedFile, NativeRun, Recorder, State
from profiler.recording.recorder import boot_id, started_ticks

_SAMPLED_INTERVALS = 3.0  # a run of so many intervals has been sampled
# A job keeps 64 KiB in reserve for its last words, and gives them back before it looks.
_FULL_BYTES = 128 << 10


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


def full_storage(usage: ResourceUsage | None) -> str | None:
    """What to say where a run ended with no room left: nobody else may have noticed."""
    left = None if usage is None else usage.storage_left
    if left is None or left > _FULL_BYTES:
        return None
    return (
        "the device's storage was full when it ended, so that output may be cut off: remove "
        "files there and record again"
    )


def shell_status(status: ExitStatus | None) -> int | None:
    """128 + n for signal n; None where nobody saw the end."""
    return status.shell_status if status is not None and status.is_known else None


def native_run(
    running: RunningJob,
    status: ExitStatus | None,
    wall: float,
    thermal: tuple[Thermal, ...] = (),
) -> NativeRun:
    """What a native run took, as the device tells; else `wall` seconds as seen from here."""
    usage = running.usage
    return NativeRun(
        exit_status=shell_status(status),
        wall_seconds=round(usage.wall_seconds if usage else wall, 3),
        cpu_seconds=None
        if usage is None or usage.cpu_seconds is None
        else round(usage.cpu_seconds, 3),
        max_rss_bytes=usage.max_rss_bytes if usage else None,
        thermal=thermal,
    )


def outcome_of(
    verdict: Verdict, usage: ResourceUsage | None, *, has_output: bool, has_end: bool
) -> tuple[State, str | None]:
    """The state of a capture by a Valgrind tool, and why it is not complete, where it is not.

    `has_end` is False for a target that goes on until it is stopped, such as an app.
    """
    full = full_storage(usage)
    note = full or verdict.reason
    if verdict.outcome is Outcome.VALGRIND_FAILED or not has_output:
        return State.FAILED, note or "it ended without having written any results"
    if full is not None:
        return State.PARTIAL, note
    if verdict.outcome is Outcome.STOPPED and not has_end:
        return State.COMPLETE, note
    if verdict.outcome in {Outcome.STOPPED, Outcome.KILLED}:
        return State.PARTIAL, note
    return State.COMPLETE, note


def sampled_state(files: Sequence[CapturedFile], *, cut_off: bool) -> State:
    """The state of a capture by a sampler."""
    if not files:
        return State.FAILED
    return State.PARTIAL if cut_off else State.COMPLETE


def unsampled(sampler: Sampler, folder: Path, wall: float, interval: float) -> str | None:
    """What to say of a sampler that had no time for a sample; None where it had."""
    if wall > _SAMPLED_INTERVALS * interval:  # not to read what may be large
        return None
    try:
        profiles = [
            sampler.read(file) for file in folder.iterdir() if sampler.is_output(file.name)
        ]
    except (ParseError, OSError):
        return None  # who reads the session is told of its damage
    samples = [p.samples for p in profiles if isinstance(p, SampleProfile)]
    return None if any(samples) or not samples else UNSAMPLED


def state_of(captures: Sequence[State], *, whole: bool) -> State:
    """A session's state by its captures'; `whole` says that none is missing."""
    if whole and all(state is State.COMPLETE for state in captures):
        return State.COMPLETE
    if any(state is not State.FAILED for state in captures):
        return State.PARTIAL
    return State.FAILED
