"""What one process says in a text log, block by block."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from collectors.records.errors import (
    LEAK_KINDS,
    AuxStack,
    ClientMessage,
    ErrorProcess,
    ErrorRecord,
    FatalSignal,
    HeapTotals,
    LeakTotals,
)
from collectors.records.shared import Frame

FRAME = re.compile(r" {3}(?:at|by) 0x([0-9A-Fa-f]{1,16}): (.*)", re.DOTALL)
_THREAD = re.compile(r"Thread #?(\d{1,9})(?: (.*))?:", re.DOTALL)
_REPEAT = re.compile(r"([\d,]{1,20}) errors? in context \d+ of \d+:")
LOSS = re.compile(
    r"([\d,]{1,20})(?: \([-+][\d,]+\))? (?:\(([\d,]{1,20})[^)]*?direct, [^)]*\) )?bytes in "
    r"([\d,]{1,20})(?: \([-+][\d,]+\))? blocks are (definitely|indirectly|possibly) lost|"
    r"([\d,]{1,20})(?: \([-+][\d,]+\))? bytes in ([\d,]{1,20})(?: \([-+][\d,]+\))? blocks are "
    r"(still reachable)"
)
_LEAK_LINE = re.compile(
    r"\s+(definitely lost|indirectly lost|possibly lost|still reachable): "
    r"([\d,]{1,20})(?: \([-+][\d,]+\))? bytes in ([\d,]{1,20})"
)
_IN_USE = re.compile(r"in use at exit: ([\d,]{1,20}) bytes in ([\d,]{1,20}) blocks")
_USAGE = re.compile(
    r"total heap usage: ([\d,]{1,20}) allocs, ([\d,]{1,20}) frees, ([\d,]{1,20}) bytes"
)
_SUMMARY = re.compile(
    r"ERROR SUMMARY: ([\d,]{1,20}) errors? from ([\d,]{1,20}) contexts?"
    r"(?: \(suppressed: ([\d,]{1,20}) from)?"
)
_USED = re.compile(
    r"used_suppression: {1,20}(\d{1,10}) (.*?)"
    r"(?: suppressed: [\d,]{1,20} bytes in [\d,]{1,20} blocks)?$"
)
_FATAL = re.compile(r"Process terminating with default action of signal (\d{1,4}) \((\w+)\)")
_DESCRIPTOR = re.compile(
    r"Open (?:file descriptor|AF_\w+ socket) (\d{1,9}):(?: (.*))?", re.DOTALL
)
_BANNER = re.compile(r"(\w+), an? .*(?:detector|profiler)")
_LOST_KINDS = {
    "definitely": "Leak_DefinitelyLost",
    "indirectly": "Leak_IndirectlyLost",
    "possibly": "Leak_PossiblyLost",
    "still reachable": "Leak_StillReachable",
}
# How a headline begins, and the kind that the XML gives the same error.
_KINDS = (
    ("Conditional jump or move depends on uninitialised", "UninitCondition"),
    ("Use of uninitialised value", "UninitValue"),
    ("Invalid read of size", "InvalidRead"),
    ("Invalid write of size", "InvalidWrite"),
    ("Jump to the invalid address", "InvalidJump"),
    ("Syscall param", "SyscallParam"),
    ("Invalid free()", "InvalidFree"),
    ("Mismatched free()", "MismatchedFree"),
    ("Mismatched new/delete size", "MismatchedAllocateDeallocateSize"),
    ("Mismatched new[][]/delete[] size", "MismatchedAllocateDeallocateSize"),
    ("Mismatched new/delete align", "MismatchedAllocateDeallocateAlignment"),
    ("Source and destination overlap", "Overlap"),
    ("Argument '", "FishyValue"),
    ("realloc() with size 0", "ReallocSizeZero"),
    ("Invalid size and alignment", "InvalidSizeAndAlignment"),
    ("Invalid alignment", "InvalidAlignment"),
    ("Invalid size", "InvalidSize"),
    ("Illegal memory pool", "InvalidMemPool"),
    ("Uninitialised byte(s) found during client", "ClientCheck"),
    ("Unaddressable byte(s) found during client", "ClientCheck"),
    ("Memory pool", "InvalidMemPool"),
    ("File descriptor", "FdBadClose"),
    ("Possible data race", "Race"),
    ("Conflicting ", "ConflictingAccess"),
    ("Thread #", "Misc"),
)
Key = tuple[str, tuple[Frame, ...], tuple[AuxStack, ...]]


@dataclass(slots=True)
class Process:
    """What one process has said so far; `block` holds the lines since the last blank one."""

    pid: int
    order: list[tuple[int, Key]]
    block: list[str] = field(default_factory=list[str])
    records: dict[Key, ErrorRecord] = field(default_factory=dict[Key, ErrorRecord])
    messages: list[ClientMessage] = field(default_factory=list[ClientMessage])
    tool: str | None = None
    command: str | None = None
    ppid: int | None = None
    heap: HeapTotals | None = None
    in_use: tuple[int, int] | None = None
    leaks: dict[str, LeakTotals] | None = None
    summary: tuple[int, int] | None = None
    suppressed: int = 0
    used: dict[str, int] = field(default_factory=dict[str, int])  # suppressions, as named
    fatal: FatalSignal | None = None
    thread: tuple[int, str | None] | None = None
    counts_descriptors: bool = False
    tells_each_leak: bool = True
    reports: Counter[str] = field(default_factory=Counter[str])  # by leak kind, or ""
    last_key: Key | None = None
    repeated: int | None = None

    @property
    def finished(self) -> bool:
        return self.summary is not None

    def line(self, text: str) -> None:
        """Take one line without its prefix; a blank one ends a block."""
        if not text.strip():
            self.flush()
            return
        if not text.startswith(" "):  # a headline; a blank line need not come before it
            self.flush()
        self.block.append(text)
        if _SUMMARY.match(text):
            self.flush()

    def remark(self, text: str) -> None:
        """Take one of Valgrind's own remarks: with `-s` it says which suppressions it used."""
        used = _USED.match(text)
        if used is not None:
            self.used[used[2]] = int(used[1])

    def message(self, text: str) -> None:
        """Take a client message; a backtrace may follow it."""
        self.flush()
        self.messages.append(ClientMessage(text, self.thread[0] if self.thread else None))

    def add_suppression(self, text: str) -> None:
        self.flush()
        if self.last_key is not None:
            record = self.records[self.last_key]
            self.records[self.last_key] = replace(record, suppression=text)

    def flush(self) -> None:
        block, self.block = self.block, []
        if not block:
            return
        head = block[0]
        repeat = _REPEAT.match(head)
        thread = _THREAD.fullmatch(head)
        if repeat is not None:
            self.repeated = _number(repeat[1])
        elif thread is not None:
            self.thread = int(thread[1]), thread[2]
        elif FRAME.match(head):
            frames, _ = _stacks(block)
            if self.messages and not self.messages[-1].frames:
                self.messages[-1] = replace(self.messages[-1], frames=frames)
        else:
            self._take(block)

    def _take(self, block: Sequence[str]) -> None:
        head = block[0]
        fatal = _FATAL.match(head)
        descriptor = _DESCRIPTOR.match(head)
        loss = LOSS.match(head)
        kind = known_kind(head)
        has_stack = any(FRAME.match(line) for line in block[1:])
        if fatal is not None:
            frames, _ = _stacks(block[1:])
            tid, name = self.thread or (None, None)
            event = block[1].strip() if len(block) > 1 else None
            self.fatal = FatalSignal(
                int(fatal[1]), fatal[2], event, tid=tid, thread_name=name, frames=frames
            )
        elif loss is not None:
            self._add_loss(block, loss)
        elif descriptor is not None:
            if self.counts_descriptors and has_stack:
                name = descriptor[2]
                self._add("FdNotClosed", block, fd=int(descriptor[1]), path=name or None)
        elif kind is not None or has_stack:
            self._add(kind or "Unknown", block)
        else:
            self._facts(block)

    def _facts(self, block: Sequence[str]) -> None:
        for text in block:
            banner = _BANNER.match(text)
            leak = _LEAK_LINE.match(text)
            in_use, usage, summary = (p.search(text) for p in (_IN_USE, _USAGE, _SUMMARY))
            if banner is not None:
                self.tool = self.tool or banner[1].lower()
            elif text.startswith("Command: "):
                self.command = text.removeprefix("Command: ")
            elif text.startswith("Rerun with --leak-check=full"):
                self.tells_each_leak = False
            elif text.startswith("Parent PID: "):
                self.ppid = _number(text.removeprefix("Parent PID: "))
            elif text.startswith("FILE DESCRIPTORS:"):
                # Since 3.23, which counts inherited ones apart, open ones are errors.
                self.counts_descriptors = "inherited" in text
            elif in_use is not None:
                self.in_use = _number(in_use[1]), _number(in_use[2])
            elif usage is not None and self.in_use is not None:
                self.heap = HeapTotals(*self.in_use, *(_number(usage[i]) for i in (1, 2, 3)))
            elif "All heap blocks were freed" in text:
                self.leaks = {}
            elif leak is not None:
                self.leaks = self.leaks or {}
                name = leak[1].replace(" ", "_")
                self.leaks[name] = LeakTotals(_number(leak[2]), _number(leak[3]))
            elif summary is not None:
                self.summary = _number(summary[1]), _number(summary[2])
                self.suppressed = _number(summary[3] or "")

    def _add_loss(self, block: Sequence[str], loss: re.Match[str]) -> None:
        total, direct, blocks, kind, reachable, reachable_blocks, _ = loss.groups()
        size = _number(total or reachable)
        self._add(
            _LOST_KINDS[kind or "still reachable"],
            block,
            leaked_bytes=size,
            leaked_blocks=_number(blocks or reachable_blocks),
            direct_bytes=_number(direct) if direct else size,
        )

    def _add(
        self,
        kind: str,
        block: Sequence[str],
        *,
        leaked_bytes: int | None = None,
        leaked_blocks: int | None = None,
        direct_bytes: int | None = None,
        fd: int | None = None,
        path: str | None = None,
    ) -> None:
        frames, aux = _stacks(block[1:])
        headline = block[0].strip()
        key = (headline, frames, aux)
        count, self.repeated = self.repeated, None
        if key in self.records and count is not None:  # the error again, with its count
            self.records[key] = replace(self.records[key], count=count)
            self.last_key = key
            return
        self.reports[LEAK_KINDS.get(kind, "")] += 1
        record = ErrorRecord(
            kind=kind,
            what=headline,
            frames=frames,
            aux=aux,
            count=count or 1,
            pid=self.pid,
            tid=self.thread[0] if self.thread else 1,
            thread_name=self.thread[1] if self.thread else None,
            leaked_bytes=leaked_bytes,
            leaked_blocks=leaked_blocks,
            direct_bytes=direct_bytes,
            fd=fd,
            path=path,
        )
        if key in self.records:  # the same words again: a child's, or a second leak check
            self.last_key = key
            return
        self.records[key] = record
        self.order.append((self.pid, key))
        self.last_key = key

    def differences(self) -> Iterator[str]:
        """Where the records are fewer than Valgrind's sums of them."""
        found = dict.fromkeys(self.leaks or {}, LeakTotals())
        for record in self.records.values():
            name = LEAK_KINDS.get(record.kind, "")
            if name in found:
                seen = found[name]
                found[name] = LeakTotals(
                    seen.bytes + (record.direct_bytes or 0),
                    seen.blocks + (record.leaked_blocks or 0),
                )
        for name in ("definitely_lost", "possibly_lost"):
            said, held = (self.leaks or {}).get(name), found.get(name)
            if said is None or held is None:
                continue
            if 0 < held.bytes < said.bytes:
                yield (
                    f"{held.bytes:,} bytes are {name.replace('_', ' ')} by the records, "
                    f"{said.bytes:,} by Valgrind's summary"
                )
            if said.blocks and not held.blocks and self.tells_each_leak:
                return  # errors that --show-leak-kinds hides: the sum below holds them
        counted = 0 if self.summary is None else self.summary[1]
        usual = sum(self.reports[name] for name in ("", "definitely_lost", "possibly_lost"))
        # With --errors-for-leak-kinds=all every leak is counted.
        if usual < counted != self.reports.total():
            yield f"{usual:,} errors were read, Valgrind counted {counted:,}"

    def _suppressed(self) -> Iterator[tuple[str, int]]:
        """The suppressions that were used and how often; all under one name without `-s`."""
        for named, count in self.used.items():
            name, _, place = named.rpartition(" ")
            yield (name if name and place.rpartition(":")[2].isdigit() else named), count
        if not self.used and self.suppressed:
            yield "???", self.suppressed

    def result(self) -> ErrorProcess:
        return ErrorProcess(
            pid=self.pid,
            ppid=self.ppid,
            tool=self.tool,
            target_argv=(self.command,) if self.command else (),
            finished=self.finished,
            fatal_signal=self.fatal,
            client_messages=tuple(self.messages),
            suppressed=tuple(self._suppressed()),
            leaks=self.leaks,
            heap=self.heap,
            error_summary=self.summary,
        )


def known_kind(headline: str) -> str | None:
    return next((kind for start, kind in _KINDS if headline.startswith(start)), None)


def _stacks(lines: Sequence[str]) -> tuple[tuple[Frame, ...], tuple[AuxStack, ...]]:
    """The error's own stack, and the remarks behind it with theirs."""
    frames: list[Frame] = []
    aux: list[tuple[str, list[Frame]]] = []
    for text in lines:
        match = FRAME.match(text)
        if match is not None:
            frame = Frame.from_place(int(match[1], 16), match[2])
            (aux[-1][1] if aux else frames).append(frame)
        elif text.startswith(" "):
            aux.append((text.strip(), []))
    return tuple(frames), tuple(AuxStack(what, tuple(stack)) for what, stack in aux)


def _number(text: str) -> int:
    digits = text.replace(",", "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() else 0
