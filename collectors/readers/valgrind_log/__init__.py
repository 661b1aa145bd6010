"""Valgrind's text log (`--log-file`, or its standard error): Memcheck, Helgrind, DRD.

Format: Valgrind manual, "The Commentary". Lines that bear no `==PID==` are the program's own
and are passed over. Text says less than XML: how often an error happened is known only
where the log repeats its errors at the end (`-s`, `-v`).
"""

import re
from collections.abc import Collection, Iterable, Iterator
from io import BytesIO
from pathlib import Path

from collectors.errors import ParseError
from collectors.readers.valgrind_log.blocks import FRAME, LOSS, Key, Process, known_kind
from collectors.records.errors import ErrorProfile
from collectors.records.shared import Damage

# What carries a line: `valgrind-listener`, logcat (brief, tag, time and threadtime).
_CARRIER = (
    rb"(?:\(\d{1,6}\)|(?:[\d-]{5,10} [\d:.]{8,18}\s+)?(?:\d{1,7}\s+\d{1,7}\s+)?"
    rb"[VDIWEF][ /][^:\n]{1,80}:) "
)
_CARRIED = re.compile(_CARRIER + rb"(?===|--|\*\*)")
_CARRIED_ALONG = re.compile(_CARRIER)
LINE = re.compile(rb"^(?:" + _CARRIER + rb")?==(?:[\d:.]{1,32} )?\d{1,10}== ", re.MULTILINE)
PREFIX = re.compile(rb"(==|--|\*\*)(?:[\d:.]{1,32} )?(\d{1,10})\1(?: (.*))?$", re.DOTALL)
_CRASH = re.compile(
    rb"[a-z]\w{1,20}: (?:.{1,200}: Assertion '.{1,200}' failed|the 'impossible' happened)"
)
_MOST_DAMAGE = 20
_INSIDE = re.compile(rb"==(?:[\d:.]{1,32} )?(\d{1,10})== ")
_TOOLS = {"Race": "helgrind", "Misc": "helgrind", "ConflictingAccess": "drd"}


def parse_valgrind_log(file: Path) -> ErrorProfile:
    """Read one file. Raises `ParseError` when no line in it is Valgrind's."""
    with file.open("rb") as stream:
        return parse_lines(stream, file.name)


def parse_content(content: bytes, source: str) -> ErrorProfile:
    """Read the bytes of one log; `source` is its name in messages."""
    return parse_lines(BytesIO(content), source)


def tool_of_quiet(head: bytes) -> str | None:
    """The tool of a log without its first words (`-q`), by its first error; None: no log."""
    before = ""
    for raw in head.splitlines():
        found = LINE.match(raw)
        text = "" if found is None else raw[found.end() :].decode("utf-8", "replace")
        if FRAME.match(text) and LOSS.match(before):
            return "memcheck"
        if FRAME.match(text) and (kind := known_kind(before)) is not None:
            return _TOOLS.get(kind, "memcheck")
        before = text
    return None


def parse_lines(lines: Iterable[bytes], source: str) -> ErrorProfile:
    """Read the lines of one log; several processes may share it."""
    processes: dict[int, Process] = {}
    order: list[tuple[int, Key]] = []
    suppression: list[str] | None = None
    last: Process | None = None
    is_carried = False
    number, raw = 0, b""
    crash: str | None = None
    for raw in lines:
        number += 1
        line = raw.rstrip(b"\r\n")
        match = PREFIX.match(line)
        if match is None and (carried := _CARRIED.match(line)) is not None:
            match = PREFIX.match(line, carried.end())
            is_carried = match is not None
        if match is None and b"==" in line:
            # The program left its line open.
            inside = _INSIDE.search(line)
            if inside is not None and int(inside[1]) in processes:
                match = PREFIX.match(line, inside.start())
        if match is None:
            own = _brought(line) if is_carried else line
            if crash is None and (crashed := _CRASH.match(own)) is not None:
                crash = crashed[0].decode("utf-8", "replace")
            # With --gen-suppressions=all a block in braces follows its error, unmarked.
            if own == b"{" and last is not None:
                suppression = []
            if suppression is not None and (own or not is_carried):
                suppression.append(own.decode("utf-8", "replace"))
                if own == b"}" and last is not None:
                    last.add_suppression("\n".join(suppression))
                    suppression = None
            continue
        suppression = None
        pid = int(match[2])
        last = processes.get(pid)
        if last is None:
            last = processes[pid] = Process(pid, order)
        text = (match[3] or b"").decode("utf-8", "replace")
        if match[1] == b"**":
            last.message(text)
        elif match[1] == b"==":
            last.line(text)
        else:
            last.remark(text)
    if not processes:
        raise ParseError(source, "no line begins with ==PID==: not a log of Valgrind's")
    for process in processes.values():
        process.flush()
    is_cut = raw[-1:] != b"\n"
    damage = list(_damage(processes.values(), source, number, crash, is_cut=is_cut))
    if len(damage) > _MOST_DAMAGE:
        what = f"{len(damage) - _MOST_DAMAGE:,} more processes' parts are damaged"
        damage[_MOST_DAMAGE:] = [Damage(source, what, "errors and leaks are missing")]
    records = [processes[pid].records[key] for pid, key in order]
    return ErrorProfile(
        records, tuple(process.result() for process in processes.values()), tuple(damage)
    )


def _brought(line: bytes) -> bytes:
    """What is Valgrind's in a line without a process' number; empty where nothing can be.

    What carries a log brings other programs' lines with it: those of a suppression are
    braces or begin with spaces.
    """
    carrier = _CARRIED_ALONG.match(line)
    own = line[carrier.end() :] if carrier is not None else b""
    return own if own in {b"{", b"}"} or own.startswith(b"   ") or _CRASH.match(own) else b""


def _damage(
    processes: Collection[Process],
    source: str,
    last_line: int,
    crash: str | None,
    *,
    is_cut: bool,
) -> Iterator[Damage]:
    """What is missing of each process, by its end and by Valgrind's own sums.

    `crash` is what Valgrind said of its own end, which bears no process' number.
    """
    if all(process.tool is None for process in processes) and any(
        process.records for process in processes
    ):  # with -q there are neither first nor last words
        if is_cut:
            effect = "it was cut off: later errors are missing"
            yield Damage(source, "the log ends inside a line", effect, line=last_line)
        return
    for process in processes:
        if not process.finished:
            what = f"process {process.pid} has no ERROR SUMMARY"
            why = "it was cut off" if crash is None else f"Valgrind itself failed ({crash})"
            effect = f"{why}: later errors and leaks are missing"
            yield Damage(source, what, effect, line=last_line)
        elif process.tool is not None:  # else a fork: its sums are also of errors before it
            for what in process.differences():
                yield Damage(source, what, "some errors are missing")
