"""What scripts/quickstart tells people to do next works where it has run."""

import re
import shutil
from pathlib import Path

import pytest

from profiler.demo import demo_session
from tui.cli import COMMANDS, main


def test_the_commands_that_it_names_next_do_their_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = Path("scripts/quickstart").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    sessions = tmp_path / "droidgrind-sessions"
    shutil.copytree(demo_session().directory, sessions / "demo")
    assert main(["report", "latest", "--force"]) == 0  # as it has done itself
    named = re.findall(r'^echo "droidgrind ([a-z]+) (.*?)  ', script, re.MULTILINE)
    assert {name for name, _ in named} <= set(COMMANDS)
    for name, words in named:
        if name not in {"open", "record"}:  # one needs a terminal, one a program
            assert main([name, *words.split()]) == 0
    assert "What is wrong?" in capsys.readouterr().out
