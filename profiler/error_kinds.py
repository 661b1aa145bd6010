"""Memcheck's error kinds in plain words, and how much they matter."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KindWords:
    """`severity` is `error`, `warning` or `info`."""

    title: str
    severity: str


KINDS = {
    "FatalSignal": KindWords("The process was ended by a signal", "error"),
    "InvalidWrite": KindWords("Writes to memory that is not its own", "error"),
    "InvalidRead": KindWords("Reads memory that is not its own", "error"),
    "InvalidJump": KindWords("Jumps to an address that is no code", "error"),
    "InvalidFree": KindWords("Frees what is not allocated", "error"),
    "MismatchedFree": KindWords(
        "Frees with the wrong function (new/free, malloc/delete)", "error"
    ),
    "Overlap": KindWords("Copies between overlapping blocks", "error"),
    "UninitCondition": KindWords("Decides by an uninitialised value", "error"),
    "UninitValue": KindWords("Uses an uninitialised value as an address", "error"),
    "SyscallParam": KindWords("Hands uninitialised or foreign memory to the kernel", "error"),
    "ClientCheck": KindWords("Fails a check that the program asked for", "error"),
    "FishyValue": KindWords("Asks for an impossible amount of memory", "error"),
    "InvalidMemPool": KindWords("Uses a memory pool that does not exist", "error"),
    "CoreMemError": KindWords("Memory error in the core", "error"),
    "ReallocSizeZero": KindWords("Reallocates to size zero", "warning"),
    "InvalidSizeAndAlignment": KindWords("Allocates with a bad size or alignment", "error"),
    "InvalidAlignment": KindWords("Allocates with a bad alignment", "error"),
    "InvalidSize": KindWords("Allocates with a bad size", "error"),
    "MismatchedAllocateDeallocateSize": KindWords(
        "Frees with another size than allocated", "error"
    ),
    "MismatchedAllocateDeallocateAlignment": KindWords(
        "Frees with another alignment than allocated", "error"
    ),
    "FdBadClose": KindWords("Closes a file descriptor twice", "error"),
    "FdBadUse": KindWords("Uses a closed file descriptor", "error"),
    "FdNotClosed": KindWords("Leaves a file descriptor open", "warning"),
    "Race": KindWords("Threads touch the same memory without a lock between them", "error"),
    "LockOrder": KindWords("Takes locks in an order that can deadlock", "warning"),
    "Leak_DefinitelyLost": KindWords("Leaks: nothing points to the block any more", "error"),
    "Leak_IndirectlyLost": KindWords("Leaks along with the block that points to it", "warning"),
    "Leak_PossiblyLost": KindWords(
        "May leak: only a pointer into the block's middle is left", "warning"
    ),
    "Leak_StillReachable": KindWords("Not freed at exit, but still pointed to", "info"),
}
SIGNS = {"error": "✖", "warning": "▲", "info": "●", "ok": "✔"}


def kind_words(kind: str) -> KindWords:
    """What a kind means; an unknown one, of a newer Valgrind, passes under its own name."""
    return KINDS.get(kind) or KindWords(
        kind, "warning" if kind.startswith("Leak_") else "error"
    )


_ORDER = {kind: place for place, kind in enumerate(KINDS)}


def kind_order(kind: str) -> tuple[int, int, str]:
    """Sorts kinds: the worst first."""
    rank = {"error": 0, "warning": 1, "info": 2}[kind_words(kind).severity]
    return rank, _ORDER.get(kind, len(_ORDER)), kind
