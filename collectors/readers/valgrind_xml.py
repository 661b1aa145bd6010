"""Valgrind's XML (Memcheck, Helgrind, DRD), protocols 1 to 6.

Format: docs/internals/xml-output-protocol*.txt of Valgrind's source. Real documents are often
ill-formed: cut by a kill, two processes in one file, thread names that are not escaped,
bytes that are not UTF-8. So this scans for the elements that it knows instead of parsing
XML: every whole `<error>` counts, whatever stands around it, and no entity or DTD is ever
resolved.
"""

import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from collectors.errors import ParseError
from collectors.records.errors import (
    AuxStack,
    ClientMessage,
    ErrorProcess,
    ErrorProfile,
    ErrorRecord,
    FatalSignal,
    HeapTotals,
    LeakTotals,
)
from collectors.records.shared import Damage, Frame

_Content = bytes | mmap.mmap

_PART = re.compile(
    rb"<(unique|tid|threadname|kind|fd|path|what|xwhat|auxwhat|xauxwhat|stack|suppression"
    rb"|leakedbytes|leakedblocks)>(.*?)</\1>",
    re.DOTALL,
)
_FRAME = re.compile(rb"<frame>(.*?)</frame>", re.DOTALL)
_FRAME_PART = re.compile(rb"<(ip|obj|fn|dir|file|line)>(.*?)</\1>", re.DOTALL)
_SECTION = re.compile(
    rb"<(valgrindoutput|status|errorcounts|suppcounts|fatal_signal|clientmsg|announcethread"
    rb"|heap_summary|leak_summary|error_summary)>|</valgrindoutput>"
)
_PAIR = re.compile(
    rb"<pair>\s*<count>\s*(\d{1,18})\s*</count>\s*<unique>\s*(0x[0-9a-fA-F]{1,16})\s*</unique>"
)
_SUPPRESSED = re.compile(
    rb"<pair>\s*<count>\s*(\d{1,18})\s*</count>\s*<name>(.*?)</name>", re.DOTALL
)
_TIME = re.compile(rb"<time>\s*(\d+):(\d+):(\d+):(\d+)\.(\d+)")
_ARGUMENT = re.compile(rb"<(?:exe|arg)>(.*?)</(?:exe|arg)>", re.DOTALL)
_PREAMBLE_LINE = re.compile(rb"<line>(.*?)</line>", re.DOTALL)
_CHARACTER = re.compile(r"&(lt|gt|amp|quot|apos|#\d{1,7}|#x[0-9a-fA-F]{1,6});")
_CHARACTERS = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_DIRECT = re.compile(r"\(([\d,]+)(?: \([-+][\d,]+\))? direct, ")
_LEAKS = ("definitely_lost", "indirectly_lost", "possibly_lost", "still_reachable")
_MOST_DAMAGE = 20


def parse_valgrind_xml(file: Path) -> ErrorProfile:
    """Read one file. Raises `ParseError` when nothing in it is Valgrind's XML."""
    with file.open("rb") as stream:
        if not file.stat().st_size:
            raise ParseError(file.name, "the file is empty")
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return parse_content(content, file.name)


def parse_content(content: _Content, source: str) -> ErrorProfile:
    """Read the bytes of one file; `source` is its name in messages."""
    if content.find(b"<valgrindoutput>") < 0 and content.find(b"<error>") < 0:
        raise ParseError(source, "no <valgrindoutput> in it: not Valgrind's XML")
    return _Reader(content, source).read()


@dataclass(slots=True)
class _Open:
    """A document being read; a forked child's part of a shared file is one, too."""

    process: ErrorProcess = field(default_factory=ErrorProcess)
    records: list[ErrorRecord] = field(default_factory=list[ErrorRecord])
    counts: dict[int, int] = field(default_factory=dict[int, int])
    has_counts: bool = False
    seen: bool = False


class _Reader:
    def __init__(self, content: _Content, source: str) -> None:
        self._content = content
        self._source = source
        self._frames: dict[bytes, Frame] = {}
        self._stacks: dict[bytes, tuple[Frame, ...]] = {}
        self._texts: dict[bytes, str] = {}
        self._records: list[ErrorRecord] = []
        self._processes: list[ErrorProcess] = []
        self._damage: list[Damage] = []
        self._open = _Open()

    def read(self) -> ErrorProfile:
        content, position = self._content, 0
        while True:
            start = content.find(b"<error>", position)
            self._between(position, start if start >= 0 else len(content))
            if start < 0:
                break
            end = content.find(b"</error>", start)
            following = content.find(b"<error>", start + 7, end if end >= 0 else len(content))
            if end < 0 or following >= 0:
                self._complain(start, "an <error> without its end", "it is left out")
                if following < 0:
                    break
                position = following
                continue
            self._error(content[start + 7 : end])
            position = end + 8
        self._close_last()
        return ErrorProfile(self._records, tuple(self._processes), tuple(self._damage))

    def _complain(self, position: int, what: str, effect: str) -> None:
        if len(self._damage) < _MOST_DAMAGE:
            line = self._content[:position].count(b"\n") + 1
            self._damage.append(Damage(self._source, what, effect, line=line, byte=position))

    # --- one error ---

    def _error(self, block: bytes) -> None:
        self._open.seen = True
        unique = tid = fd = leaked = blocks = direct = None
        name = path = kind = what = suppression = None
        frames: tuple[Frame, ...] | None = None
        aux: list[AuxStack] = []
        for part in _PART.finditer(block):
            tag, raw = part[1], part[2]
            if tag == b"stack":
                stack = self._stack(raw)
                if frames is None and not aux:
                    frames = stack
                elif aux and not aux[-1].frames:
                    aux[-1] = replace(aux[-1], frames=stack)
                else:
                    aux.append(AuxStack(None, stack))
            elif tag == b"kind":
                kind = self._text(raw)
            elif tag in {b"what", b"xwhat"}:
                text = _inner(raw, b"text") if tag == b"xwhat" else raw
                said = _plain(text if text is not None else raw).strip()
                what = said if what is None else f"{what}\n{said}"
                if tag == b"xwhat":
                    leaked = _number(_inner(raw, b"leakedbytes"))
                    blocks = _number(_inner(raw, b"leakedblocks"))
                    share = _DIRECT.search(said)
                    direct = int(share[1].replace(",", "")) if share else leaked
            elif tag == b"auxwhat":
                aux.append(AuxStack(_plain(raw).strip()))
            elif tag == b"xauxwhat":
                aux.append(_located(raw))
            elif tag == b"unique":
                unique = _number(raw)
            elif tag == b"tid":
                tid = _number(raw)
            elif tag == b"threadname":
                name = raw.decode("utf-8", "replace")  # Valgrind does not escape it
            elif tag == b"path":
                path = raw.decode("utf-8", "replace")
            elif tag == b"fd":
                fd = _number(raw)
            elif tag == b"suppression":
                suppression = _suppression(raw)
            elif tag == b"leakedbytes":
                leaked = direct = _number(raw)
            else:
                blocks = _number(raw)
        self._open.records.append(
            ErrorRecord(
                kind=kind or "Unknown",
                what=what or "",
                frames=frames or (),
                aux=tuple(aux),
                unique=unique,
                pid=self._open.process.pid,
                tid=tid,
                thread_name=name,
                leaked_bytes=leaked,
                leaked_blocks=blocks,
                direct_bytes=direct,
                fd=fd,
                path=path,
                suppression=suppression,
            )
        )

    def _stack(self, raw: bytes) -> tuple[Frame, ...]:
        stack = self._stacks.get(raw)
        if stack is None:
            known = self._frames
            frames: list[Frame] = []
            for text in _FRAME.findall(raw):
                frame = known.get(text)
                if frame is None:
                    frame = known[text] = self._frame(text)
                frames.append(frame)
            stack = self._stacks[raw] = tuple(frames)
        return stack

    def _frame(self, raw: bytes) -> Frame:
        parts = {part[1]: part[2] for part in _FRAME_PART.finditer(raw)}
        text = self._text
        return Frame(
            _number(parts.get(b"ip")),
            text(parts[b"fn"]) if b"fn" in parts else None,
            text(parts[b"obj"]) if b"obj" in parts else None,
            text(parts[b"dir"]) if b"dir" in parts else None,
            text(parts[b"file"]) if b"file" in parts else None,
            _number(parts.get(b"line")),
        )

    def _text(self, raw: bytes) -> str:
        """Text that stands in many places, decoded once."""
        text = self._texts.get(raw)
        if text is None:
            text = self._texts[raw] = _plain(raw)
        return text

    # --- what stands between errors ---

    def _between(self, start: int, end: int) -> None:
        if end - start < 12 or self._content.find(b"<", start, end) < 0:
            return
        gap = self._content[start:end]
        position = 0
        while section := _SECTION.search(gap, position):
            tag = section[1]
            position = section.end()
            if tag is None:
                self._open.seen = True
                self._close(finished=True)
                continue
            if tag == b"valgrindoutput":
                position = self._begin(gap, position, start)
                continue
            stop = gap.find(b"</" + tag + b">", position)
            if stop < 0:
                self._complain(start + position, f"a <{tag.decode()}> without its end", "cut")
                break
            self._section(tag, gap[position:stop])
            position = stop

    def _begin(self, gap: bytes, position: int, start: int) -> int:
        """A document's head, up to its first <status>."""
        if self._open.seen:
            self._complain(
                start + position, "a document begins inside another", "both are read"
            )
            self._close(finished=False)
        stop = gap.find(b"<status>", position)
        head = gap[position : stop if stop >= 0 else len(gap)]
        comment = head.find(b"<usercomment>")  # raw text of the user's: nothing in it counts
        if comment >= 0:
            after = head.rfind(b"</usercomment>")
            head = head[:comment] + (head[after:] if after >= 0 else b"")
        arguments = {
            name: tuple(_plain(raw) for raw in _ARGUMENT.findall(_inner(head, name) or b""))
            for name in (b"vargv", b"argv")
        }
        tool = _inner(head, b"tool")
        preamble = _inner(head, b"preamble") or b""
        self._open.seen = True
        self._open.process = ErrorProcess(
            pid=_number(_inner(head, b"pid")),
            ppid=_number(_inner(head, b"ppid")),
            tool=_plain(tool) if tool else None,
            protocol=_number(_inner(head, b"protocolversion")),
            valgrind_argv=arguments[b"vargv"],
            target_argv=arguments[b"argv"],
            preamble=tuple(_plain(line) for line in _PREAMBLE_LINE.findall(preamble)),
        )
        return stop if stop >= 0 else len(gap)

    def _section(self, tag: bytes, body: bytes) -> None:
        document = self._open
        document.seen = True
        process = document.process
        if tag == b"status":
            finished = b"FINISHED" in body
            time = _TIME.search(body)
            duration = None
            if time is not None:
                days, hours, minutes, whole, thousandths = map(int, time.groups())
                whole += 60 * (minutes + 60 * (hours + 24 * days))
                duration = 1000 * whole + thousandths
            process = replace(
                process,
                finished=process.finished or finished,
                duration_ms=duration if finished else process.duration_ms,
            )
        elif tag == b"errorcounts":
            document.has_counts = True
            document.counts = {int(u, 16): int(n) for n, u in _PAIR.findall(body)}
        elif tag == b"suppcounts":
            used = tuple((_plain(name), int(n)) for n, name in _SUPPRESSED.findall(body))
            process = replace(process, suppressed=used)
        elif tag == b"fatal_signal":
            process = replace(process, fatal_signal=self._fatal(body))
        elif tag == b"clientmsg":
            message = self._message(body, b"text")
            process = replace(process, client_messages=(*process.client_messages, message))
        elif tag == b"announcethread":
            thread = self._message(body, b"hthreadid")
            announced = (*process.announced_threads, thread)
            process = replace(process, announced_threads=announced)
        elif tag == b"heap_summary":
            process = replace(process, heap=_heap_totals(body))
        elif tag == b"leak_summary":
            process = replace(process, leaks=_leak_summary(body))
        else:
            errors, contexts = (
                _number(_inner(body, n)) for n in (b"errors", b"error_contexts")
            )
            if errors is not None and contexts is not None:
                process = replace(process, error_summary=(errors, contexts))
        document.process = process

    def _fatal(self, body: bytes) -> FatalSignal:
        event, name = _inner(body, b"event"), _inner(body, b"threadname")
        return FatalSignal(
            signo=_number(_inner(body, b"signo")) or 0,
            signame=_plain(_inner(body, b"signame") or b"?"),
            event=_plain(event) if event else None,
            address=_number(_inner(body, b"siaddr")),
            tid=_number(_inner(body, b"tid")),
            thread_name=name.decode("utf-8", "replace") if name else None,
            frames=self._stack(_inner(body, b"stack") or b""),
        )

    def _message(self, body: bytes, text: bytes) -> ClientMessage:
        return ClientMessage(
            _plain(_inner(body, text) or b"").strip(),
            _number(_inner(body, b"tid")),
            self._stack(_inner(body, b"stack") or b""),
        )

    # --- the end of a document ---

    def _close(self, *, finished: bool) -> None:
        document = self._open
        self._open = _Open()
        counts = document.counts
        if counts:
            document.records = [
                replace(record, count=counts[record.unique])
                if record.unique in counts and not record.is_leak
                else record
                for record in document.records
            ]
        self._records += document.records
        process = replace(document.process, finished=finished or document.process.finished)
        self._processes.append(process)
        self._damage += _mismatches(process, document, self._source)

    def _close_last(self) -> None:
        if not self._open.seen:
            return
        if not self._open.has_counts:
            effect = "how often each error happened, and errors after this place, are missing"
        else:
            effect = "the last words of Valgrind are missing"
        self._complain(len(self._content), "the file ends before </valgrindoutput>", effect)
        self._close(finished=False)


def _mismatches(process: ErrorProcess, document: _Open, source: str) -> Iterator[Damage]:
    """Hold the records against Valgrind's own sums (protocol 6)."""
    if process.error_summary is not None and document.has_counts:
        lost = {"Leak_DefinitelyLost", "Leak_PossiblyLost"}
        others = [
            r for r in document.records if r.kind in lost or r.unique not in document.counts
        ]
        extra = sum(1 for r in others if not r.is_leak or r.kind in lost)
        found = sum(document.counts.values()) + extra
        if found != process.error_summary[0] and "--errors-for-leak-kinds" not in " ".join(
            process.valgrind_argv
        ):
            yield Damage(
                source,
                f"{found:,} errors were read, Valgrind counted {process.error_summary[0]:,}",
                "some errors are missing",
            )


def _inner(raw: bytes, tag: bytes) -> bytes | None:
    """What stands in the first element of this name, or None."""
    start = raw.find(b"<" + tag + b">")
    if start < 0:
        return None
    start += len(tag) + 2
    stop = raw.find(b"</" + tag + b">", start)
    return raw[start:stop] if stop >= 0 else None


def _number(raw: bytes | None) -> int | None:
    """A decimal or 0x number; thousands commas and a delta behind it are passed over."""
    if raw is None:
        return None
    digits = raw.split(b"(", 1)[0].replace(b",", b"").strip()
    try:
        return int(digits[:24], 16 if digits.startswith(b"0x") else 10)
    except ValueError:
        return None


def _plain(raw: bytes) -> str:
    """Text with the five characters of XML and numbered ones unescaped, nothing else."""
    text = raw.decode("utf-8", "replace")
    return _CHARACTER.sub(_character, text) if "&" in text else text


def _character(match: re.Match[str]) -> str:
    name = match[1]
    if name in _CHARACTERS:
        return _CHARACTERS[name]
    number = int(f"0{name[1:]}", 16 if name[1] == "x" else 10)
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"


def _located(raw: bytes) -> AuxStack:
    text, file = _inner(raw, b"text"), _inner(raw, b"file")
    return AuxStack(
        _plain(text if text is not None else raw).strip(),
        file=_plain(file) if file is not None else None,
        line=_number(_inner(raw, b"line")),
    )


def _suppression(raw: bytes) -> str | None:
    text = _inner(raw, b"rawtext")
    if text is None:
        return None
    text = text.strip()
    if text.startswith(b"<![CDATA["):
        text = text.removeprefix(b"<![CDATA[").removesuffix(b"]]>")
        return text.decode("utf-8", "replace").strip()
    return _plain(text).strip()


def _leak_summary(body: bytes) -> dict[str, LeakTotals]:
    """Bytes and blocks of each kind; Valgrind 3.26.0 may leave still_reachable unclosed."""
    totals: dict[str, LeakTotals] = {}
    for kind in _LEAKS:
        start = body.find(f"<{kind}>".encode())
        if start < 0:
            continue
        part = body[start : start + 300]
        blocks = _inner(part, b"blocks")
        totals[kind] = LeakTotals(
            _number(_inner(part, b"bytes")) or 0,
            _number(blocks if blocks is not None else _inner(part, b"in_blocks")) or 0,
        )
    return totals


def _heap_totals(body: bytes) -> HeapTotals | None:
    use, total = (
        _inner(body, b"in_use_at_exit") or b"",
        _inner(body, b"total_heap_usage") or b"",
    )
    numbers = [
        _number(_inner(use, b"bytes")),
        _number(_inner(use, b"blocks")),
        _number(_inner(total, b"allocs")),
        _number(_inner(total, b"frees")),
        _number(_inner(total, b"bytes")),
    ]
    known = [number for number in numbers if number is not None]
    return HeapTotals(*known) if len(known) == len(numbers) else None
