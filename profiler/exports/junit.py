"""JUnit XML: a suite for each tool and process, a test for each distinct error.

Errors are failed tests, leaks that are no fault by themselves are skipped ones; a process
without errors has one test that passed, so that "nothing found" can be told from "not run".
"""

from typing import BinaryIO

from collectors.records.errors import ErrorProfile, ErrorRecord
from profiler.error_kinds import kind_words
from profiler.exports.content import HARMLESS, need_errors, own_code, source_path, stack_lines
from profiler.exports.xml_text import attribute, text
from profiler.fingerprint import error_fingerprint
from profiler.own_code import OwnCode
from profiler.store import Session


def write(session: Session, out: BinaryIO) -> None:
    own = own_code(session)
    out.write(b'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n')
    for tool, profile in need_errors(session):
        _suite(session, tool, profile, own, out)
    out.write(b"</testsuites>\n")


def _suite(
    session: Session, tool: str, profile: ErrorProfile, own: OwnCode, out: BinaryIO
) -> None:
    process = profile.processes[0] if profile.processes else None
    name = f"{tool} {session.manifest.target.label}"
    if process is not None and process.pid is not None:
        name += f" (process {process.pid})"
    skipped = sum(record.kind in HARMLESS for record in profile.records)
    failed = len(profile.records) - skipped
    entry = session.capture(tool)
    seconds = 0.0 if entry is None else entry.wall_seconds or 0.0
    lines = [
        f'<testsuite name={attribute(name)} tests="{max(1, len(profile.records))}" '
        f'failures="{failed}" errors="0" skipped="{skipped}" time="{seconds:.3f}" '
        f"timestamp={attribute(session.manifest.created)}>"
    ]
    if not profile.records:
        lines.append(f'<testcase classname="{tool}" name="no errors" time="0"/>')
    lines += [_case(tool, record, own) for record in profile.records]
    lines.append("</testsuite>\n")
    out.write("\n".join(lines).encode())


def _case(tool: str, record: ErrorRecord, own: OwnCode) -> str:
    frame = own.frame(record.frames)
    where = "" if frame is None else frame.place
    path = source_path(frame)
    place = "" if path is None else f" file={attribute(path)}"
    if place and frame is not None and frame.line is not None:
        place += f' line="{frame.line}"'
    name = f"{kind_words(record.kind).title}: {where} [{error_fingerprint(record)}]"
    head = f"<testcase classname={attribute(f'{tool}.{record.kind}')} name={attribute(name)}"
    head += f'{place} time="0">'
    if record.kind in HARMLESS:
        return f"{head}<skipped message={attribute(record.what)}/></testcase>"
    body = [record.what, *stack_lines(record.frames)]
    for aux in record.aux:
        body += ["", aux.what or "", *stack_lines(aux.frames)]
    if record.count > 1:
        body.append(f"{record.count} times")
    words = text("\n".join(body))
    return (
        f"{head}<failure type={attribute(record.kind)} message={attribute(record.what)}>"
        f"{words}</failure></testcase>"
    )
