"""Which code is own, as it was said last of a session: it holds wherever the session is shown.

Format: `mine.json` in the session's directory, `{"schema": 1, "mine": [GLOB…]}`.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from collectors.errors import InputError
from profiler.json_fields import Fields, parse_json
from profiler.session_writer import write_atomically
from profiler.store import Session

FILE = "mine.json"
SCHEMA = 1


def stored_globs(session: Path) -> tuple[str, ...]:
    """What was said of the session in this directory; nothing where nothing was."""
    file = session / FILE
    try:
        document: object = parse_json(file.read_bytes())
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: {error}; remove it, and say --mine again") from error
    fields = Fields(document, str(file))
    if fields.integer("schema") != SCHEMA:
        raise InputError(
            f"{file}: written by another droidgrind; remove it, and say --mine again"
        )
    return tuple(fields.texts("mine"))


def store_globs(session: Session, globs: Sequence[str]) -> None:
    """Remember `globs` of a session; the empty one alone forgets. Raises `InputError`."""
    file = session.directory / FILE
    wanted = [glob for glob in globs if glob]
    try:
        if wanted:
            document = json.dumps({"schema": SCHEMA, "mine": wanted}) + "\n"
            write_atomically(file, document.encode("utf-8", "surrogateescape"))
        else:
            file.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot write {file}: {error.strerror}") from error
