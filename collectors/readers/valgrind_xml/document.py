"""A file of documents: errors, and what stands between them and tells of the processes."""

import mmap
import re
from dataclasses import dataclass, field, replace

from collectors.readers.valgrind_xml.elements import each_inner, inner, number, text
from collectors.readers.valgrind_xml.errors import Errors
from collectors.readers.valgrind_xml.sections import (
    client_message,
    counts,
    duration_ms,
    fatal_signal,
    heap_totals,
    leak_summary,
    suppressed,
)
from collectors.records.errors import ClientMessage, ErrorProcess, ErrorProfile, LeakTotals
from collectors.records.shared import Damage

Content = bytes | mmap.mmap

_ERROR_MARK = re.compile(rb"</?error>")
_SECTION = re.compile(
    rb"<(valgrindoutput|status|errorcounts|suppcounts|fatal_signal|clientmsg|announcethread"
    rb"|heap_summary|leak_summary|error_summary)>|</valgrindoutput>"
)
_HEAD_END = re.compile(rb"<status>|</?valgrindoutput>")
_LEAK_KINDS_OPTION = "--errors-for-leak-kinds"
_MOST_DAMAGE = 20
_MOST_DOCUMENTS = 10_000
_MOST_MESSAGES = 10_000  # of one process
_FORGET_BYTES = 1 << 22


def scan(content: Content, source: str) -> ErrorProfile:
    """Read the bytes of one file; `source` is its name in messages."""
    return _Scan(content, source).run()


@dataclass(slots=True)
class _Open:
    """A document being read; a forked child's part of a shared file is one, too."""

    first: int
    process: ErrorProcess = field(default_factory=ErrorProcess)
    messages: list[ClientMessage] = field(default_factory=list[ClientMessage])
    threads: list[ClientMessage] = field(default_factory=list[ClientMessage])
    counts: dict[int, int] | None = None
    seen: bool = False


class _Scan:
    def __init__(self, content: Content, source: str) -> None:
        self._content = content
        self._source = source
        self._errors = Errors()
        self._processes: list[ErrorProcess] = []
        self._damage: list[Damage] = []
        self._open = _Open(0)
        self._waiting: list[_Open] = []  # parents whose forked child writes
        self._forgotten = 0

    def run(self) -> ErrorProfile:
        content = self._content
        start: int | None = None
        position = 0
        for mark in _ERROR_MARK.finditer(content):
            if mark[0] == b"<error>":
                if start is not None:
                    self._complain(start, "an <error> without its end", "it is left out")
                else:
                    self._between(position, mark.start())
                start = mark.start()
            elif start is not None:
                self._open.seen = True
                self._errors.add(content[start + 7 : mark.start()], self._open.process.pid)
                position = mark.end()
                start = None
                self._forget(position)
        if start is not None:
            self._complain(start, "an <error> without its end", "it is left out")
            position = start + 7
        self._between(position, len(content))
        self._close_last()
        return ErrorProfile(self._errors.result(), tuple(self._processes), tuple(self._damage))

    def _forget(self, position: int) -> None:
        """Give back the memory of what was read: the file can be larger than that is."""
        if position - self._forgotten > _FORGET_BYTES and isinstance(self._content, mmap.mmap):
            page = position - position % mmap.PAGESIZE
            self._content.madvise(mmap.MADV_DONTNEED, 0, page)
            self._forgotten = page

    def _complain(self, position: int, what: str, effect: str) -> None:
        if len(self._damage) < _MOST_DAMAGE:
            line = 1
            for start in range(0, position, _FORGET_BYTES):
                stop = min(position, start + _FORGET_BYTES)
                line += self._content[start:stop].count(b"\n")
            self._damage.append(Damage(self._source, what, effect, line=line, byte=position))

    def _between(self, start: int, end: int) -> None:
        """Read what stands between errors."""
        if end - start < 12 or self._content.find(b"<", start, end) < 0:
            return
        gap = self._content[start:end]
        position = 0
        endless: set[bytes] = set()
        while section := _SECTION.search(gap, position):
            tag: bytes | None = section[1]
            position = section.end()
            if tag is None:
                self._open.seen = True
                self._close(finished=True)
                if self._waiting:
                    self._open = self._waiting.pop()
            elif tag == b"valgrindoutput":
                position = self._begin(gap, position, start)
            elif tag not in endless:
                stop = gap.find(b"</" + tag + b">", position)
                if stop < 0:
                    self._complain(
                        start + position,
                        f"a <{tag.decode()}> without its end",
                        "what it says is left out",
                    )
                    endless.add(tag)
                else:
                    self._section(tag, gap[position:stop])
                    position = stop

    def _begin(self, gap: bytes, position: int, start: int) -> int:
        """A document's head, up to its first <status>."""
        end = _HEAD_END.search(gap, position)
        stop = len(gap) if end is None else end.start()
        head = gap[position:stop]
        comment = head.find(b"<usercomment>")  # raw text of the user's: nothing in it counts
        if comment >= 0:
            after = head.rfind(b"</usercomment>")
            head = head[:comment] + (head[after:] if after >= 0 else b"")
        if self._open.seen and number(inner(head, b"ppid")) == self._open.process.pid:
            if not self._ends_too(start + position):
                return stop  # the child became a program of its own, and writes no more here
            self._waiting.append(self._open)
            self._open = _Open(len(self._errors))
        elif self._open.seen:
            self._complain(
                start + position, "a document begins inside another", "both are read"
            )
            self._close(finished=False)
        arguments = {name: _arguments(head, name) for name in (b"vargv", b"argv")}
        tool = inner(head, b"tool")
        preamble = inner(head, b"preamble") or b""
        self._open.seen = True
        self._open.process = ErrorProcess(
            pid=number(inner(head, b"pid")),
            ppid=number(inner(head, b"ppid")),
            tool=text(tool).strip() if tool else None,
            protocol=number(inner(head, b"protocolversion")),
            valgrind_argv=arguments[b"vargv"],
            target_argv=arguments[b"argv"],
            preamble=tuple(text(line) for line in each_inner(preamble, b"line")),
        )
        protocol = self._open.process.protocol
        if protocol is not None and protocol > 6:
            self._complain(
                start + position,
                f"protocol {protocol} is newer than what is known here (6)",
                "what is known of it is read",
            )
        return stop

    def _ends_too(self, position: int) -> bool:
        """Whether a forked child's document has an end of its own, beside its parents'."""
        ends = 0
        for _ in range(len(self._waiting) + 2):  # the parents that wait, its own, and it
            position = self._content.find(b"</valgrindoutput>", position) + 1
            if not position:
                break
            ends += 1
        return ends == len(self._waiting) + 2

    def _section(self, tag: bytes, body: bytes) -> None:
        document = self._open
        document.seen = True
        process = document.process
        if tag == b"status":
            finished = b"FINISHED" in body
            process = replace(
                process,
                finished=process.finished or finished,
                duration_ms=duration_ms(body) if finished else process.duration_ms,
            )
        elif tag == b"errorcounts":  # the last one of a document tells
            document.counts = counts(body)
        elif tag == b"suppcounts":
            process = replace(process, suppressed=suppressed(body))
        elif tag == b"fatal_signal":
            process = replace(process, fatal_signal=fatal_signal(body))
        elif tag == b"clientmsg":
            if len(document.messages) < _MOST_MESSAGES:
                document.messages.append(client_message(body, b"text"))
        elif tag == b"announcethread":
            if len(document.threads) < _MOST_MESSAGES:
                document.threads.append(client_message(body, b"hthreadid"))
        elif tag == b"heap_summary":
            process = replace(process, heap=heap_totals(body))
        elif tag == b"leak_summary":
            process = replace(process, leaks=leak_summary(body))
        else:
            errors, contexts = (number(inner(body, n)) for n in (b"errors", b"error_contexts"))
            if errors is not None and contexts is not None:
                process = replace(process, error_summary=(errors, contexts))
        document.process = process

    # --- the end of a document ---

    def _close(self, *, finished: bool) -> None:
        document = self._open
        self._open = _Open(len(self._errors))
        if document.counts:
            self._errors.set_counts(document.first, document.counts)
        process = replace(
            document.process,
            finished=finished or document.process.finished,
            client_messages=tuple(document.messages),
            announced_threads=tuple(document.threads),
        )
        if len(self._processes) < _MOST_DOCUMENTS:
            self._processes.append(process)
            self._compare(process, document)

    def _compare(self, process: ErrorProcess, document: _Open) -> None:
        """Hold the records against Valgrind's own sums (protocol 6)."""
        if len(self._damage) >= _MOST_DAMAGE:
            return
        usual = not any(word.startswith(_LEAK_KINDS_OPTION) for word in process.valgrind_argv)
        if process.error_summary is not None and document.counts is not None and usual:
            found, said = (
                self._errors.counted(document.first, document.counts),
                process.error_summary[0],
            )
            if found != said:
                self._differs(f"{found:,} errors were read, Valgrind counted {said:,}")
        if not process.leaks:
            return
        leaks = self._errors.leaks(document.first)
        for kind, totals in process.leaks.items():
            found_leaks = leaks.get(kind, LeakTotals())
            if found_leaks.blocks and found_leaks != totals:
                self._differs(
                    f"{found_leaks.bytes:,} bytes in {found_leaks.blocks:,} blocks are "
                    f"{kind.replace('_', ' ')} by the records, "
                    f"{totals.bytes:,} in {totals.blocks:,} by Valgrind's summary"
                )

    def _differs(self, what: str) -> None:
        self._damage.append(Damage(self._source, what, "some errors are missing"))

    def _close_last(self) -> None:
        while self._waiting and not self._open.seen:
            self._open = self._waiting.pop()
        if not self._open.seen:
            return
        if self._open.counts is None:
            effect = "how often each error happened, and errors after this place, are missing"
        else:
            effect = "the last words of Valgrind are missing"
        self._complain(len(self._content), "the file ends before </valgrindoutput>", effect)
        self._close(finished=False)


def _arguments(head: bytes, name: bytes) -> tuple[str, ...]:
    words = inner(head, name) or b""
    program = inner(words, b"exe")
    first = () if program is None else (text(program),)
    return first + tuple(text(word) for word in each_inner(words, b"arg"))
