"""A session from files that somebody else's run wrote."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from collectors import registry
from collectors.devices.device import DeviceFacts
from collectors.errors import InputError
from profiler.captured import captured_files
from profiler.manifest import CaptureEntry, Manifest, State, TargetEntry
from profiler.session_writer import SessionWriter, new_session_directory, now
from profiler.store import Session, open_session
from profiler.version import installed_version

HEAD_BYTES = 1 << 16


def import_files(
    files: Sequence[Path],
    root: Path,
    *,
    directory: Path | None = None,
    labels: Mapping[str, str] | None = None,
) -> Session:
    """Copy `files` into a new session, each to the tool whose output it is.

    Raises `InputError` for a file that cannot be read or is of no known kind; nothing is
    made then.
    """
    kinds = [(file, _kind(file)) for file in files]
    created = now()
    if directory is None:
        directory = new_session_directory(root, created, ("import-" + files[0].name,))
    tools = tuple(dict.fromkeys(tool for _, tool in kinds))
    writer = SessionWriter.create(
        directory,
        Manifest(
            id=directory.name,
            state=State.PARTIAL,
            created=created.isoformat(timespec="seconds"),
            droidgrind=installed_version(),
            target=TargetEntry(()),
            device=DeviceFacts(serial="unknown"),
            plan=tools,
            imported=True,
            labels=labels or {},
        ),
    )
    for file, tool in kinds:
        _copy(file, writer.folder(tool))
    captures = tuple(
        CaptureEntry(tool, State.COMPLETE, files=captured_files(writer.folder(tool)))
        for tool in tools
    )
    writer.event("imported", files=[str(file) for file in files])
    writer.save(
        replace(
            writer.manifest,
            captures=captures,
            state=State.COMPLETE,
            finished=now().isoformat(timespec="seconds"),
        )
    )
    return open_session(directory)


def _kind(file: Path) -> str:
    """The tool that wrote a file, by its first bytes."""
    try:
        with file.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    except IsADirectoryError as error:
        raise InputError(f"{file} is a directory: name the files in it") from error
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from error
    if not head.strip():
        raise InputError(
            f"{file} is empty: the run that wrote it was killed, or its disk was full"
        )
    tool = registry.recognise(head)
    if tool is None:
        known = ", ".join(registry.tool_names())
        raise InputError(
            f"{file} is no output that is known here: looked for that of {known} in its "
            f"first {HEAD_BYTES >> 10} KiB"
        )
    return tool.name


def _copy(file: Path, folder: Path) -> None:
    """Copy a file under its own name, made unlike others' where two are the same."""
    name = file.name
    number = 2
    while (folder / name).exists():
        name = f"{number}.{file.name}"
        number += 1
    try:
        shutil.copyfile(file, folder / name)
    except OSError as error:
        raise InputError(f"cannot copy {file} to {folder}: {error.strerror}") from error
