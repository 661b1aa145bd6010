"""Memory errors: grouped by their cause, ranked by danger and by how sure they are."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from collectors.records.errors import (
    AuxStack,
    ErrorProcess,
    ErrorProfile,
    ErrorRecord,
    FatalSignal,
)
from profiler.error_kinds import kind_words
from profiler.figures import plural
from profiler.finding import Finding, Judged, Severity, View, place
from profiler.fingerprint import fingerprint, spot, stack_parts
from profiler.rules.context import Context
from profiler.rules.known_noise import known_noise
from profiler.rules.leaks import leaks, leaks_of_unknown_places
from profiler.rules.words import function_of, times, where


@dataclass(frozen=True, slots=True)
class KindRule:
    """The rule that speaks of an error kind; `danger` ranks, more being worse."""

    rule: str
    danger: int
    verdict: str
    advice: str


_WRITE = KindRule(
    "memory-write",
    100,
    "Writes to memory that is not its own",
    "Compare the access with the block that the second stack allocated: its size, its end.",
)
_READ = KindRule(
    "memory-read",
    80,
    "Reads memory that is not its own",
    "The second stack says where the block was allocated or freed: keep it alive until here, "
    "or stop at its end.",
)
_FREE = KindRule(
    "memory-free",
    90,
    "Frees what is not allocated",
    "The second stack says where it was freed before: give the block one owner.",
)
_MISMATCH = KindRule(
    "memory-mismatch",
    60,
    "Frees with the wrong function",
    "Pair malloc with free, new with delete, new[] with delete[].",
)
_UNINIT = KindRule(
    "memory-uninitialised",
    70,
    "Uses a value that was never set",
    "The second stack says where the memory came from: give it a value there.",
)
_SYSCALL = KindRule(
    "memory-syscall",
    50,
    "Hands memory that was never set, or is not its own, to the kernel",
    "Initialise the whole buffer, padding included, before it is written or sent.",
)
_OVERLAP = KindRule(
    "memory-overlap",
    60,
    "Copies between overlapping blocks",
    "Use memmove, or copy to a block of its own.",
)
_RACE = KindRule(
    "memory-threads",
    75,
    "Threads touch the same memory without a common lock",
    "Guard both places with the same lock, or make it atomic.",
)
_LOCK_ORDER = KindRule(
    "memory-threads",
    74,
    "Takes locks in an order that can deadlock",
    "Take these locks in one order everywhere, or both at once (std::scoped_lock).",
)
_MISUSE = KindRule(
    "memory-threads",
    73,
    "Uses a lock, condition or thread against its rules",
    "See at its stack what the call asks for: who holds the lock, what is initialised.",
)
_HELD_LONG = KindRule(
    "memory-threads",
    30,
    "Holds a lock for long",
    "Do less while it is held, or raise drd's --exclusive-threshold if this is meant.",
)
_OTHER = KindRule(
    "memory-other",
    40,
    "Uses memory in a way that Valgrind objects to",
    "Open its stack to see how the program came there.",
)
BY_KIND = {
    "InvalidWrite": _WRITE,
    "InvalidRead": _READ,
    "InvalidJump": _READ,
    "InvalidFree": _FREE,
    "MismatchedFree": _MISMATCH,
    "MismatchedAllocateDeallocateSize": _MISMATCH,
    "MismatchedAllocateDeallocateAlignment": _MISMATCH,
    "UninitCondition": _UNINIT,
    "UninitValue": _UNINIT,
    "SyscallParam": _SYSCALL,
    "Overlap": _OVERLAP,
    # Helgrind's
    "Race": _RACE,
    "LockOrder": _LOCK_ORDER,
    **dict.fromkeys(
        ("UnlockUnlocked", "UnlockForeign", "UnlockBogus", "PthAPIerror", "Dubious", "Misc"),
        _MISUSE,
    ),
    # DRD's
    "ConflictingAccess": _RACE,
    **dict.fromkeys(
        ("MutexErr", "CondErr", "CondDestrErr", "CondRaceErr", "CondWaitErr", "SemaphoreErr"),
        _MISUSE,
    ),
    **dict.fromkeys(("BarrierErr", "RwlockErr", "GenericErr", "InvalidThreadId"), _MISUSE),
    "HoldtimeErr": _HELD_LONG,
}
_UNSET = "created by"  # a remark on where a value that was never set comes from
_AT = re.compile(r"Address 0x([0-9a-fA-F]{1,16}) is")
_NULL_PAGE = 4096


@dataclass(frozen=True, slots=True)
class Group:
    """Reports of one cause: `numbers` are their places among all records."""

    rule: KindRule
    numbers: tuple[int, ...]
    records: tuple[ErrorRecord, ...]


def error_findings(profiles: Sequence[ErrorProfile], context: Context) -> Iterator[Finding]:
    for finding, _ in judged_errors(profiles, context):
        yield finding


def judged_errors(profiles: Sequence[ErrorProfile], context: Context) -> list[Judged]:
    records = [record for profile in profiles for record in profile.records]
    judged: list[Judged] = [
        (_error_finding(group, context), group.numbers)
        for group in groups_by_cause(records, context)
    ]
    judged.extend(leaks(records, context))
    judged.extend((finding, ()) for finding in leaks_of_unknown_places(profiles, context))
    # Under each tool the program crashes again: what saw errors before it says more.
    crashes: dict[str, Finding] = {}
    for profile in sorted(profiles, key=lambda profile: not profile.records):
        for finding in _crashes(profile, context):
            crashes.setdefault(finding.fingerprint, finding)
    judged.extend((finding, ()) for finding in crashes.values())
    return judged


def groups_by_cause(records: Sequence[ErrorRecord], context: Context) -> list[Group]:
    """Errors (not leaks) that one bug makes, together: by the block or value at fault.

    Accesses to a freed block share the place of its free, those past its end the place of
    its allocation and uninitialised values their origin; others the place of the access.
    """
    found: dict[tuple[str, ...], list[int]] = {}
    for index, record in enumerate(records):
        if not record.is_leak:
            found.setdefault(_cause(record, context), []).append(index)
    return [
        Group(
            max((_rule(records[number]) for number in numbers), key=lambda rule: rule.danger),
            tuple(numbers),
            tuple(records[number] for number in numbers),
        )
        for numbers in found.values()
    ]


def _cause(record: ErrorRecord, context: Context) -> tuple[str, ...]:
    rule = _rule(record).verdict
    kind = record.kind if rule == _OTHER.verdict else ""
    for aux in record.aux:
        # However far such a value got, to a condition or to the kernel: it is one bug.
        if aux.frames and aux.what and _UNSET in aux.what:
            return _UNSET, spot(context.own.frame(aux.frames))
    for aux in record.aux:
        if aux.frames and aux.what and _blames(aux.what):
            return rule, kind, "block", spot(context.own.frame(aux.frames))
    return rule, kind, "access", spot(context.own.frame(record.frames))


def _rule(record: ErrorRecord) -> KindRule:
    return BY_KIND.get(record.kind, _OTHER)


def _blames(text: str) -> bool:
    """Whether a remark's stack is that of the cause."""
    return (
        "inside a block" in text
        or "alloc'd" in text
        or "free'd" in text
        or "is at offset" in text  # DRD's words
    )


def _error_finding(group: Group, context: Context) -> Finding:
    rule = group.rule
    first = max(
        range(len(group.records)),
        key=lambda i: (
            _rule(group.records[i]) == rule,
            context.own.has_own(group.records[i].frames),
            -i,
        ),
    )
    record, number = group.records[first], group.numbers[first]
    noise = known_noise(record)
    own = any(context.own.has_own(r.frames) for r in group.records)
    through_own = any(context.own.has_own(aux.frames) for r in group.records for aux in r.aux)
    frame = context.own.frame(record.frames)
    total = sum(r.count for r in group.records)
    reports = (
        ""
        if len(group.records) == 1
        else f" {plural(len(group.records), 'report')}, one cause."
    )
    beside = next((aux for aux in record.aux if aux.what), None)
    evidence = (
        f"{record.what} in {function_of(frame, record.frames)}, {times(total)}."
        f"{reports}{_beside(beside, context)}"
    )
    if noise is not None:
        severity, advice = Severity.INFO, f"{noise} Suppress it if you agree."
    elif not own and not through_own:
        severity = Severity.INFO
        advice = (
            "No frame of your own code is on its stacks: report it to the library, or "
            "suppress it."
        )
    else:
        severity = Severity(kind_words(record.kind).severity)
        advice = _advice(rule, record)
    name = rule.rule if noise is None else "trust-known-noise"
    return Finding(
        name,
        severity,
        f"{rule.verdict}: {where(frame)}",
        evidence,
        advice,
        place(View.ERRORS, record=number),
        fingerprint(name, record.kind, *stack_parts(record.frames)),
        weight=rule.danger + (5 if own else 0),
    )


def _advice(rule: KindRule, record: ErrorRecord) -> str:
    """The rule's, unless it speaks of a second stack that this record has not."""
    if "second stack" not in rule.advice or any(aux.frames for aux in record.aux):
        return rule.advice
    address = next(
        (int(m[1], 16) for aux in record.aux if (m := _AT.match(aux.what or ""))), None
    )
    if rule in {_WRITE, _READ} and address is not None and address < _NULL_PAGE:
        of = "" if address == 0 else f", and the member lies {address} bytes behind it"
        return (
            f"The pointer is null{of}: find where it should have been set, or check it first."
        )
    if rule in {_WRITE, _READ}:
        return (
            "The address is in no block that is known: follow the pointer back to where it was "
            "set, or how far an index went."
        )
    if rule is _FREE:
        return "malloc never gave this address: follow the pointer back to where it was set."
    return "Follow the value back through the stack to where it should have been set."


def _beside(aux: AuxStack | None, context: Context) -> str:
    if aux is None or aux.what is None:
        return ""
    frame = context.own.frame(aux.frames)
    return f" {aux.what.rstrip('.')}{'' if frame is None else ' at ' + where(frame)}."


def is_crash(process: ErrorProcess) -> bool:
    """Whether a signal ended it that nobody sends: it was not told to stop."""
    fatal = process.fatal_signal
    return fatal is not None and fatal.signame not in {"SIGTERM", "SIGINT", "SIGKILL"}


def _crashes(profile: ErrorProfile, context: Context) -> Iterator[Finding]:
    for process in profile.processes:
        fatal = process.fatal_signal
        if fatal is None or not is_crash(process):
            continue
        frame = context.own.frame(fatal.frames)
        what = f" ({fatal.event})" if fatal.event else ""
        yield Finding(
            "memory-crash",
            Severity.ERROR,
            f"Crashes with {fatal.signame}: {where(frame)}",
            f"The process ended by {fatal.signame}{what}"
            + (f" in {function_of(frame, fatal.frames)}." if frame else "."),
            _crash_advice(fatal, profile),
            place(View.ERRORS),
            fingerprint("memory-crash", fatal.signame, *stack_parts(fatal.frames)),
            weight=110,
        )


def _crash_advice(fatal: FatalSignal, profile: ErrorProfile) -> str:
    if any(not record.is_leak for record in profile.records):
        return "Mend the memory errors before it first: the crash is often their last effect."
    if fatal.signame == "SIGABRT":
        return (
            "It ended itself, and no memory error came before: abort(), a failed assert or an "
            "exception that nobody caught. Its standard error (raw/) says which."
        )
    return "No memory error was seen before it: its stack says where it was."
