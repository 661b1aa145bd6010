"""Xtree files of Valgrind: one moment of the heap, events that are no cycles."""

import subprocess
from pathlib import Path

import pytest

from profiler.importing import import_files
from profiler.metrics import session_metrics
from profiler.report import write_report
from profiler.summary import summarise
from tests.conftest import DATA, Build
from tui.summary_text import summary_lines

MEMORY = DATA / "massif/3.19-x86_64/memcheck.bugs-xtree.ms"
LEAKS = DATA / "callgrind/3.19-x86_64/memcheck.bugs-xtree-leak.kcg"


def test_a_moment_is_not_called_a_peak(tmp_path: Path) -> None:
    session = import_files([MEMORY], tmp_path)
    summary = summarise(session)
    assert summary["massif"]["one_moment"] is True
    text = "\n".join(summary_lines(session, summary))
    assert "108 KiB in use after 926 ms: one moment, no peak is known" in text
    assert "peak 1" not in text
    assert not any(metric.name.startswith("peak") for metric in session_metrics(session))
    held = [entry["bytes"] for entry in summary["massif"]["top"]]
    assert all(held)
    page = tmp_path / "page.html"
    write_report(session, page)
    assert "no peak is known" in page.read_text()


@pytest.mark.valgrind
def test_what_was_all_freed_was_allocated_nevertheless(build: Build, tmp_path: Path) -> None:
    program = build(
        "freed",
        "#include <stdlib.h>\nint main() { volatile char *p = (char *)malloc(5 << 20);"
        " p[0] = 1; free((void *)p); return 0; }\n",
    )
    file = tmp_path / "xtree.ms"
    options = ("--leak-check=no", "--xtree-memory=full", f"--xtree-memory-file={file}")
    subprocess.run(("valgrind", *options, program), capture_output=True, check=True, timeout=60)
    session = import_files([file], tmp_path / "sessions")
    summary = summarise(session)
    assert summary["massif"]["peak"]["total_bytes"] == 0
    assert summary["massif"]["top"] == []
    assert summary["massif"]["sites"][0]["total_bytes"] == 5 << 20
    assert summary["findings"] == []


def test_events_that_are_no_cycles_are_shown_by_their_names(tmp_path: Path) -> None:
    session = import_files([LEAKS], tmp_path)
    summary = summarise(session)
    assert summary["callgrind"]["events"]["DB"] == 106_549
    text = "\n".join(summary_lines(session, summary))
    assert "Where does RB come from?" in text
    assert "DB 106,549" in text
    page = tmp_path / "page.html"
    write_report(session, page)
    assert "functions are ranked by the first event" in page.read_text()
