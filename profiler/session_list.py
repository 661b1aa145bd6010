"""The stored sessions in few words each, for lists; deleted where a person asks for it."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from collectors.errors import DroidgrindError, InputError
from profiler.finding_counts import FindingCounts
from profiler.manifest import State
from profiler.project import judge, known_counts, load_project
from profiler.store import open_session, session_directories


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One session as a list shows it; `trouble` says why one cannot be opened."""

    directory: Path
    id: str
    created: str
    state: State | None
    target: str
    device: str
    tools: tuple[str, ...]
    wall_seconds: float | None
    trouble: str | None = None
    findings: FindingCounts | None = None  # None: nobody has judged it yet
    raw_bytes: int = 0


def list_sessions(root: Path) -> list[SessionLine]:
    """All sessions below `root`, the newest first, damaged ones too."""
    project = load_project()
    suppressions = project.suppressing()
    lines: list[SessionLine] = []
    for directory in reversed(session_directories(root)):
        try:
            session = open_session(directory).with_suppressions(suppressions)
            findings = known_counts(session, project)
        except DroidgrindError as error:
            lines.append(
                SessionLine(directory, directory.name, "", None, "", "", (), None, str(error))
            )
            continue
        manifest = session.manifest
        lines.append(
            SessionLine(
                directory,
                session.id,
                manifest.created,
                session.state,
                manifest.target_label,
                manifest.device.model or manifest.device.serial,
                session.tools,
                manifest.wall_seconds,
                findings=findings,
                raw_bytes=sum(file.bytes for c in session.captures for file in c.files),
            )
        )
    return lines


def judged(line: SessionLine) -> SessionLine:
    """The same with its findings counted, which reads the session."""
    return replace(line, findings=judge(open_session(line.directory)))


def delete_session(directory: Path) -> None:
    """Remove a session from the disk. Raises `InputError` when it is recorded, or stays."""
    try:
        state = open_session(directory).state
    except InputError:
        state = None  # damaged: it may go
    if state is State.RECORDING:
        raise InputError(f"{directory} is being recorded: stop the recording first")
    try:
        shutil.rmtree(directory)
    except OSError as error:
        raise InputError(f"cannot delete {directory}: {error.strerror}") from error
