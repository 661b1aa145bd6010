"""One cell: `droidgrind record` in a process of its own, wherever the device is.

A process keeps a crash, a signal and a time-out of one recording from all others, and lets a
worker's end take its recording with it.
"""

import fcntl
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from collectors.devices.local import die_with_parent
from collectors.errors import DeviceError, InputError, Interrupted, ToolError
from profiler.fleet.plan import Cell
from profiler.manifest import State
from profiler.store import MANIFEST_FILE, open_session

_RECORD = ("-m", "tui.cli", "record", "--quiet")
_MOST_STDERR = 4000
_running: set["subprocess.Popen[bytes]"] = set()


class Outcome(StrEnum):
    """How an attempt ended: `lost` ones are worth another try."""

    DONE = "done"
    FAILED = "failed"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class CellJob:
    """What a worker needs to record one cell.

    `folder` is the plan's own, against which paths are meant. The session is written to
    `destination`; None: to a temporary folder of the worker, and sent back packed.
    """

    cell: Cell
    folder: str
    timeout: float | None
    destination: str | None


@dataclass(frozen=True, slots=True)
class CellResult:
    """How a cell's attempt ended. `packed` is the session as a tar file, where it was asked."""

    outcome: Outcome
    reason: str
    exit_code: int | None
    wall_seconds: float
    packed: bytes | None = None


def record_cell(job: CellJob) -> CellResult:
    """Record one cell and wait for its end. Only one at a time runs on a device."""
    began = time.monotonic()
    with _device_lock(job.cell.device.serial) as lock:
        if job.destination is not None:
            destination = Path(job.destination)
            if is_complete(destination):  # by a worker that died before it could say so
                return CellResult(Outcome.DONE, "", 0, time.monotonic() - began)
            set_aside(destination)
            return _run(job, destination, lock, began)
        with tempfile.TemporaryDirectory(prefix="droidgrind-fleet-") as folder:
            session = Path(folder) / job.cell.id
            result = _run(job, session, lock, began)
            if (session / MANIFEST_FILE).is_file():
                packed = pack_session(session)
                return CellResult(
                    result.outcome, result.reason, result.exit_code, result.wall_seconds, packed
                )
            return result


def _run(job: CellJob, session: Path, lock: int, began: float) -> CellResult:
    with subprocess.Popen(
        command(job, session),
        cwd=job.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        pass_fds=(lock,),  # a recording that outlives its worker still holds its device
        preexec_fn=die_with_parent,  # one system call
    ) as process:
        _running.add(process)
        assert process.stderr is not None  # noqa: S101  # it was asked for
        words = process.stderr.read().decode("utf-8", "backslashreplace")
    _running.discard(process)
    outcome, reason = _judge(process.returncode, words)
    return CellResult(outcome, reason, process.returncode, time.monotonic() - began)


def command(job: CellJob, session: Path) -> list[str]:
    """The recording's command line."""
    cell = job.cell
    target = cell.target
    words = [sys.executable, *_RECORD, "-s", cell.device.serial, "-t", cell.tools]
    words += ["-o", str(session), "--label", f"target={target.name}"]
    words += ["--label", f"device={cell.device.name}", "--label", f"repeat={cell.repeat}"]
    for name, value in target.labels.items():
        words += ["--label", f"{name}={value}"]
    if job.timeout is not None:
        words += ["--timeout", f"{job.timeout:g}"]
    if target.cwd is not None:
        words += ["--cwd", target.cwd]
    for name, value in target.env.items():
        words += ["--env", f"{name}={value}"]
    for file in target.push:
        words += ["--push", file]
    return [*words, *target.record_args, "--", *target.program]


def _judge(code: int, stderr: str) -> tuple[Outcome, str]:
    """What the exit code means for the plan, and droidgrind's last words as the reason."""
    said = re.findall(r"^droidgrind: (.+)$", stderr[-_MOST_STDERR:], re.MULTILINE)
    last = said[-1] if said else ""
    if code == 0:
        return Outcome.DONE, ""
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return Outcome.LOST, f"the recording was killed ({name})"
    if code in (DeviceError.exit_code, Interrupted.exit_code):
        return Outcome.LOST, last or f"exit code {code}"
    if code == ToolError.exit_code:
        return Outcome.FAILED, last or "a tool failed"
    return Outcome.FAILED, last or f"exit code {code}"


@contextmanager
def _device_lock(serial: str) -> Generator[int]:
    """Wait until nothing else of a fleet records on this device from this machine."""
    folder = Path(tempfile.gettempdir()) / f"droidgrind-fleet-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / f"{re.sub(r'[^A-Za-z0-9.-]', '_', serial)}.lock"
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def end_recordings() -> None:
    """Tell every recording that this process started to end; they keep what they have."""
    for process in tuple(_running):
        process.send_signal(signal.SIGTERM)


def is_complete(session: Path) -> bool:
    try:
        return open_session(session).state is State.COMPLETE
    except InputError:
        return False


def set_aside(session: Path) -> None:
    """Give what an attempt left another name (`….lost-1`), so that the next has its place."""
    number = 1
    while session.exists():
        aside = session.with_name(f"{session.name}.lost-{number}")
        if not aside.exists():
            session.rename(aside)
        number += 1


def pack_session(session: Path) -> bytes:
    """A session's folder as a compressed tar file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        archive.add(session, arcname="session")
    return buffer.getvalue()


def unpack_session(packed: bytes, destination: Path) -> None:
    """Write a packed session; its folder is there whole or not at all.

    Raises `InputError` where it cannot be written. No member gets out of the folder.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=".unpack-") as folder:
        try:
            with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
                for member in archive:
                    _unpack(archive, member, Path(folder))
            (Path(folder) / "session").rename(destination)
        except (OSError, tarfile.TarError) as error:
            raise InputError(f"cannot write {destination}: {error}") from error


def _unpack(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Write one folder or file below `folder`; anything else is no part of a session.

    (`extractall(filter="data")` is younger than the oldest Python that this runs on.)
    """
    parts = PurePosixPath(member.name).parts
    if not parts or parts[0] != "session" or ".." in parts:
        raise tarfile.TarError(f"{member.name!r} leads out of the session")
    target = folder.joinpath(*parts)
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    content = archive.extractfile(member) if member.isfile() else None
    if content is None:
        raise tarfile.TarError(f"{member.name!r} is neither a file nor a folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as out:
        shutil.copyfileobj(content, out)
