"""What `show` says where there is nothing to say."""

from pathlib import Path

import pytest

from profiler.metrics import session_metrics
from profiler.session import record
from profiler.store import find_session
from profiler.summary import summarise
from tui.cli import main
from tui.summary_text import summary_lines

pytestmark = pytest.mark.valgrind


def test_a_race_checker_says_nothing_of_leaks(tmp_path: Path) -> None:
    session = record(["/bin/true"], tools=("helgrind",), sessions=tmp_path)
    summary = summarise(session)
    assert summary["helgrind"]["leaks"] is None
    assert not {"definitely_lost", "still_reachable"} & {
        metric.name for metric in session_metrics(session)
    }
    lines = list(summary_lines(session, summary))
    heading = next(i for i, line in enumerate(lines) if line.startswith("Do threads race?"))
    assert lines[heading + 1] == "  no errors"
    assert not any("leak" in line or "memory" in line for line in lines)


def test_a_program_without_findings_is_said_to_have_none(tmp_path: Path) -> None:
    session = record(["/bin/true"], tools=("helgrind",), sessions=tmp_path)
    lines = list(summary_lines(session, {**summarise(session), "findings": []}))
    assert "What is wrong?  [nothing: no rule found anything in what was recorded]" in lines


def test_silence_on_the_whole_system_is_no_praise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["record", "--system", "-t", "schedstat", "--timeout", "1", "--sessions"]
    assert main([*words, str(tmp_path), "-s", "local"]) == 0
    capsys.readouterr()
    session = find_session("latest", tmp_path)
    lines = list(summary_lines(session, summarise(session)))
    assert any("rules judge programs" in line for line in lines)
    assert any("the whole system was recorded" in line for line in lines)


def test_only_the_samplers_that_ran_are_named(tmp_path: Path) -> None:
    session = record(["/bin/sleep", "0.3"], tools=("schedstat",), sessions=tmp_path)
    lines = list(summary_lines(session, summarise(session)))
    assert "Who waits for a CPU?  [native run: schedstat]" in lines
