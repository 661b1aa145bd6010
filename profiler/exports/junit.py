"""JUnit XML: a suite for each tool, a test for each own line that had errors of one kind.

Errors are failed tests, leaks that are no fault by themselves are skipped ones; a process
without errors is a test that passed, so that "nothing found" can be told from "not run".
A test's name has no line number: CI servers follow a test over builds by its name.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from collectors.records.errors import ErrorProfile, ErrorRecord
from profiler.command_line import target_words
from profiler.error_kinds import kind_words
from profiler.exports.content import (
    HARMLESS,
    MOST_STACKS,
    ErrorGroup,
    error_groups,
    need_errors,
    own_code,
    source_path,
    stack_lines,
)
from profiler.exports.xml_text import attribute, text
from profiler.functions import short_name
from profiler.store import Session


def write(session: Session, out: BinaryIO) -> None:
    found = need_errors(session)
    groups: dict[str, list[ErrorGroup]] = {tool: [] for tool, _ in found}
    for group in error_groups(session, own_code(session)):
        groups[group.tool].append(group)
    out.write(b'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="droidgrind">\n')
    for tool, failed in groups.items():
        clean = [p for name, p in found if name == tool and not p.records]
        out.write(_head(session, tool, failed, len(clean)).encode())
        out.writelines(_passed(tool, name).encode() for name in _clean_names(clean))
        out.writelines(_case(group).encode() for group in failed)
        out.write(b"</testsuite>\n")
    out.write(b"</testsuites>\n")


def _head(session: Session, tool: str, groups: Sequence[ErrorGroup], clean: int) -> str:
    skipped = sum(group.records[0].kind in HARMLESS for group in groups)
    entry = session.capture(tool)
    seconds = 0.0 if entry is None else entry.wall_seconds or 0.0
    return (
        f"<testsuite name={attribute(f'{tool}: {target_words(session)}')} "
        f'tests="{len(groups) + clean}" failures="{len(groups) - skipped}" errors="0" '
        f'skipped="{skipped}" time="{seconds:.3f}" '
        f"timestamp={attribute(session.manifest.created)}>\n"
    )


def _clean_names(profiles: Sequence[ErrorProfile]) -> Iterator[str]:
    """By their programs: a process has another number each time."""
    seen: Counter[str] = Counter()
    for profile in profiles:
        argv = profile.processes[0].target_argv if profile.processes else ()
        name = f"No errors in {argv[0].rpartition('/')[2]}" if argv else "No errors"
        seen[name] += 1
        yield name if seen[name] == 1 else f"{name} ({seen[name]})"


def _passed(tool: str, name: str) -> str:
    return f'<testcase classname={attribute(tool)} name={attribute(name)} time="0"/>\n'


def _case(group: ErrorGroup) -> str:
    record = group.records[0]
    frame = group.frame
    place = ""
    path = source_path(frame)
    if path is not None and frame is not None:
        place = f" file={attribute(path)}"
        place += "" if frame.line is None else f' line="{frame.line}"'
    where = "" if frame is None else f" in {short_name(frame.fn or frame.place)}"
    name = f"{kind_words(record.kind).title}{where} [{group.mark}]"
    classname = attribute(f"{group.tool}.{record.kind}")
    head = f'<testcase classname={classname} name={attribute(name)}{place} time="0">'
    said = attribute(record.what if frame is None else f"{record.what} at {frame.place}")
    if record.kind in HARMLESS:
        return f"{head}<skipped message={said}/></testcase>\n"
    kind = attribute(record.kind)
    body = text("\n".join(_body(group.records)))
    return f"{head}<failure type={kind} message={said}>{body}</failure></testcase>\n"


def _body(records: Sequence[ErrorRecord]) -> list[str]:
    """The stacks of a group, up to a few, and what Valgrind says besides."""
    lines: list[str] = []
    for record in records[:MOST_STACKS]:
        times = f" ({record.count} times)" if record.count > 1 else ""
        lines += [f"{record.what}{times}", *stack_lines(record.frames)]
        for aux in record.aux:
            lines += [aux.what or "", *stack_lines(aux.frames)]
        lines.append("")
    more = len(records) - MOST_STACKS
    return [*lines, f"… and {more} more stacks"] if more > 0 else lines[:-1]
