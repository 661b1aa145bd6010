"""New suppressions: from an error, from a baseline; generalised and merged."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from collectors.errors import InputError
from collectors.records.errors import ErrorRecord
from profiler.fingerprint import error_fingerprint, stable_function
from profiler.own_code import OwnCode
from profiler.session_writer import write_atomically
from profiler.suppressions.apply import Call, frames_match, generated, subject_of
from profiler.suppressions.text import (
    ANY_FRAMES,
    Suppression,
    read_suppressions,
    suppressions_text,
)
from profiler.visible import visible

# Frames kept below the own one that leads: fewer would hide other errors of the same code.
CALLERS = 2
FEWEST_FRAMES = 2
_LEAKS = {"definite", "indirect", "possible", "reachable"}


def suppression_of(record: ErrorRecord, own: OwnCode | None = None) -> Suppression:
    """An entry that hides a record, also in another run and on another device.

    It keeps the stack from its innermost frame to two callers of the own frame that leads,
    and names objects without their folders. Where Valgrind wrote no entry (it was recorded
    without --gen-suppressions), C++ functions are not named, as only their mangled names
    would match at run time.
    """
    entry = generated(record)
    if entry is None:
        subject = subject_of(record)
        frames = tuple(
            f"fun:{frame.fn}"
            if frame.fn and not set("(:<") & set(frame.fn)
            else f"obj:{frame.obj}"
            if frame.obj
            else ANY_FRAMES
            for frame in record.frames
        )
        leaks = (subject.leak_kind,) if subject.leak_kind else ()
        entry = Suppression("", ("Memcheck",), subject.kind, frames, subject.detail, leaks)
    leading = (own or OwnCode()).frame(record.frames)
    place = next((i for i, frame in enumerate(record.frames) if frame is leading), 0)
    length = max(FEWEST_FRAMES, place + 1 + CALLERS)
    where = stable_function(None if leading is None else leading.fn)
    return generalised(
        replace(
            entry,
            name=visible(f"{record.kind} in {where} [{error_fingerprint(record)}]", 200),
            frames=entry.frames[:length] or (ANY_FRAMES,),
        )
    )


def breadth(entry: Suppression) -> str | None:
    """What an entry hides besides the error that it is made of, where that is much.

    None where at least two frames say which errors are meant.
    """
    named = [frame for frame in entry.frames if frame != ANY_FRAMES]
    if len(named) >= FEWEST_FRAMES:
        return None
    kind = f"{'/'.join(entry.tools)}:{entry.kind}"
    if not named:
        return f"every {kind}, wherever it is"
    return f"every {kind} in {named[0].partition(':')[2]}, whichever line it is at"


def generalised(entry: Suppression) -> Suppression:
    """Objects by their file name in any folder, so that other devices' paths match too."""
    frames = tuple(
        f"obj:*/{frame.rpartition('/')[2]}" if frame.startswith("obj:/") else frame
        for frame in entry.frames
    )
    return replace(entry, frames=frames)


def merged(entries: Iterable[Suppression]) -> tuple[Suppression, ...]:
    """Without those that another one covers; leaks of one stack become one entry."""
    kept: list[Suppression] = []
    for entry in entries:
        twin = next(
            (
                i
                for i, other in enumerate(kept)
                if (other.tools, other.kind, other.detail, other.frames)
                == (entry.tools, entry.kind, entry.detail, entry.frames)
            ),
            None,
        )
        if twin is None:
            kept.append(entry)
        else:
            both = set(kept[twin].leak_kinds) | set(entry.leak_kinds)
            no_words = not kept[twin].leak_kinds or not entry.leak_kinds
            kept[twin] = replace(kept[twin], leak_kinds=() if no_words else tuple(sorted(both)))
    return tuple(
        entry
        for i, entry in enumerate(kept)
        if not any(_covers(other, entry) for j, other in enumerate(kept) if i != j)
    )


def _covers(wide: Suppression, narrow: Suppression) -> bool:
    """Whether everything that `narrow` hides is hidden by `wide`, as far as it is plain."""
    if (wide.kind, wide.tools, wide.detail) != (narrow.kind, narrow.tools, narrow.detail):
        return False
    wide_kinds = set(wide.leak_kinds) or _LEAKS
    narrow_kinds = set(narrow.leak_kinds) or _LEAKS
    if "all" not in wide_kinds and not narrow_kinds <= wide_kinds:
        return False
    if any(frame == ANY_FRAMES or "?" in frame for frame in narrow.frames):
        return False
    calls = [
        Call(
            (frame.removeprefix("fun:"),) if frame.startswith("fun:") else (),
            frame.removeprefix("obj:") if frame.startswith("obj:") else "",
            frame.removeprefix("src:") if frame.startswith("src:") else "",
        )
        for frame in narrow.frames
    ]
    return wide.frames != narrow.frames and frames_match(wide.frames, calls)


def check_file(file: Path) -> None:
    """Raise `InputError` where entries cannot be added to a file: before a long run."""
    if file.exists():
        read_suppressions([file])
    folder = file.parent
    if not folder.is_dir():
        raise InputError(f"{file}: there is no folder {folder}")
    tried = folder / f".{file.name}.{os.getpid()}.tried"
    try:
        tried.touch()
        tried.unlink()
    except OSError as error:
        raise InputError(f"cannot write {file}: {error.strerror}") from error


def add_to_file(entries: Sequence[Suppression], file: Path) -> int:
    """Merge entries into a file, made if it is not there; how many it has then.

    The file's comments are kept where nothing of it is covered by a new entry. Raises
    `InputError` when it cannot be read or written.
    """
    old = read_suppressions([file]) if file.exists() else ()
    everything = merged((*old, *entries))
    if everything[: len(old)] == old:
        text = file.read_text(encoding="utf-8", errors="surrogateescape") if old else ""
        new = everything[len(old) :]
        if text and not text.endswith("\n"):
            text += "\n"
        text += ("\n" if text and new else "") + suppressions_text(new)
    else:
        text = suppressions_text(everything)
    check_file(file)
    write_atomically(file, text.encode("utf-8", "surrogateescape"))
    return len(everything)
