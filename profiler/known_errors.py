"""Errors that a person knows of: a file of Valgrind suppressions, and what is in it.

The suppression is the one that Valgrind itself wrote for the error (`--gen-suppressions`):
one that was made from shown names would not match, since suppressions need mangled ones.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from collectors.errors import InputError
from collectors.records.errors import ErrorRecord
from profiler.store import write_atomically

DEFAULT_FILE = "droidgrind.supp"
_NAME = re.compile(r"^\s*<insert_a_suppression_name_here>\s*$", re.MULTILINE)
_BLOCK = re.compile(r"^\s*\{\s*\n(.*?)^\s*\}", re.MULTILINE | re.DOTALL)


def suppression_of(record: ErrorRecord, name: str) -> str:
    """The text that makes Valgrind silent about an error, under a name of one line.

    Raises `InputError` where the tool wrote none.
    """
    if not record.suppression:
        raise InputError(
            "the tool wrote no suppression for this error: record with "
            "`--tool-arg memcheck=--gen-suppressions=all`"
        )
    clean = " ".join(re.sub(r"[{}\x00-\x1f]", " ", name).split()) or "known"
    text = record.suppression.strip("\n")
    if _NAME.search(text):
        text = _NAME.sub(lambda _: f"   {clean}", text, count=1)
    return text + "\n"


def add_suppressions(file: Path, texts: Iterable[str]) -> int:
    """Add to a file those that it does not have; how many were. Raises `InputError`."""
    try:
        old = file.read_text("utf-8", "surrogateescape") if file.exists() else ""
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from error
    bodies = known_bodies(old)
    added: list[str] = []
    for text in texts:
        body = _bodies(text)
        if body and not body <= bodies:
            bodies |= body
            added.append(text)
    if added:
        start = old if not old or old.endswith("\n") else old + "\n"
        write_atomically(file, (start + "".join(added)).encode("utf-8", "surrogateescape"))
    return len(added)


def known_bodies(text: str) -> set[str]:
    """What the suppressions of a file match, their names left out."""
    return _bodies(text)


def is_known(record: ErrorRecord, bodies: set[str]) -> bool:
    """Whether a file with these bodies has the very suppression of an error."""
    return bool(record.suppression) and bool(_bodies(record.suppression or "") & bodies)


def _bodies(text: str) -> set[str]:
    found: set[str] = set()
    for block in _BLOCK.findall(text):
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        if len(lines) > 1:
            found.add("\n".join(lines[1:]))
    return found
