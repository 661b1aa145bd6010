"""The demo: a session that is whole wherever it is copied to, with its program's source."""

from pathlib import Path

import pytest

from collectors.errors import InputError
from profiler.demo import demo_session
from profiler.findings import session_findings
from profiler.manifest import State
from profiler.source_map import session_sources
from profiler.sources import readable


def test_it_shows_the_planted_problems_and_their_lines(tmp_path: Path) -> None:
    session = demo_session(tmp_path)
    assert session.state is State.COMPLETE
    serious = [f.rule for f in session_findings(session) if f.severity.value != "info"]
    assert serious == [
        "memory-write",
        "memory-read",
        "memory-uninitialised",
        "leak-once",
        "cache-stride",
    ]
    (source,) = readable(["/opt/sample/sample.cpp"], session_sources(session), 1)
    assert "PLANTED: column walk" in source.lines[54]
    assert not source.newer  # else the sample was changed: record the demo again


def test_a_copy_of_an_older_version_is_replaced(tmp_path: Path) -> None:
    session = demo_session(tmp_path)
    manifest = session.directory / "session.json"
    now = manifest.read_bytes()
    assert demo_session(tmp_path).directory == session.directory
    manifest.write_bytes(now.replace(session.manifest.created.encode(), b"2020-01-01T00:00:00"))
    assert demo_session(tmp_path).manifest.created == session.manifest.created
    manifest.write_bytes(b"{")
    assert demo_session(tmp_path).manifest.created == session.manifest.created


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_bytes(b"")
    with pytest.raises(InputError, match="cannot copy the demo"):
        demo_session(place)
