"""JUnit XML: an error is a failed test, a run without one a test that passed."""

from collections.abc import Iterator, Sequence
from typing import TextIO

from collectors.records.errors import ErrorProfile, ErrorRecord
from collectors.records.shared import Frame, Shape
from collectors.tools.tool import Profile
from profiler.exports.xml_text import escaped

SHAPES = (Shape.ERRORS,)


def write(tool: str, profiles: Sequence[Profile], out: TextIO) -> None:
    """Write one suite with a test for each distinct error."""
    found = [profile for profile in profiles if isinstance(profile, ErrorProfile)]
    failures = sum(len(profile.records) for profile in found)
    tests = max(failures, 1)
    counts = f'tests="{tests}" failures="{failures}" errors="0"'
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    out.write(f'<testsuites {counts}>\n<testsuite name="{escaped(tool)}" {counts}>\n')
    if not failures:
        out.write(f'<testcase classname="{escaped(tool)}" name="no errors"/>\n')
    for profile in found:
        for record in profile.records:
            name = f"{record.kind}: {_place(record)}"
            out.write(
                f'<testcase classname="{escaped(tool)}" name="{escaped(name)}">\n'
                f'<failure type="{escaped(record.kind)}" message="{escaped(record.what)}">'
            )
            out.writelines(escaped(line) + "\n" for line in _lines(record))
            out.write("</failure>\n</testcase>\n")
    out.write("</testsuite>\n</testsuites>\n")


def _place(record: ErrorRecord) -> str:
    known = [frame for frame in record.frames if frame.file is not None]
    return (known or [*record.frames, Frame(None)])[0].place


def _lines(record: ErrorRecord) -> Iterator[str]:
    yield record.what if record.count == 1 else f"{record.what} ({record.count} times)"
    for frames, what in (
        (record.frames, None),
        *((aux.frames, aux.what) for aux in record.aux),
    ):
        if what is not None:
            yield what
        for number, frame in enumerate(frames):
            yield f"   {'by' if number else 'at'} {frame.place}"
