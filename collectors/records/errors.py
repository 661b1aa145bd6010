"""ErrorProfile: errors and loss records with stacks, as Memcheck, Helgrind and DRD report.

The words are those of Valgrind's XML protocol: kind, what, auxwhat, loss record.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast, overload

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
    has one (text logs, XML protocol 6): a check on the records, and their source only where
    there are none (`--leak-check=summary`, kinds that are not shown). `suppressed` names
    the suppressions that were used, with how often each was; a text log without `-s` says
    but their sum, under the name `???`.
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

    @property
    def looked_for_leaks(self) -> bool:
        """Whether Memcheck searched for leaks at its end; with XML it does unless told no."""
        if self.tool != "memcheck" or not self.finished:
            return False
        said = [word for word in self.valgrind_argv if word.startswith("--leak-check=")]
        return self.leaks is not None or (
            bool(self.valgrind_argv) and said[-1:] != ["--leak-check=no"]
        )


NONE = -(1 << 63)  # an entry of a column of `ErrorColumns` that is not known
_ADDRESS = (1 << 64) - 1
_MOST_KEPT = 50_000  # records that are kept once they are made; more are made each time
_RECORD_COLUMNS = (
    "kind", "what", "stack", "aux", "count", "unique", "pid", "tid", "thread_name",
    "leaked_bytes", "leaked_blocks", "direct_bytes", "fd", "path", "suppression",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class ErrorColumns(Sequence[ErrorRecord]):
    """Very many records as int64 columns; each is made when it is looked at.

    `records` has a column for each field of `ErrorRecord`: texts (`kind`, `what`,
    `thread_name`, `path`, `suppression`) index `texts`, `stack` indexes `stacks`, and the
    remarks of record i are those from `aux[i]` on, up to the next record's. `remarks` has
    `what`, `stack`, `file` and `line`. Stack i is `stack_frames` from `stacks[i]` to
    `stacks[i + 1]`, which index `frames`: `ip` (as a signed number), `fn`, `obj`, `dir`,
    `file` (which index `texts`) and `line`.

    Records share their frames: a place is one Frame, however many stacks it is on.
    """

    texts: Sequence[str]
    records: "Mapping[str, memoryview[int]]"
    remarks: "Mapping[str, memoryview[int]]"
    stacks: "memoryview[int]"
    stack_frames: "memoryview[int]"
    frames: "Mapping[str, memoryview[int]]"
    _made_frames: list[Frame] = field(default_factory=list[Frame], init=False, repr=False)
    _made: list[ErrorRecord] = field(default_factory=list[ErrorRecord], init=False, repr=False)

    def __len__(self) -> int:
        return len(self.records["kind"])

    @overload
    def __getitem__(self, index: int) -> ErrorRecord: ...
    @overload
    def __getitem__(self, index: slice) -> list[ErrorRecord]: ...
    def __getitem__(self, index: int | slice) -> ErrorRecord | list[ErrorRecord]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        if self._made:
            return self._made[index]
        place = index % len(self)
        return next(self._make(place, place + 1))

    def __iter__(self) -> Iterator[ErrorRecord]:
        if self._made or len(self) > _MOST_KEPT:
            return iter(self._made) if self._made else self._make(0, len(self))
        # Made whole before they are kept: several threads may be at it.
        self._made[:] = list(self._make(0, len(self)))
        return iter(self._made)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return list(self) == list(cast("Sequence[object]", other))

    __hash__ = None  # type: ignore[assignment]

    def distinct_frames(self) -> Sequence[Frame]:
        """The places that stacks consist of, in the order in which they were first seen."""
        if not self._made_frames:
            texts: dict[int, str | None] = {NONE: None}
            columns = (self.frames[name] for name in ("ip", "fn", "obj", "dir", "file", "line"))
            self._made_frames[:] = [
                Frame(
                    None if ip == NONE else ip & _ADDRESS,
                    self._text(fn, texts),
                    self._text(obj, texts),
                    self._text(folder, texts),
                    self._text(file, texts),
                    _known(line),
                )
                for ip, fn, obj, folder, file, line in zip(*columns, strict=True)
            ]
        return self._made_frames

    def _make(self, start: int, stop: int) -> Iterator[ErrorRecord]:
        """The records from `start` up to `stop`."""
        columns = [self.records[name][start:stop] for name in _RECORD_COLUMNS]
        texts: dict[int, str | None] = {NONE: None}
        starts = self.records["aux"]
        all_remarks = len(self.remarks["what"])
        for index, row in enumerate(zip(*columns, strict=True), start + 1):
            (kind, what, stack, aux, count, unique, pid, tid, thread, leaked, blocks, direct,
             fd, path, suppression) = row  # fmt: skip
            last = starts[index] if index < len(starts) else all_remarks
            yield ErrorRecord(
                self._text(kind, texts) or "",
                self._text(what, texts) or "",
                self._stack(stack),
                tuple(self._remark(i, texts) for i in range(aux, last)),
                count,
                _known(unique),
                _known(pid),
                _known(tid),
                self._text(thread, texts),
                _known(leaked),
                _known(blocks),
                _known(direct),
                _known(fd),
                self._text(path, texts),
                self._text(suppression, texts),
            )

    def _text(self, place: int, seen: dict[int, str | None]) -> str | None:
        if place not in seen:
            seen[place] = self.texts[place]
        return seen[place]

    def _stack(self, index: int) -> tuple[Frame, ...]:
        if index == NONE:
            return ()
        places = self.stack_frames[self.stacks[index] : self.stacks[index + 1]]
        return tuple(map(self.distinct_frames().__getitem__, places))

    def _remark(self, index: int, texts: dict[int, str | None]) -> AuxStack:
        of = {name: column[index] for name, column in self.remarks.items()}
        return AuxStack(
            self._text(of["what"], texts),
            self._stack(of["stack"]),
            self._text(of["file"], texts),
            _known(of["line"]),
        )

    def by_kind(self) -> dict[str, int]:
        kinds: dict[int, int] = {}
        for kind in self.records["kind"]:
            kinds[kind] = kinds.get(kind, 0) + 1
        return {self.texts[kind]: number for kind, number in kinds.items()}

    def leak_totals(self) -> dict[str, LeakTotals]:
        columns = (
            self.records[name]
            for name in ("kind", "leaked_bytes", "direct_bytes", "leaked_blocks")
        )
        sums: dict[int, tuple[int, int]] = {}
        for kind, leaked, direct, blocks in zip(*columns, strict=True):
            size = direct if direct != NONE else leaked
            seen = sums.get(kind, (0, 0))
            sums[kind] = seen[0] + max(size, 0), seen[1] + max(blocks, 0)
        totals = dict.fromkeys(LEAK_KINDS.values(), LeakTotals())
        for kind, (size, blocks) in sums.items():
            name = LEAK_KINDS.get(self.texts[kind])
            if name is not None:
                totals[name] = LeakTotals(size, blocks)
        return totals


def _known(number: int) -> int | None:
    return None if number == NONE else number


@dataclass(frozen=True, slots=True)
class ErrorProfile:
    """Errors of one or more processes, in the order in which they were reported."""

    records: Sequence[ErrorRecord]
    processes: tuple[ErrorProcess, ...] = ()
    damage: tuple[Damage, ...] = field(default=())

    def distinct_frames(self) -> Sequence[Frame]:
        """The places that the stacks of all records consist of."""
        if isinstance(self.records, ErrorColumns):
            return self.records.distinct_frames()
        return list(
            dict.fromkeys(
                frame
                for record in self.records
                for stack in (record.frames, *(aux.frames for aux in record.aux))
                for frame in stack
            )
        )

    @property
    def occurrences(self) -> int:
        if isinstance(self.records, ErrorColumns):
            return sum(self.records.records["count"])
        return sum(record.count for record in self.records)

    def by_kind(self) -> dict[str, int]:
        """Number of distinct records of each kind, in order of first appearance."""
        if isinstance(self.records, ErrorColumns):
            return self.records.by_kind()
        kinds: dict[str, int] = {}
        for record in self.records:
            kinds[record.kind] = kinds.get(record.kind, 0) + 1
        return kinds

    def leak_totals(self) -> dict[str, LeakTotals]:
        """Direct bytes and blocks of the four leak kinds, as Valgrind's LEAK SUMMARY sums.

        A kind without records is as that summary has it, where the output has one.
        """
        totals = (
            self.records.leak_totals()
            if isinstance(self.records, ErrorColumns)
            else _leaks_of(self.records)
        )
        for name, counted in totals.items():
            if not counted.blocks:
                said = [(p.leaks or {}).get(name, LeakTotals()) for p in self.processes]
                totals[name] = LeakTotals(
                    sum(leak.bytes for leak in said), sum(leak.blocks for leak in said)
                )
        return totals


def _leaks_of(records: Sequence[ErrorRecord]) -> dict[str, LeakTotals]:
    totals = dict.fromkeys(LEAK_KINDS.values(), LeakTotals())
    for record in records:
        name = LEAK_KINDS.get(record.kind)
        if name is None:
            continue
        direct = record.leaked_bytes if record.direct_bytes is None else record.direct_bytes
        seen = totals[name]
        totals[name] = LeakTotals(
            seen.bytes + (direct or 0), seen.blocks + (record.leaked_blocks or 0)
        )
    return totals
