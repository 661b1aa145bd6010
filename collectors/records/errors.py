"""ErrorProfile: errors and loss records with stacks, as Memcheck, Helgrind and DRD report.

The words are those of Valgrind's XML protocol: kind, what, auxwhat, loss record.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from collectors.records.shared import Damage, Frame

LEAK_KINDS = {
    "Leak_DefinitelyLost": "definitely_lost",
    "Leak_IndirectlyLost": "indirectly_lost",
    "Leak_PossiblyLost": "possibly_lost",
    "Leak_StillReachable": "still_reachable",
}


@dataclass(frozen=True, slots=True)
class AuxStack:
    """A remark of an error (`<auxwhat>`) and the stack that belongs to it, if any.

    "Address 0x… is 0 bytes after a block of size 40 alloc'd" is one; where the block was
    freed, or where an uninitialised value came from, are others.
    """

    what: str | None
    frames: tuple[Frame, ...] = ()
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """One distinct error or loss record; `count` says how often it happened.

    `leaked_bytes` and `leaked_blocks` are None for anything but leaks. `leaked_bytes` is
    direct and indirect bytes together, as in `<leakedbytes>`; `direct_bytes` is the part
    that Valgrind's LEAK SUMMARY counts under the record's own kind.
    """

    kind: str
    what: str
    frames: tuple[Frame, ...] = ()
    aux: tuple[AuxStack, ...] = ()
    count: int = 1
    unique: int | None = None
    pid: int | None = None
    tid: int | None = None
    thread_name: str | None = None
    leaked_bytes: int | None = None
    leaked_blocks: int | None = None
    direct_bytes: int | None = None
    fd: int | None = None
    path: str | None = None
    suppression: str | None = None

    @property
    def is_leak(self) -> bool:
        return self.kind.startswith("Leak_")


@dataclass(frozen=True, slots=True)
class LeakTotals:
    """Bytes and blocks of one leak kind."""

    bytes: int = 0
    blocks: int = 0


@dataclass(frozen=True, slots=True)
class HeapTotals:
    """Valgrind's HEAP SUMMARY: what was in use at exit, and what was ever allocated."""

    in_use_bytes: int
    in_use_blocks: int
    allocs: int
    frees: int
    allocated_bytes: int


@dataclass(frozen=True, slots=True)
class FatalSignal:
    """The signal that ended a process under Valgrind."""

    signo: int
    signame: str
    event: str | None = None
    address: int | None = None
    tid: int | None = None
    thread_name: str | None = None
    frames: tuple[Frame, ...] = ()


@dataclass(frozen=True, slots=True)
class ClientMessage:
    """Text that the program printed through Valgrind's client requests."""

    text: str
    tid: int | None = None
    frames: tuple[Frame, ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorProcess:
    """What one process's document says of itself.

    `finished` is False where the document ends before Valgrind's closing words, so that
    counts and leaks may be missing. `leaks` is Valgrind's own LEAK SUMMARY where the output
    has one (text logs, XML protocol 6): a check on the records, not their source.
    """

    pid: int | None = None
    ppid: int | None = None
    tool: str | None = None
    protocol: int | None = None
    valgrind_argv: tuple[str, ...] = ()
    target_argv: tuple[str, ...] = ()
    preamble: tuple[str, ...] = ()
    finished: bool = False
    duration_ms: int | None = None
    fatal_signal: FatalSignal | None = None
    client_messages: tuple[ClientMessage, ...] = ()
    suppressed: tuple[tuple[str, int], ...] = ()
    leaks: dict[str, LeakTotals] | None = None
    heap: HeapTotals | None = None
    error_summary: tuple[int, int] | None = None
    announced_threads: tuple[ClientMessage, ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorProfile:
    """Errors of one or more processes, in the order in which they were reported."""

    records: Sequence[ErrorRecord]
    processes: tuple[ErrorProcess, ...] = ()
    damage: tuple[Damage, ...] = field(default=())

    @property
    def occurrences(self) -> int:
        return sum(record.count for record in self.records)

    def by_kind(self) -> dict[str, int]:
        """Number of distinct records of each kind, in order of first appearance."""
        kinds: dict[str, int] = {}
        for record in self.records:
            kinds[record.kind] = kinds.get(record.kind, 0) + 1
        return kinds

    def leak_totals(self) -> dict[str, LeakTotals]:
        """Direct bytes and blocks of the four leak kinds, as Valgrind's LEAK SUMMARY sums."""
        totals = dict.fromkeys(LEAK_KINDS.values(), LeakTotals())
        for record in self.records:
            name = LEAK_KINDS.get(record.kind)
            if name is None:
                continue
            direct = (
                record.direct_bytes if record.direct_bytes is not None else record.leaked_bytes
            )
            seen = totals[name]
            totals[name] = LeakTotals(
                seen.bytes + (direct or 0), seen.blocks + (record.leaked_blocks or 0)
            )
        return totals
