"""DHAT's modes that know no heap: what they count is called by its name."""

from pathlib import Path

import pytest

from profiler.importing import import_files
from profiler.report import write_report
from profiler.summary import summarise
from tests.conftest import DATA
from tui.summary_text import summary_lines
from tui.text import width

EVENTS = DATA / "dhat/3.19-x86_64/dhat.events.json"


@pytest.mark.parametrize(
    ("mode", "question", "header", "amount"),
    [
        (
            "ad-hoc",
            "Where do the program's own events come from?",
            ["units", "events"],
            "1.00 k",
        ),
        ("copy", "Which places copy memory?", ["copied bytes", "copies"], "1,000 B"),
    ],
)
def test_what_is_counted_is_called_by_its_name(
    mode: str, question: str, header: list[str], amount: str, tmp_path: Path
) -> None:
    file = tmp_path / "dhat.json"
    file.write_bytes(
        EVENTS.read_bytes().replace(b'"mode":"ad-hoc"', b'"mode":"%b"' % mode.encode())
    )
    session = import_files([file], tmp_path / "sessions")
    summary = summarise(session)
    assert summary["dhat"]["measures"] == mode
    lines = list(summary_lines(session, summary))
    shown = lines[lines.index(f"{question}  [dhat, {mode}]") + 1 :]
    assert all(word in shown[0] for word in header)
    assert shown[1].strip().startswith(amount)
    page = tmp_path / "page.html"
    write_report(session, page)
    assert question in page.read_text()
    assert "took no snapshot" not in page.read_text()


def test_where_lines_are_short_places_stay_and_figures_go(tmp_path: Path) -> None:
    session = import_files([DATA / "dhat/3.19-x86_64/dhat.heap.json"], tmp_path)
    summary = summarise(session)
    for within in (80, 100, 130):
        lines = list(summary_lines(session, summary, within=within))
        start = next(i for i, line in enumerate(lines) if "total bytes" in line)
        assert all(width(line) <= within for line in lines[start:])
        assert "Cache::fill (heap.cpp:10)" in lines[start + 2]
        assert ("total blocks" in lines[start]) == (within > 100)
