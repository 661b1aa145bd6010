"""A session from files that somebody else's run wrote."""

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path

from collectors import registry
from collectors.devices.device import DeviceFacts
from collectors.errors import InputError
from profiler.command_line import argv_in_files
from profiler.manifest import CaptureEntry, Manifest, State, TargetEntry
from profiler.recording.captured import captured_files
from profiler.session_writer import SessionWriter, new_session_directory, now
from profiler.store import Session, is_split_by_thread, open_session
from profiler.symbols.modules import IMPORTED_LOGS
from profiler.version import installed_version

HEAD_BYTES = 1 << 16
# What PowerShell's `>` and editors make of text; Valgrind and vmstat write no such mark.
_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be", b"\xef\xbb\xbf": "utf-8"}
_PACKED = {
    b"\x1f\x8b": "gunzip",
    b"\x28\xb5\x2f\xfd": "unzstd",
    b"\xfd7zXZ": "unxz",
    b"BZh": "bunzip2",
    b"PK\x03\x04": "unzip",
}
# `==4711== Memcheck, a memory error detector`; beside XML `-v` alone speaks: `--4711-- `.
_LOG_START = re.compile(rb"(?:==|--)(\d{1,9})(?:==|--) (?:([A-Z]\w+), |\r*\n)")
_LOG_TOOL = re.compile(rb"^--\d+--\s+--tool=(\w+)\s*$", re.MULTILINE)


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
    files = [
        file for file in files if not (file.is_file() and is_split_by_thread(file))
    ] or files
    logs = {file: found for file in files if (found := _log_beside_xml(file))}
    kinds = [(file, _kind(file)) for file in files if file not in logs]
    # A log alone is the tool's output; beside other output it says where files were loaded.
    has_output = {tool for _, tool in kinds}
    for file, (tool, _) in logs.items():
        if tool not in has_output:
            kinds.append((file, _kind(file)))
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
    for file, (tool, name) in logs.items():
        if tool in has_output:
            _copy(file, writer.folder(tool) / IMPORTED_LOGS, name)
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
    session = open_session(directory)
    argv = argv_in_files(session)
    if argv:
        writer.save(replace(writer.manifest, target=TargetEntry(argv)))
        session = open_session(directory)
    return session


def _kind(file: Path) -> str:
    """The tool that wrote a file, by its first bytes."""
    head = _head(file)
    if not head and is_split_by_thread(file):
        raise InputError(f"{file} is empty: each thread has its own file, name {file.name}-*")
    if not head.strip():
        raise InputError(
            f"{file} is empty: the run that wrote it was killed, or its disk was full"
        )
    tool = registry.recognise(head)
    if tool is None:
        unpack = next((way for mark, way in _PACKED.items() if head.startswith(mark)), None)
        if unpack is not None:
            raise InputError(f"{file} is packed: unpack it first (`{unpack} {file.name}`)")
        known = ", ".join(registry.tool_names())
        raise InputError(
            f"{file} is no output that is known here: looked for that of {known} in its "
            f"first {HEAD_BYTES >> 10} KiB"
        )
    return tool.name


def _head(file: Path) -> bytes:
    """The first bytes, as UTF-8 where the file is marked as something else."""
    if file.exists() and not file.is_file() and not file.is_dir():
        raise InputError(f"{file} is a pipe or a device: store what it gives in a file first")
    try:
        with file.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    except IsADirectoryError as error:
        raise InputError(f"{file} is a directory: name the files in it") from error
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from error
    mark = _mark(head)
    if mark is None:
        return head
    return head[len(mark) :].decode(_MARKS[mark], "replace").encode()


def _mark(head: bytes) -> bytes | None:
    return next((mark for mark in _MARKS if head.startswith(mark)), None)


def _log_beside_xml(file: Path) -> tuple[str, str] | None:
    """The tool of a log that says what was loaded, and the name `record` gives such a log."""
    try:
        head = _head(file)
    except InputError:
        return None  # `_kind` says what is wrong with it
    found = _LOG_START.match(head)
    if found is None:
        return None
    named = found[2]
    if named is None:
        option = _LOG_TOOL.search(head)
        named = b"memcheck" if option is None else option[1]  # Valgrind's own default
    tool = named.decode("ascii").lower()
    is_known = tool in registry.tool_names()
    return (tool, f"valgrind.{int(found[1])}.log") if is_known else None


def _copy(file: Path, folder: Path, wanted: str | None = None) -> None:
    """Copy a file as `wanted` or its own name, made unlike others' where two are the same.

    What a shell made UTF-16 of becomes what the tool wrote again.
    """
    folder.mkdir(exist_ok=True)
    name = wanted or file.name
    number = 2
    while (folder / name).exists():
        name = f"{number}.{wanted or file.name}"
        number += 1
    try:
        with file.open("rb") as source, (folder / name).open("wb") as target:
            mark = _mark(source.read(4))
            source.seek(0 if mark is None else len(mark))
            if mark is None or _MARKS[mark] == "utf-8":
                shutil.copyfileobj(source, target)
            else:
                text = TextIOWrapper(source, _MARKS[mark], "replace", newline="")
                for part in iter(lambda: text.read(HEAD_BYTES), ""):
                    target.write(part.encode())
    except OSError as error:
        raise InputError(f"cannot copy {file} to {folder}: {error.strerror}") from error
