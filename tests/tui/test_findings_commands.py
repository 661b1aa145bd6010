import json
import subprocess
import sys
from pathlib import Path

import pytest

from collectors.errors import UsageError
from tests.conftest import DATA
from tui.cli import build_parser, load_command
from tui.recording_plan import plan_from


def run(*words: str, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tui.cli", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=cwd,
        env={"PYTHONPATH": str(Path.cwd()), "PATH": "/usr/bin:/bin"},
    )


def test_explain_prints_a_page_and_lists_all() -> None:
    assert run("explain", "cache-stride").stdout.startswith("# cache-stride\n")
    listed = run("explain").stdout
    assert "sched-starved" in listed
    assert "trust-malloc" in listed


def test_explain_names_the_nearest_rule() -> None:
    done = run("explain", "cache-strid")
    assert done.returncode == 2
    assert "did you mean cache-stride?" in done.stderr


def test_thresholds_show_what_the_project_sets(tmp_path: Path) -> None:
    (tmp_path / "droidgrind.toml").write_text("[thresholds]\nstarved_percent = 41\n")
    (line,) = (
        line
        for line in run("explain", "--thresholds", cwd=tmp_path).stdout.splitlines()
        if line.startswith("starved_percent ")
    )
    assert line.split()[1:3] == ["41", "25"]


def plan_of(*words: str) -> tuple[tuple[str, ...], tuple[str, ...], float | None]:
    assert load_command("record").name == "record"
    plan = plan_from(build_parser(["record"]).parse_args(["record", *words]))
    assert plan.target is not None
    return plan.target.argv, plan.tools, plan.timeout


def test_a_named_target_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "droidgrind.toml").write_text(
        '[targets.bench]\nprogram = ["./b", "-x"]\ntools = ["massif"]\ntimeout = 9\n'
    )
    monkeypatch.chdir(tmp_path)
    program = (str(tmp_path / "b"), "-x")
    assert plan_of("bench") == (program, ("massif",), 9)
    assert plan_of("-t", "memcheck", "--timeout", "2", "bench") == (program, ("memcheck",), 2)
    assert plan_of("--", "bench")[0] == ("bench",)
    assert plan_of("other")[0] == ("other",)
    with pytest.raises(UsageError):
        plan_of()


def test_what_is_mine_is_remembered_with_the_session(tmp_path: Path) -> None:
    session = tmp_path / "s"
    log = DATA / "memcheck/3.19-x86_64/memcheck-bugs.xml"
    assert run("import", "-o", str(session), str(log)).returncode == 0

    def severities(*words: str) -> list[str]:
        done = run("show", "--json", *words, str(session))
        assert done.returncode == 0, done.stderr
        return [finding["severity"] for finding in json.loads(done.stdout)["findings"]]

    guessed = severities()
    assert "error" in guessed
    assert "error" not in severities("--mine", "libnothing.so")
    assert severities() == severities("--mine", "libnothing.so")  # said once, it holds
    page = tmp_path / "page.html"
    assert run("report", str(session), "-o", str(page)).returncode == 0
    assert "✔ 0 errors" in page.read_text("utf-8")
    assert severities("--mine", "") == guessed  # forgotten
    assert severities() == guessed
    (session / "mine.json").write_text("{")
    broken = run("show", str(session))
    assert broken.returncode == 3
    assert "mine.json" in broken.stderr
    assert "Traceback" not in broken.stderr
