"""The error kinds of Memcheck, Helgrind and DRD in plain words, and how much they matter."""

from dataclasses import dataclass

from profiler.finding import RANK


@dataclass(frozen=True, slots=True)
class KindWords:
    """`severity` is `error`, `warning` or `info`."""

    title: str
    severity: str


KINDS = {
    "FatalSignal": KindWords("The process was ended by a signal", "error"),
    "StopSignal": KindWords("The process was told to stop by a signal", "info"),
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
    "ConflictingAccess": KindWords(
        "Threads touch the same memory without a lock between them", "error"
    ),
    "UnlockUnlocked": KindWords("Unlocks a lock that is not locked", "error"),
    "UnlockForeign": KindWords("Unlocks a lock that another thread holds", "error"),
    "UnlockBogus": KindWords("Unlocks what is no lock", "error"),
    "PthAPIerror": KindWords("Uses the thread library in a way that fails", "error"),
    "MutexErr": KindWords("Uses a mutex wrongly", "error"),
    "RwlockErr": KindWords("Uses a reader-writer lock wrongly", "error"),
    "SemaphoreErr": KindWords("Uses a semaphore wrongly", "error"),
    "BarrierErr": KindWords("Uses a barrier wrongly", "error"),
    "CondErr": KindWords("Uses a condition variable wrongly", "error"),
    "CondWaitErr": KindWords("Waits for a condition with two mutexes", "error"),
    "CondDestrErr": KindWords("Destroys a condition variable that is waited for", "error"),
    "LockOrder": KindWords("Takes locks in an order that can deadlock", "warning"),
    "CondRaceErr": KindWords("Signals a condition without holding its mutex", "warning"),
    "GenericErr": KindWords("Uses threads wrongly", "error"),
    "InvalidThreadId": KindWords("Names a thread that does not exist", "error"),
    "Dubious": KindWords("Uses a condition without its mutex", "warning"),
    "HoldtimeErr": KindWords("Holds a lock for longer than was allowed", "warning"),
    "Misc": KindWords("Uses threads in a way that Helgrind finds dubious", "warning"),
    "Leak_DefinitelyLost": KindWords("Leaks: nothing points to the block any more", "error"),
    "Leak_IndirectlyLost": KindWords("Leaks along with the block that points to it", "warning"),
    "Leak_PossiblyLost": KindWords(
        "May leak: only a pointer into the block's middle is left", "warning"
    ),
    "Leak_StillReachable": KindWords("Not freed at exit, but still pointed to", "info"),
}
# Where a title has no room: what errors of a kind are counted as.
SHORT = {
    "InvalidWrite": "invalid write{s}",
    "InvalidRead": "invalid read{s}",
    "InvalidJump": "invalid jump{s}",
    "InvalidFree": "invalid free{s}",
    "MismatchedFree": "mismatched free{s}",
    "Overlap": "overlap{s}",
    "UninitCondition": "unset condition{s}",
    "UninitValue": "unset pointer{s}",
    "SyscallParam": "bad system call argument{s}",
    "ClientCheck": "failed check{s}",
    "FishyValue": "impossible size{s}",
    "InvalidMemPool": "unknown memory pool{s}",
    "CoreMemError": "core memory error{s}",
    "ReallocSizeZero": "zero-size realloc{s}",
    "InvalidSizeAndAlignment": "badly sized or aligned allocation{s}",
    "InvalidAlignment": "badly aligned allocation{s}",
    "InvalidSize": "badly sized allocation{s}",
    "MismatchedAllocateDeallocateSize": "free{s} of another size",
    "MismatchedAllocateDeallocateAlignment": "free{s} of another alignment",
    "FdBadClose": "double close{s}",
    "FdBadUse": "use{s} of a closed file",
    "FdNotClosed": "file{s} left open",
    "Race": "data race{s}",
    "ConflictingAccess": "data race{s}",
    "UnlockUnlocked": "unlock{s} of what is not locked",
    "UnlockForeign": "unlock{s} of another's lock",
    "UnlockBogus": "unlock{s} of no lock",
    "PthAPIerror": "failed thread call{s}",
    "MutexErr": "mutex error{s}",
    "RwlockErr": "reader-writer lock error{s}",
    "SemaphoreErr": "semaphore error{s}",
    "BarrierErr": "barrier error{s}",
    "CondErr": "condition variable error{s}",
    "CondWaitErr": "wait{s} with two mutexes",
    "CondDestrErr": "destroyed condition variable{s}",
    "LockOrder": "lock order error{s}",
    "CondRaceErr": "signal{s} without the mutex",
    "GenericErr": "thread error{s}",
    "InvalidThreadId": "unknown thread{s}",
    "Dubious": "condition{s} without a mutex",
    "HoldtimeErr": "lock{s} held too long",
    "Misc": "dubious use{s} of threads",
    "Leak_DefinitelyLost": "definite leak{s}",
    "Leak_IndirectlyLost": "indirect leak{s}",
    "Leak_PossiblyLost": "possible leak{s}",
    "Leak_StillReachable": "block{s} still reachable",
}
SIGNS = {"error": "✖", "warning": "▲", "info": "●", "ok": "✔"}


def kind_words(kind: str) -> KindWords:
    """What a kind means; an unknown one, of a newer Valgrind, passes under its own name."""
    return KINDS.get(kind) or KindWords(
        kind, "warning" if kind.startswith("Leak_") else "error"
    )


def kind_counted(kind: str, number: int) -> str:
    """`1 invalid write`, `3 blocks still reachable`."""
    words = SHORT.get(kind)  # a newer Valgrind's passes under its own name
    return f"{number:,} {words.format(s='' if number == 1 else 's') if words else kind}"


_ORDER = {kind: place for place, kind in enumerate(KINDS)}


def kind_order(kind: str) -> tuple[int, int, str]:
    """Sorts kinds: the worst first."""
    return RANK[kind_words(kind).severity], _ORDER.get(kind, len(_ORDER)), kind
