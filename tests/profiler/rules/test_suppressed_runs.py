"""Suppressing after the run leaves what suppressing at run time leaves: Valgrind judges."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from collectors.records.errors import ErrorProfile
from collectors.tools.tool import ToolSettings
from profiler.session import record
from profiler.store import Session
from profiler.suppressions.choose import error_records, unused
from profiler.suppressions.make import suppression_of
from profiler.suppressions.text import Suppression, suppressions_text
from tests.profiler.rules.conftest import Recorded

pytestmark = pytest.mark.valgrind


def kinds(session: Session) -> Counter[str]:
    return Counter(error.kind for error in error_records(session))


def test_both_ways_leave_the_same(recorded: Recorded, tmp_path: Path) -> None:
    session = recorded("errors", "bad", "memcheck")
    chosen = [
        suppression_of(error)
        for error in error_records(session)
        if error.kind in {"InvalidRead", "InvalidFree", "Leak_DefinitelyLost"}
    ]
    # Wildcards hold for functions, and do not for a system call's parameter.
    wild = Suppression("wild", ("Memcheck",), "Overlap", ("...", "fun:*copy_over*"))
    param = Suppression("no wildcard", ("Memcheck",), "Param", ("...", "fun:main"), "wri*")
    entries = [param, wild, *chosen]
    file = tmp_path / "known.supp"
    file.write_text(suppressions_text(entries))
    at_run_time = record(
        session.manifest.target.argv,
        tools=("memcheck",),
        directory=tmp_path / "s",
        settings={"memcheck": ToolSettings(suppressions=(file,))},
    )
    after_it = session.with_suppressions(entries)
    assert kinds(after_it) == kinds(at_run_time)
    assert kinds(after_it)["InvalidRead"] == kinds(after_it)["Overlap"] == 0
    assert kinds(after_it)["InvalidWrite"] == kinds(after_it)["SyscallParam"] == 1
    (profile,) = at_run_time.profiles("memcheck")
    assert isinstance(profile, ErrorProfile)
    names = {name for process in profile.processes for name, _ in process.suppressed}
    assert {"wild"} <= names
    assert "no wildcard" in {entry.name for entry in unused(session, file)[0]}


def run(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tui.cli", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_errors_are_suppressed_by_command(recorded: Recorded, tmp_path: Path) -> None:
    session = recorded("errors", "bad", "memcheck")
    file = tmp_path / "known.supp"
    done = run("suppress", session.directory, "--record", "0", "-o", file)
    assert done.returncode == 0, done.stderr
    first = error_records(session)[0]
    shown = run("show", session.directory, "--suppressions", file).stdout
    assert first.kind in run("show", session.directory).stdout
    assert f"  {first.kind}: " not in shown
    assert run("suppress", session.directory, "--unused", file).stdout == ""
    assert run("suppress", session.directory, "--record", "999").returncode == 2
    everything = run("suppress", session.directory, "--all").stdout
    assert everything.count("{") >= 8


def test_a_baseline_is_learned_from_a_session(recorded: Recorded, tmp_path: Path) -> None:
    session = recorded("errors", "bad", "memcheck")
    file = tmp_path / "baseline.supp"
    done = run("baseline", "--session", session.directory, "-o", file)
    assert (done.returncode, done.stdout) == (0, f"{file}\n"), done.stderr
    assert (
        "no errors, no leaks" in run("show", session.directory, "--suppressions", file).stdout
    )
    again = run("baseline", "--session", session.directory, "-o", file)
    assert again.returncode == 0


def test_an_empty_program_is_recorded_for_a_baseline(tmp_path: Path) -> None:
    file = tmp_path / "baseline.supp"
    done = run("baseline", "-s", "local", "--sessions", tmp_path / "s", "-o", file)
    assert done.returncode == 0, done.stderr
    assert file.exists()
