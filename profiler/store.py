"""The session on disk: found and read.

20261122-101500-benchncnn/
  session.json      the manifest (profiler/manifest.py)
  raw/<tool>/…      exactly what the tool wrote
  tables/<tool>/…   large profiles as Parquet, made from raw when they are first read
  tables/findings.json   how many findings there were (profiler/finding_counts.py)
  modules.json      the build-ids of the files that a run had loaded
  symbols.json      what `droidgrind symbolize` looked up
  events.jsonl      what droidgrind did, step by step

A kill at any moment leaves a session that can be opened.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from collectors import registry
from collectors.errors import InputError, ParseError, UsageError
from collectors.records.errors import ErrorProfile
from collectors.records.shared import GONE, Damage
from collectors.tools.tool import Profile
from profiler.json_fields import parse_json
from profiler.manifest import (
    CaptureEntry,
    Manifest,
    OtherSchema,
    State,
    manifest_from_json,
)
from profiler.recording.recorder import is_running
from profiler.suppressions.apply import apply_suppressions
from profiler.suppressions.text import Suppression
from profiler.symbols.applied import symbolized
from profiler.symbols.stored import SYMBOLS_FILE, SymbolsEntry, read_symbols
from profiler.tables.through import read_through_tables

MANIFEST_FILE = "session.json"
EVENTS_FILE = "events.jsonl"
RAW_FOLDER = "raw"
NATIVE_RUN = "native"
LATEST = "latest"
SESSIONS_VARIABLE = "DROIDGRIND_SESSIONS"


@dataclass(frozen=True, slots=True)
class Reading:
    """One capture, read: a profile for each output file that could be used.

    `files[i]` is the file of `profiles[i]`. `damage` holds the files that could not be used
    at all, besides what each profile says of its own. `unmeasured` says why figures about
    the heap are missing, where they are.
    """

    tool: str
    files: tuple[Path, ...]
    profiles: tuple[Profile, ...]
    damage: tuple[Damage, ...]
    unmeasured: str | None = None

    @property
    def file_names(self) -> tuple[str, ...]:
        """The files that could be used."""
        return tuple(file.name for file in self.files)

    def all_damage(self) -> tuple[Damage, ...]:
        return self.damage + tuple(d for profile in self.profiles for d in profile.damage)


class Session:
    """A stored session, opened for reading. Profiles are read when they are asked for.

    Symbols that were looked up after the run are in the profiles; without `symbols` these
    are what the tools said. Errors that `suppressions` match are in none; `suppressed` tells
    how many each of them hid, by tool, of what was read so far.
    """

    def __init__(
        self,
        directory: Path,
        manifest: Manifest,
        *,
        symbols: bool = True,
        suppressions: Sequence[Suppression] = (),
    ) -> None:
        self.directory = directory
        self.manifest = manifest
        self.suppressions = tuple(suppressions)
        self.suppressed: dict[str, tuple[int, ...]] = {}
        self._with_symbols = symbols
        self._readings: dict[str, Reading] = {}

    def with_suppressions(self, suppressions: Sequence[Suppression]) -> "Session":
        """The same session, read again without the errors that some entry matches."""
        return Session(
            self.directory,
            self.manifest,
            symbols=self._with_symbols,
            suppressions=suppressions,
        )

    @property
    def id(self) -> str:
        return self.manifest.id

    @cached_property
    def state(self) -> State:
        """The session's state; one whose recorder died without closing it is `partial`."""
        if self.manifest.state is State.RECORDING and not is_running(self.manifest.recorder):
            return State.PARTIAL
        return self.manifest.state

    @property
    def tools(self) -> tuple[str, ...]:
        """The tools that left a capture, in the order in which they ran."""
        return tuple(entry.tool for entry in self.captures)

    @cached_property
    def captures(self) -> tuple[CaptureEntry, ...]:
        """The captures; those that were running when their recorder died are `partial`."""
        if self.state is State.RECORDING:
            return self.manifest.captures
        return tuple(
            replace(entry, state=State.PARTIAL, note=entry.note or "the recording was cut off")
            if entry.state is State.RECORDING
            else entry
            for entry in self.manifest.captures
        )

    def capture(self, tool: str) -> CaptureEntry | None:
        return next((entry for entry in self.captures if entry.tool == tool), None)

    def folder(self, name: str) -> Path:
        """Where the raw files of a tool (or of the native run) are."""
        return self.directory / RAW_FOLDER / name

    def output_files(self, tool: str) -> tuple[Path, ...]:
        """The tool's files that hold results, the target's first process first."""
        folder = self.folder(tool)
        if not folder.is_dir():
            return ()
        files = [
            file
            for file in folder.iterdir()
            if file.is_file() and self._holds_results(tool, file.name)
        ]
        return tuple(sorted(files, key=_natural_order))

    def _holds_results(self, tool: str, name: str) -> bool:
        """Whether a raw file is to be read, or is a log that is just kept.

        An imported file may have any name; the logs beside it are in a folder.
        """
        if self.manifest.imported:
            return "/" not in name
        return registry.tool(tool).is_output(name)

    def reading(self, tool: str) -> Reading:
        """What a tool's capture holds, read once."""
        if tool not in self._readings:
            self._readings[tool] = self._read(tool)
        return self._readings[tool]

    def profiles(self, tool: str) -> tuple[Profile, ...]:
        """The tool's profiles, one for each process or file; none if it was not recorded."""
        return self.reading(tool).profiles if tool in self.tools else ()

    def _read(self, tool: str) -> Reading:
        if tool not in registry.tool_names():
            what = "this droidgrind does not know that tool"
            effect = "its results are not shown: update droidgrind"
            return Reading(tool, (), (), (Damage(tool, what, effect),))
        known = registry.tool(tool)
        entry = self.capture(tool)
        sizes = {file.name: file.bytes for file in entry.files} if entry else {}
        files: list[Path] = []
        profiles: list[Profile] = []
        damage: list[Damage] = []
        for file in self.output_files(tool):
            recorded = sizes.pop(file.name, None)
            if recorded is not None and recorded != file.stat().st_size:
                damage.append(
                    Damage(
                        file.name,
                        f"{file.stat().st_size:,} bytes, recorded were {recorded:,}",
                        "the file was changed after the recording",
                    )
                )
            if is_split_by_thread(file):
                continue
            try:
                profile = read_through_tables(
                    self.directory, tool, registry.shape(tool), file, known.read
                )
            except ParseError as error:
                damage.append(
                    Damage(
                        file.name,
                        error.reason,
                        "nothing of it is used",
                        error.line,
                        error.byte,
                        whole=True,
                    )
                )
            except OSError as error:
                why = error.strerror or str(error)
                damage.append(Damage(file.name, why, "it is not read", whole=True))
            else:
                profile, unread = self._symbolized(tool, file.name, profile)
                damage.extend(unread)
                files.append(file)
                profiles.append(self._unsuppressed(tool, profile))
        damage.extend(
            Damage(name, GONE, "its figures are missing", whole=True)
            for name in sizes
            if self._holds_results(tool, name)
        )
        return Reading(
            tool,
            tuple(files),
            tuple(profiles),
            tuple(damage),
            None if entry is None else entry.unmeasured,
        )

    def _unsuppressed(self, tool: str, profile: Profile) -> Profile:
        if not self.suppressions or not isinstance(profile, ErrorProfile):
            return profile
        applied = apply_suppressions(profile, self.suppressions)
        before = self.suppressed.get(tool, (0,) * len(self.suppressions))
        self.suppressed[tool] = tuple(a + b for a, b in zip(before, applied.hits, strict=True))
        return applied.profile

    @cached_property
    def symbols(self) -> SymbolsEntry | None:
        """What was looked up after the run; None where nothing was. Raises `InputError`."""
        return read_symbols(self.directory) if self._with_symbols else None

    def _symbolized(
        self, tool: str, file: str, profile: Profile
    ) -> tuple[Profile, list[Damage]]:
        try:
            places = self.symbols and self.symbols.places.get(tool, {}).get(file)
        except InputError as error:
            effect = "stacks are as the tool wrote them"
            return profile, [Damage(SYMBOLS_FILE, str(error), effect)]
        return (symbolized(profile, places) if places else profile), []

    def events(self) -> Iterator[dict[str, object]]:
        """What droidgrind did, in order; a last line cut by a crash is left out."""
        try:
            lines = (self.directory / EVENTS_FILE).read_bytes().splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            try:
                event = parse_json(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                yield event


def is_split_by_thread(file: Path) -> bool:
    """Whether a file is empty since each thread has its own (Callgrind --separate-threads)."""
    return not file.stat().st_size and file.with_name(f"{file.name}-01").exists()


def _natural_order(file: Path) -> tuple[list[int | str], str]:
    parts = re.split(r"(\d+)", file.name)
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], file.name


def open_session(path: Path | str) -> Session:
    """Open the session in a directory. Raises `InputError` when it is none."""
    directory = Path(path)
    source = directory / MANIFEST_FILE
    if directory.is_file():
        raise InputError(
            f"{directory} is a file, not a session's folder: `droidgrind import {directory}` "
            "makes a session of a tool's output"
        )
    try:
        document = parse_json(source.read_bytes())
    except FileNotFoundError as error:
        if directory.exists():
            reason = (
                f"{directory} is not a session: it has no {MANIFEST_FILE} "
                "(`droidgrind sessions` lists those that are)"
            )
        else:
            reason = f"there is no session at {directory}: `droidgrind sessions` lists them"
        raise InputError(reason) from error
    except OSError as error:
        what = "no session's folder" if not directory.is_dir() else error.strerror
        raise InputError(f"{directory}: {what}: `droidgrind sessions` lists them") from error
    except ValueError as error:
        what = (
            "not JSON: the file is empty" if not source.stat().st_size else f"not JSON: {error}"
        )
        raise _unreadable(directory, f"{source}: {what}") from error
    try:
        return Session(directory, manifest_from_json(document, str(source)))
    except OtherSchema:
        raise
    except InputError as error:
        raise _unreadable(directory, str(error)) from error


def _unreadable(directory: Path, why: str) -> InputError:
    """A manifest is of no use, and what the tools wrote still is."""
    return InputError(
        f"{why}; what the tools wrote is in {directory / RAW_FOLDER}: "
        "`droidgrind import FILE…` makes a session of it"
    )


def sessions_root(chosen: Path | None = None) -> Path:
    """Where sessions live: `chosen`, else what the environment says, else a folder here.

    Raises `UsageError` where that is a file.
    """
    root = chosen or Path(os.environ.get(SESSIONS_VARIABLE) or "droidgrind-sessions")
    if root.is_file():
        raise UsageError(f"{root} is a file: sessions live in a folder (--sessions DIR)")
    return root


def session_directories(root: Path) -> list[Path]:
    """The directories below `root` that hold a session, the newest last."""
    if not root.is_dir():
        return []
    found = [entry for entry in root.iterdir() if (entry / MANIFEST_FILE).is_file()]
    return sorted(found, key=lambda entry: (_created(entry), entry.name))


def _created(directory: Path) -> str:
    """The time of creation in UTC as sortable text, or '' where it cannot be read."""
    try:
        created = open_session(directory).manifest.created
        return datetime.fromisoformat(created).astimezone(UTC).isoformat()
    except (InputError, ValueError):
        return ""


def find_session(argument: str, root: Path) -> Session:
    """Open what a person means by `argument`: a directory, an id below `root`, or `latest`."""
    if argument == LATEST:
        directories = session_directories(root)
        if not directories:
            raise InputError(
                f"no session in {root} yet: make one with `droidgrind record -- PROGRAM`"
            )
        return open_session(directories[-1])
    for directory in (Path(argument), root / argument):
        if (directory / MANIFEST_FILE).is_file():
            return open_session(directory)
    if Path(argument).exists():
        return open_session(Path(argument))  # says why it is none
    raise InputError(
        f"there is no session {argument!r}, neither as a directory nor in {root}: "
        "`droidgrind sessions` lists them"
    )


def repeat_folder(run: int) -> str:
    """The folder below `raw/` of a native run after the first (`record --repeat`)."""
    return f"{NATIVE_RUN}-{run}"
