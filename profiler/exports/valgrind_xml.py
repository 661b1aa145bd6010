"""Valgrind's XML, protocol 4: the errors of all processes in one well-formed document."""

from collections.abc import Iterable, Sequence
from typing import TextIO

from collectors.records.errors import ErrorProfile, ErrorRecord
from collectors.records.shared import Frame, Shape
from collectors.tools.tool import Profile
from profiler.exports.xml_text import escaped

SHAPES = (Shape.ERRORS,)


def write(tool: str, profiles: Sequence[Profile], out: TextIO) -> None:
    """Write the document. `<unique>` is given anew: it is so in one document only."""
    found = [profile for profile in profiles if isinstance(profile, ErrorProfile)]
    process = next((process for profile in found for process in profile.processes), None)
    pid = process.pid if process is not None and process.pid is not None else 0
    out.write('<?xml version="1.0"?>\n\n<valgrindoutput>\n\n')
    out.write("<protocolversion>4</protocolversion>\n")
    out.write(f"<protocoltool>{escaped(tool)}</protocoltool>\n\n<preamble>\n</preamble>\n\n")
    out.write(f"<pid>{pid}</pid>\n<ppid>0</ppid>\n<tool>{escaped(tool)}</tool>\n\n<args>\n")
    for name, words in (
        ("vargv", process.valgrind_argv if process else ()),
        ("argv", process.target_argv if process else ()),
    ):
        out.write(f"  <{name}>\n")
        out.writelines(
            f"    {_element('arg' if index else 'exe', word)}\n"
            for index, word in enumerate(words)
        )
        out.write(f"  </{name}>\n")
    out.write("</args>\n\n<status>\n  <state>RUNNING</state>\n</status>\n\n")
    counts: list[tuple[int, int]] = []
    unique = 0
    for profile in found:
        for record in profile.records:
            _error(record, unique, out)
            if not record.is_leak:
                counts.append((record.count, unique))
            unique += 1
    out.write("<status>\n  <state>FINISHED</state>\n</status>\n\n<errorcounts>\n")
    for count, number in counts:
        out.write(f"  <pair>\n    <count>{count}</count>\n")
        out.write(f"    <unique>{number:#x}</unique>\n  </pair>\n")
    out.write("</errorcounts>\n\n</valgrindoutput>\n")


def _error(record: ErrorRecord, unique: int, out: TextIO) -> None:
    out.write(f"<error>\n  <unique>{unique:#x}</unique>\n  <tid>{record.tid or 1}</tid>\n")
    if record.thread_name is not None:
        out.write(f"  {_element('threadname', record.thread_name)}\n")
    out.write(f"  {_element('kind', record.kind)}\n")
    if record.leaked_bytes is None:
        out.write(f"  {_element('what', record.what)}\n")
    else:
        out.write(f"  <xwhat>\n    {_element('text', record.what)}\n")
        out.write(f"    <leakedbytes>{record.leaked_bytes}</leakedbytes>\n")
        out.write(f"    <leakedblocks>{record.leaked_blocks or 0}</leakedblocks>\n  </xwhat>\n")
    _stack(record.frames, out)
    for aux in record.aux:
        if aux.what is not None:
            out.write(f"  {_element('auxwhat', aux.what)}\n")
        if aux.frames:
            _stack(aux.frames, out)
    out.write("</error>\n\n")


def _stack(frames: Iterable[Frame], out: TextIO) -> None:
    out.write("  <stack>\n")
    for frame in frames:
        out.write(f"    <frame>\n      <ip>0x{frame.ip or 0:X}</ip>\n")
        for name in ("obj", "fn", "dir", "file", "line"):
            value = getattr(frame, name)
            if value is not None:
                out.write(f"      {_element(name, str(value))}\n")
        out.write("    </frame>\n")
    out.write("  </stack>\n")


def _element(name: str, text: str) -> str:
    return f"<{name}>{escaped(text)}</{name}>"
