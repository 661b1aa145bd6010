"""Suppressions after the run: which records an entry matches, by Valgrind's own rules."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from collectors.errors import ParseError
from collectors.records.errors import LEAK_KINDS, ErrorProfile, ErrorRecord
from profiler.suppressions.text import ANY_FRAMES, Suppression, parse_suppressions

_LEAK_WORDS = {
    "Leak_DefinitelyLost": "definite",
    "Leak_IndirectlyLost": "indirect",
    "Leak_PossiblyLost": "possible",
    "Leak_StillReachable": "reachable",
}
# Kinds of the XML and those of suppressions; {} is the access' size.
_KINDS = {
    "InvalidRead": "Addr{}",
    "InvalidWrite": "Addr{}",
    "InvalidJump": "Jump",
    "UninitCondition": "Cond",
    "UninitValue": "Value{}",
    "SyscallParam": "Param",
    "InvalidFree": "Free",
    "MismatchedFree": "Free",
    "Overlap": "Overlap",
    "InvalidMemPool": "Mempool",
    "ClientCheck": "User",
    "Race": "Race",
    "LockOrder": "LockOrder",
}
_SIZE = re.compile(r"of size (\d+)")
_PARAM = re.compile(r"Syscall param (.+?) (?:points|contains|is)")


@dataclass(frozen=True, slots=True)
class Call:
    """What an entry's frame can match in one frame of a stack; '' where unknown."""

    functions: tuple[str, ...]
    obj: str
    source: str


@dataclass(frozen=True, slots=True)
class Subject:
    """A record as suppressions see it."""

    kind: str
    detail: str | None
    leak_kind: str | None
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Applied:
    """What was left of a profile; `hits[i]` records were hidden by entry i."""

    profile: ErrorProfile
    hits: tuple[int, ...]


def apply_suppressions(profile: ErrorProfile, entries: Sequence[Suppression]) -> Applied:
    """The profile without the records that some entry matches; the first match counts."""
    hits = [0] * len(entries)
    kept: list[ErrorRecord] = []
    hidden: set[str | None] = set()
    for record in profile.records:
        subject = subject_of(record)
        match = next((i for i, entry in enumerate(entries) if matches(entry, subject)), None)
        if match is None:
            kept.append(record)
        else:
            hits[match] += 1
            hidden.add(LEAK_KINDS.get(record.kind))
    # Valgrind's own summary still counts what is hidden now.
    processes = tuple(
        replace(p, leaks={kind: n for kind, n in p.leaks.items() if kind not in hidden})
        if p.leaks
        else p
        for p in profile.processes
    )
    return Applied(replace(profile, records=kept, processes=processes), tuple(hits))


def generated(record: ErrorRecord) -> Suppression | None:
    """The entry that Valgrind itself wrote for a record; None if it did not, or not well."""
    if not record.suppression:
        return None
    try:
        entries = parse_suppressions(record.suppression, "suppression")
    except ParseError:  # cut off, or of a later format: names of the stack must do
        return None
    return entries[0] if entries else None


def subject_of(record: ErrorRecord) -> Subject:
    """What to match: Valgrind's own entry knows mangled names and the exact kind."""
    own = generated(record)
    calls: list[Call] = []
    for i, frame in enumerate(record.frames):
        names = [frame.fn, frame.fn.partition("(")[0]] if frame.fn else []
        if own is not None and i < len(own.frames) and own.frames[i].startswith("fun:"):
            names.append(own.frames[i].removeprefix("fun:"))
        source = "" if frame.file is None else f"{frame.file}:{frame.line or 0}"
        calls.append(Call(tuple(names), frame.obj or "", source))
    size = _SIZE.search(record.what)
    kind = _KINDS.get(record.kind, record.kind).format(size[1] if size else "*")
    param = _PARAM.search(record.what)
    return Subject(
        "Leak" if record.is_leak else own.kind if own is not None else kind,
        own.detail if own is not None else param[1] if param else None,
        _LEAK_WORDS.get(record.kind),
        tuple(calls),
    )


def matches(entry: Suppression, subject: Subject) -> bool:
    """Whether an entry hides a record. An entry's frames are the beginning of the stack."""
    if entry.kind != subject.kind and not (
        subject.kind.endswith("*") and entry.kind.startswith(subject.kind[:-1])
    ):
        return False
    if entry.detail is not None and entry.detail != subject.detail:  # no wildcards there
        return False
    if (
        subject.leak_kind is not None
        and entry.leak_kinds
        and not {"all", subject.leak_kind} & set(entry.leak_kinds)
    ):
        return False
    return frames_match(entry.frames, subject.calls)


def frames_match(patterns: Sequence[str], calls: Sequence[Call]) -> bool:
    """`...` stands for any number of frames, also none."""
    reached = {0}  # how many calls the patterns so far may have taken
    for pattern in patterns:
        if pattern == ANY_FRAMES:
            reached = set(range(min(reached), len(calls) + 1))
        else:
            reached = {
                i + 1 for i in reached if i < len(calls) and _frame_matches(pattern, calls[i])
            }
        if not reached:
            return False
    return True


def _frame_matches(pattern: str, call: Call) -> bool:
    word, _, text = pattern.partition(":")
    if word == "fun":
        return any(_like(text, name) for name in call.functions)
    if word == "obj":
        return _like(text, call.obj)
    return _like(text if ":" in text else f"{text}:*", call.source)


def _like(pattern: str, text: str) -> bool:
    return _regex(pattern).fullmatch(text) is not None


@cache
def _regex(pattern: str) -> re.Pattern[str]:
    """Valgrind's wildcards; a bracket is no wildcard there."""
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.compile("".join(parts), re.DOTALL)
