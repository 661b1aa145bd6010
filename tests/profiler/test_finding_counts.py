"""What a session's findings came to is kept, and forgotten as soon as it may not hold."""

import json
import shutil
from pathlib import Path

import pytest

from profiler.demo import demo_session
from profiler.finding_counts import FindingCounts, counts_of
from profiler.project import FILE_NAME, Project, known_counts, load_project, project_findings
from profiler.session_list import judged, list_sessions
from profiler.store import Session, open_session
from tests.conftest import DATA
from tui.cli import main


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.chdir(tmp_path)
    made = demo_session(tmp_path / "cache")
    shutil.copytree(made.directory, tmp_path / "sessions" / "one")
    return open_session(tmp_path / "sessions" / "one")


def test_counts_are_kept_once_a_session_was_judged(session: Session) -> None:
    assert known_counts(session, Project()) is None
    findings = project_findings(session)
    kept = known_counts(open_session(session.directory), Project())
    assert kept == counts_of(findings)
    assert kept == FindingCounts(3, 2, 2)
    assert kept.words() == "3 errors, 2 warnings, 2 notes"
    assert FindingCounts(0, 0, 0).words() == "none"


def test_other_choices_and_other_symbols_are_not_what_was_judged(
    session: Session, tmp_path: Path
) -> None:
    project_findings(session)
    (tmp_path / FILE_NAME).write_text('mine = ["nothing"]')
    assert known_counts(session, load_project()) is None
    other = session.with_suppressions(Project().suppressing(["bionic"]))
    assert known_counts(other, Project()) is None
    assert known_counts(session, Project()) is not None
    (session.directory / "symbols.json").touch()
    assert known_counts(session, Project()) is None


def test_what_is_kept_may_be_damaged_or_impossible_to_write(session: Session) -> None:
    findings = project_findings(session)
    kept = session.directory / "tables" / "findings.json"
    for damaged in ("", "[]", "{}", '{"stamp": 1}', kept.read_text()[:-9]):
        kept.write_text(damaged)
        assert known_counts(session, Project()) is None
    shutil.rmtree(kept.parent)
    kept.parent.write_text("a file where the folder would be")
    assert project_findings(session) == findings
    assert known_counts(session, Project()) is None


def test_a_list_tells_what_was_judged_and_judges_what_was_not(session: Session) -> None:
    (line,) = list_sessions(session.directory.parent)
    assert line.findings is None
    assert judged(line).findings == FindingCounts(3, 2, 2)
    (line,) = list_sessions(session.directory.parent)
    assert line.findings == FindingCounts(3, 2, 2)


def listed(capsys: pytest.CaptureFixture[str]) -> dict[str, int] | None:
    """What `droidgrind sessions` says of the findings of the only session."""
    capsys.readouterr()
    assert main(["sessions", "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    counts: dict[str, int] | None = entry["findings"]
    return counts


def test_a_session_that_was_imported_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / FILE_NAME).write_text('suppressions = ["known.supp"]')
    (tmp_path / "known.supp").write_text("{\n   x\n   Memcheck:Leak\n   fun:none\n}\n")
    log = DATA / "memcheck/3.19-x86_64/memcheck-suppressed.txt"
    assert main(["import", str(log)]) == 0
    assert listed(capsys) == {"errors": 0, "warnings": 0, "notes": 1}
    # what cannot be judged is stored all the same, and said
    (tmp_path / FILE_NAME).write_text('suppressions = ["gone.supp"]')
    assert main(["import", str(log), "-o", "other"]) == 0
    said = capsys.readouterr()
    assert said.out == "other\n"
    assert "is stored, but its findings are not counted: " in said.err


def test_a_session_that_was_recorded_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["record", "-s", "local", "-q", "-t", "vmstat", "--", "true"]) == 0
    assert listed(capsys) is not None
    assert list_sessions(tmp_path / "droidgrind-sessions")[0].findings is not None
