"""What was watched, kept as a session like any other."""

from dataclasses import replace
from pathlib import Path

from collectors.errors import InputError
from profiler.manifest import CaptureEntry, Manifest, State, TargetEntry
from profiler.recording.captured import captured_files
from profiler.session_writer import SessionWriter, new_session_directory, now
from profiler.version import installed_version
from profiler.watching.live import Watcher


def keep_watch(watcher: Watcher, root: Path) -> Path:
    """Store what an ended watcher sampled as a session below `root`; return its directory."""
    if watcher.facts is None or not watcher.files:
        raise InputError("nothing was sampled yet: there is nothing to keep")
    request = watcher.request
    created = now()
    name = request.name or ("system" if request.pid is None else f"pid-{request.pid}")
    directory = new_session_directory(root, created, (f"watch-{name}",))
    writer = SessionWriter.create(
        directory,
        Manifest(
            id=directory.name,
            state=State.PARTIAL,
            created=created.isoformat(timespec="seconds"),
            droidgrind=installed_version(),
            target=TargetEntry((), pid=request.pid),
            device=watcher.facts,
            plan=("schedstat",),
        ),
    )
    watcher.keep(writer.folder("schedstat"))
    entry = CaptureEntry(
        "schedstat",
        State.COMPLETE,
        started=created.isoformat(timespec="milliseconds"),
        files=captured_files(writer.folder("schedstat")),
        note="kept from `droidgrind watch`",
    )
    writer.event("kept", subject=request.label)
    writer.save(
        replace(
            writer.manifest,
            state=State.COMPLETE,
            captures=(entry,),
            finished=now().isoformat(timespec="seconds"),
        )
    )
    return directory
