"""The journal: what was changed on a device and is not undone yet, kept on the host.

One file for each recording, `journal/SERIAL/RUN.jsonl` below the state folder: a head, then
one line for each change, synced to the disk before the change is made, and one for each
change that was undone. A journal with nothing left to undo is removed. docs/session.md
describes the file.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from collectors.devices.changes import UNDONE_LAST
from collectors.devices.device import Change, Device
from collectors.errors import DeviceError, DeviceUnavailable, InputError
from profiler.json_fields import Fields, parse_json
from profiler.manifest import Recorder
from profiler.recording.recorder import is_running
from profiler.session_writer import now

SCHEMA = 1
STATE_VARIABLE = "DROIDGRIND_STATE"


@dataclass(frozen=True, slots=True)
class Owner:
    """Which recording a journal belongs to."""

    serial: str
    run: str
    session: str
    created: str
    recorder: Recorder | None


class Journal:
    """The changes of one recording. Everything is written before it is believed."""

    def __init__(self, file: Path, owner: Owner, pending: dict[int, Change]) -> None:
        self.file = file
        self.owner = owner
        self.pending = pending
        self._next = max(pending, default=0) + 1
        self._headed = False  # by this process

    @classmethod
    def create(cls, serial: str, run: str, session: Path, recorder: Recorder) -> "Journal":
        """A journal for a run; one that is there already is gone on with."""
        file = journal_root() / _safe(serial) / f"{_safe(run)}.jsonl"
        created = now().isoformat(timespec="seconds")
        owner = Owner(serial, run, str(session.absolute()), created, recorder)
        pending = read_journal(file).pending if file.exists() else {}
        return cls(file, owner, pending)

    def _append(self, line: Mapping[str, Any]) -> None:
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self.file.open("ab+") as stream:
                if stream.tell():
                    stream.seek(-1, os.SEEK_END)
                    if stream.read(1) != b"\n":  # cut by a kill
                        stream.write(b"\n")
                stream.write(json.dumps(line).encode() + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise _cannot_write(self.file, error) from error

    def add(self, change: Change) -> int:
        """Write a change down, durably. Raises `InputError` when that cannot be done."""
        same = next((n for n, old in self.pending.items() if old == change), None)
        if same is not None and self._headed:
            return same
        number = same or self._next  # a resumed recording makes the same change again
        self._next = max(self._next, number + 1)
        if not self._headed:
            self._append({"schema": SCHEMA, **asdict(self.owner)})
            self._headed = True
        self._append({"change": number, "kind": change.kind, "details": dict(change.details)})
        self.pending[number] = change
        return number

    def undone(self, number: int) -> None:
        self._append({"undone": number})
        self.pending.pop(number, None)
        if not self.pending:
            self.file.unlink(missing_ok=True)
            for folder in (self.file.parent, self.file.parent.parent):
                try:
                    folder.rmdir()
                except OSError:
                    return  # other journals are there

    def undo_all(self, device: Device) -> list[str]:
        """Undo what is left, the latest first; what could not be undone, and why.

        Raises `DeviceUnavailable` when the device goes away; the rest stays written down.
        """
        failures: list[str] = []

        def turn(number: int) -> tuple[bool, int]:
            return self.pending[number].kind in UNDONE_LAST, -number

        for number in sorted(self.pending, key=turn):
            change = self.pending[number]
            try:
                device.undo(change)
            except DeviceUnavailable:
                raise
            except DeviceError as error:
                failures.append(f"{change}: {error}")
            else:
                self.undone(number)
        return failures

    @property
    def in_use(self) -> bool:
        """Whether the recording that made the changes still runs, on this machine."""
        return is_running(self.owner.recorder)


def journal_root() -> Path:
    """`$DROIDGRIND_STATE`, else `$XDG_STATE_HOME/droidgrind`, else below ~/.local/state."""
    chosen = os.environ.get(STATE_VARIABLE)
    if chosen:
        return Path(chosen) / "journal"
    state = os.environ.get("XDG_STATE_HOME")
    base = Path(state) if state else Path.home() / ".local" / "state"
    return base / "droidgrind" / "journal"


def journals(serial: str | None = None) -> Iterator[Journal]:
    """The journals that still hold something, of one device or of all, the oldest first."""
    pattern = f"{_safe(serial) if serial else '*'}/*.jsonl"
    for file in sorted(journal_root().glob(pattern), key=lambda file: file.stat().st_mtime):
        yield read_journal(file)


def read_journal(file: Path) -> Journal:
    """Raises `InputError` for a file that is no journal.

    A line cut by a kill is left out: its change was not made.
    """
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from error
    owner: Owner | None = None
    pending: dict[int, Change] = {}
    for number, raw in enumerate(lines, start=1):
        try:
            document = parse_json(raw)
        except ValueError:
            continue
        fields = Fields(document, f"{file}:{number}")
        if "schema" in document:
            owner = _owner(fields, str(file))
        elif "change" in document:
            pending[fields.integer("change")] = Change(
                fields.text("kind"), fields.text_map("details")
            )
        else:
            pending.pop(fields.integer("undone"), None)
    if owner is None:  # killed before the head was whole: nothing was changed yet
        owner = Owner(file.parent.name, file.stem, "", "", None)
    return Journal(file, owner, pending)


def _owner(fields: Fields, source: str) -> Owner:
    if fields.integer("schema") != SCHEMA:
        raise InputError(f"{source}: written by another droidgrind: update")
    recorder = fields.optional_object("recorder")
    return Owner(
        fields.text("serial"),
        fields.text("run"),
        fields.text("session"),
        fields.text("created"),
        None
        if recorder is None
        else Recorder(
            recorder.integer("pid"), recorder.integer("started_ticks"), recorder.text("boot_id")
        ),
    )


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._+-]", "_", name).lstrip(".") or "_"


def _cannot_write(file: Path, error: OSError) -> InputError:
    return InputError(
        f"cannot write {file}: {error.strerror}: nothing is changed on a device before it is "
        f"written down (set {STATE_VARIABLE} to another folder)"
    )
