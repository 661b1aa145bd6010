"""What was said to be own code, and globs that match nothing."""

import pytest

from profiler.check.checking import check
from profiler.check.limits import parse_fail_on
from profiler.finding import Severity
from profiler.findings import session_findings
from profiler.metrics import session_metrics
from profiler.own_code import OwnCode
from profiler.own_code_stored import store_globs
from profiler.project import Project
from profiler.store import Session
from profiler.summary import summarise
from tests.profiler.rules.conftest import PROGRAMS, Recorded, line_of
from tui.cli import main
from tui.summary_text import summary_lines

pytestmark = pytest.mark.valgrind


def rules(session: Session, *globs: str) -> dict[str, Severity]:
    return {f.rule: f.severity for f in session_findings(session, own=OwnCode(globs))}


@pytest.mark.parametrize("glob", ["errors", "errors.cpp", "*/programs/*", "*::write_past"])
def test_globs_that_match_are_no_finding(recorded: Recorded, glob: str) -> None:
    session = recorded("errors", "bad", "memcheck")
    assert "trust-own-code" not in rules(session, "nothing*", glob)


@pytest.mark.parametrize(
    ("program", "mode", "tool"),
    [("errors", "bad", "memcheck"), ("costs", "columns", "cachegrind")],
)
def test_globs_that_match_nothing_are_warned_of(
    recorded: Recorded, program: str, mode: str, tool: str
) -> None:
    session = recorded(program, mode, tool)
    assert rules(session, "err0rs*")["trust-own-code"] is Severity.WARNING
    assert "trust-own-code" not in rules(session)


def test_a_misspelt_glob_opens_no_gate(recorded: Recorded) -> None:
    session = recorded("errors", "printed", "memcheck")
    limits = parse_fail_on("error", session_metrics(session))
    assert check(session, limits).outcomes[0].note == "1 finding"
    (outcome,) = check(session, limits, own=OwnCode(("err0rs*",))).outcomes
    assert outcome.broken
    assert "not measured" in outcome.note


def test_show_and_check_say_what_was_said(
    recorded: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    session = recorded("errors", "bad", "memcheck")
    store_globs(session, ["write_past"])
    try:
        own = Project().own_code(session)
        lines = list(summary_lines(session, summarise(session), own))
        assert "own code is write_past, by --mine" in lines
        main(["check", str(session.directory), "--fail-on", "error"])
        assert "own code is write_past" in capsys.readouterr().err
    finally:
        store_globs(session, [""])


def test_a_finding_of_check_has_its_line(recorded: Recorded) -> None:
    session = recorded("errors", "bad", "memcheck")
    limits = parse_fail_on("finding:memory-write", session_metrics(session))
    (outcome,) = check(session, limits).outcomes
    (place,) = outcome.places
    assert (place.file, place.line) == (
        str(PROGRAMS / "errors.cpp"),
        line_of("errors", "write"),
    )
