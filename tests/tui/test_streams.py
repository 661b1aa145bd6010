"""Where commands read and write: folders that take no file, terminals and pipes."""

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from profiler.demo import demo_session
from profiler.importing import import_files
from tests.conftest import DATA


def run(
    *words: str, cwd: Path | None = None, before: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*before, sys.executable, "-m", "tui.cli", *words],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )


READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && cd "$0" && exec "$@"'


def run_read_only(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder that takes no file, from root neither."""
    apart = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if subprocess.run([*apart, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("mounts of one's own are not permitted here")
    return run(*words, before=[*apart, READ_ONLY, str(folder)])


def test_reading_needs_no_writing(tmp_path: Path) -> None:
    sessions = tmp_path / "droidgrind-sessions"
    demo_session(sessions)
    question = ("query", "SELECT count(*), max(value) FROM metrics", "--csv")
    before = run_read_only(tmp_path, *question)
    assert (before.returncode, before.stderr) == (0, "")
    assert run_read_only(tmp_path, "trend", "peak_heap", "--by", "session").returncode == 0
    assert not (sessions / "archive").exists()
    # an archive that is there already serves, and what is new is added for the time being
    assert run(*question, cwd=tmp_path).stdout == before.stdout
    import_files([DATA / "memcheck/3.19-x86_64/memcheck-bugs.xml"], sessions)
    stored = sorted((sessions / "archive").glob("*/*/*"))
    count = ("query", "SELECT count(*) FROM sessions", "--csv")
    assert run_read_only(tmp_path, *count).stdout.split()[-1] == "2"
    assert sorted((sessions / "archive").glob("*/*/*")) == stored


def test_no_binary_is_written_to_a_terminal(tmp_path: Path) -> None:
    words = ["export", str(demo_session(tmp_path).directory), "--format"]
    program = [sys.executable, "-m", "tui.cli"]
    for form, code, said in (
        ("pprof", 2, "pprof is no text for a terminal: name a file with -o FILE, or pipe it"),
        ("folded", 0, "main"),
    ):
        done = subprocess.run(
            ["script", "-qec", shlex.join([*program, *words, form]), "/dev/null"],
            capture_output=True,
            timeout=120,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == code
        assert said.encode() in done.stdout
        assert b"\x1f\x8b" not in done.stdout
    piped = subprocess.run([*program, *words, "pprof"], capture_output=True, check=True)
    assert piped.stdout.startswith(b"\x1f\x8b")


@pytest.mark.parametrize(
    ("redirected", "said"),
    [
        ("echo world |", True),
        ("< text", True),
        ("true |", False),
        ("< /dev/null", False),
        ("< empty", False),
        ("sleep 100 |", False),  # not waited for: a job's pipe may stay silent for ever
    ],
)
def test_input_that_no_run_reads_is_said_to_be_left(
    redirected: str, said: bool, tmp_path: Path
) -> None:
    (tmp_path / "text").write_text("world\n")
    (tmp_path / "empty").touch()
    words = [sys.executable, "-m", "tui.cli", "record", "-s", "local", "-t", "vmstat"]
    command = shlex.join([*words, "--", "/bin/cat"])
    pipe, file = (redirected, "") if "|" in redirected else ("", redirected)
    done = subprocess.run(
        [
            "timeout",
            "60",
            "bash",
            "-c",
            f"{pipe} {command} {file}; kill $(jobs -p) 2>/dev/null",
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert "ran " in done.stderr
    assert ("the program's input is empty" in done.stderr) == said
