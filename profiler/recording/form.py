"""What a person types to record: checked at once, and remembered for the next time."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from collectors.errors import InputError
from collectors.registry import SAMPLERS
from profiler.json_fields import Fields, parse_json
from profiler.manifest import State
from profiler.session_writer import write_atomically
from profiler.store import NATIVE_RUN, open_session, session_directories

_FILE = "last-recording.json"


@dataclass(frozen=True, slots=True)
class Typed:
    """The fields of the form, as text.

    `kind` says what `command` is: a `program` with its arguments, an `app` (its package), a
    running `process` (pid or name); the `system` has none. Fields with several words
    (`env`, `push`, `symbols` and so on) are quoted as a shell would have them.
    """

    command: str = ""
    tools: str = "vmstat,schedstat,memcheck,cachegrind,massif"
    serial: str = "local"
    timeout: str = ""
    kind: str = "program"
    cwd: str = ""
    env: str = ""
    push: str = ""
    symbols: str = ""
    suppressions: str = ""
    tool_args: str = ""
    repeat: str = ""
    rate: str = ""
    labels: str = ""
    valgrind: str = ""


def _state_folder() -> Path:
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local/state") / "droidgrind"


def last_typed() -> Typed:
    """What was typed last; the defaults where nothing (or nothing readable) is kept."""
    try:
        document = parse_json((_state_folder() / _FILE).read_bytes())
        fields = Fields(document, _FILE)
        # An older droidgrind knew fewer fields.
        kept = {name: fields.text(name) for name in asdict(Typed()) if name in document}
    except (OSError, ValueError, TypeError, InputError):
        return Typed()
    return Typed(**kept)


def remember(typed: Typed) -> None:
    """Keep it for the next time. Raises `InputError` when the disk refuses."""
    folder = _state_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot create {folder}: {error.strerror}") from error
    write_atomically(folder / _FILE, json.dumps(asdict(typed)).encode())


def expected_seconds(root: Path, argv: Sequence[str]) -> dict[str, float]:
    """How long each step took when the same command line last came to its own end.

    What was stopped, or ran without a command line, says nothing of the next run's end.
    """
    found: dict[str, float] = {}
    if not argv:
        return found
    for directory in reversed(session_directories(root)[-50:]):
        try:
            session = open_session(directory)
        except InputError:
            continue
        manifest = session.manifest
        if tuple(manifest.target.argv) != tuple(argv):
            continue
        native = manifest.native
        ended = [e for e in session.captures if e.state is State.COMPLETE]
        # The samplers of a native run that was stopped are cut off with it.
        sampled = any(entry.tool in SAMPLERS for entry in ended)
        if sampled and native is not None and native.wall_seconds is not None:
            found.setdefault(NATIVE_RUN, native.wall_seconds)
        for entry in ended:
            if entry.wall_seconds is not None:
                found.setdefault(entry.tool, entry.wall_seconds)
    return found
