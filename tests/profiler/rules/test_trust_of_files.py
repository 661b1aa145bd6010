"""What is said of a tool whose files are not all there, or not whole."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from profiler.finding import Finding, Severity
from profiler.findings import session_findings
from profiler.importing import import_files
from profiler.report.content import report_input, trust
from profiler.store import open_session
from tests.conftest import DATA

FOLDER = DATA / "memcheck" / "3.19-x86_64"
CLEAN, FIRST, SECOND = (
    "memcheck-clean.xml",
    "memcheck-forkp.6034.xml",
    "memcheck-forkp.6043.xml",
)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:2600])


def spoil(file: Path) -> None:
    file.write_bytes(b"no XML")


def truncated(
    folder: Path, harm: Callable[[Path], None], *names: str
) -> tuple[Finding, Finding]:
    """What findings and the report's page say after `harm` was done to files."""
    imported = import_files([FOLDER / name for name in (CLEAN, FIRST, SECOND)], folder)
    for name in names:
        harm(imported.folder("memcheck") / name)
    shutil.rmtree(imported.directory / "tables", ignore_errors=True)
    session = open_session(imported.directory)
    (found,) = (f for f in session_findings(session) if f.rule == "trust-truncated")
    content = report_input(session)
    content.errors()
    (shown,) = (f for f in trust(content) if f.rule == "trust-truncated")
    return found, shown


@pytest.mark.parametrize("harm", [Path.unlink, spoil])
def test_files_that_are_lost_are_named_and_those_that_were_read(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    found, shown = truncated(tmp_path, harm, FIRST)
    assert found == shown
    assert found.severity is Severity.WARNING
    assert found.title == "memcheck is not whole: 1 of 3 files cannot be read"
    assert found.evidence.endswith(
        f"Not read: {FIRST}. The figures are of {CLEAN}, {SECOND}."
    ), found.evidence


def test_a_file_that_is_cut_still_counts(tmp_path: Path) -> None:
    found, _ = truncated(tmp_path, cut, FIRST)
    assert found.title == "memcheck is not whole"
    assert found.evidence.endswith(
        f"The figures are of {CLEAN}, {SECOND}, and of what can be read of {FIRST}."
    ), found.evidence


def test_there_is_no_result_only_where_no_file_was_read(tmp_path: Path) -> None:
    found, shown = truncated(tmp_path, Path.unlink, CLEAN, FIRST, SECOND)
    assert found == shown
    assert found.severity is Severity.ERROR
    assert found.title == "memcheck gave no result"
    assert found.evidence.endswith("There are no figures of it.")
