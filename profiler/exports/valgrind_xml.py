"""Valgrind's XML (protocol 4), well-formed, the errors of all processes in one document."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from collectors.records.errors import ErrorRecord
from collectors.records.shared import Frame
from profiler.exports.content import need_errors
from profiler.exports.xml_text import text
from profiler.store import Session


def write(session: Session, out: BinaryIO) -> None:
    """The first tool's errors: a document is of one tool."""
    found = need_errors(session)
    tool = found[0][0]
    profiles = [profile for name, profile in found if name == tool]
    process = next((p for profile in profiles for p in profile.processes), None)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        "<valgrindoutput>",
        "<protocolversion>4</protocolversion>",
        f"<protocoltool>{text(tool)}</protocoltool>",
        "<preamble>",
        *(f"  <line>{text(line)}</line>" for line in (process.preamble if process else ())),
        "</preamble>",
        f"<pid>{(process and process.pid) or 0}</pid>",
        f"<ppid>{(process and process.ppid) or 0}</ppid>",
        f"<tool>{text(tool)}</tool>",
        "<args>",
        *_argv("vargv", process.valgrind_argv if process else ()),
        *_argv("argv", session.manifest.target.argv or (process and process.target_argv) or ()),
        "</args>",
        "<status><state>RUNNING</state><time>00:00:00:00.000 </time></status>",
    ]
    out.write(("\n".join(lines) + "\n").encode())
    records = [record for profile in profiles for record in profile.records]
    live = [(i, r) for i, r in enumerate(records) if not r.is_leak]
    out.writelines(_error(number, record) for number, record in live)
    out.write(b"<status><state>FINISHED</state><time>00:00:00:00.000 </time></status>\n")
    for number, record in enumerate(records):
        if record.is_leak:
            out.write(_error(number, record))
    out.write(b"<errorcounts>\n")
    for number, record in live:
        pair = f"<count>{record.count}</count> <unique>{number:#x}</unique>"
        out.write(f"  <pair> {pair} </pair>\n".encode())
    out.write(b"</errorcounts>\n<suppcounts>\n</suppcounts>\n</valgrindoutput>\n")


def _argv(name: str, words: Sequence[str]) -> Iterator[str]:
    yield f"  <{name}>"
    for place, word in enumerate(words):
        tag = "arg" if place else "exe"
        yield f"    <{tag}>{text(word)}</{tag}>"
    yield f"  </{name}>"


def _error(number: int, record: ErrorRecord) -> bytes:
    lines = [
        "<error>",
        f"  <unique>{number:#x}</unique>",
        f"  <tid>{record.tid or 1}</tid>",
        f"  <kind>{text(record.kind)}</kind>",
    ]
    if record.is_leak:
        lines += [
            "  <xwhat>",
            f"    <text>{text(record.what)}</text>",
            f"    <leakedbytes>{record.leaked_bytes or 0}</leakedbytes>",
            f"    <leakedblocks>{record.leaked_blocks or 0}</leakedblocks>",
            "  </xwhat>",
        ]
    else:
        lines.append(f"  <what>{text(record.what)}</what>")
    lines += _stack(record.frames)
    for aux in record.aux:
        if aux.what is not None:
            lines.append(f"  <auxwhat>{text(aux.what)}</auxwhat>")
        lines += _stack(aux.frames)
    lines += ["</error>", ""]
    return "\n".join(lines).encode()


def _stack(frames: Sequence[Frame]) -> Iterator[str]:
    if not frames:
        return
    yield "  <stack>"
    for frame in frames:
        yield "    <frame>"
        yield f"      <ip>{frame.ip or 0:#X}</ip>".replace("0X", "0x")
        for tag in ("obj", "fn", "dir", "file"):
            value: str | None = getattr(frame, tag)
            if value is not None:
                yield f"      <{tag}>{text(value)}</{tag}>"
        if frame.line is not None:
            yield f"      <line>{frame.line}</line>"
        yield "    </frame>"
    yield "  </stack>"
