"""What kinds of terminal the dashboard is drawn on, and who may open it in a browser."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from collectors.errors import UsageError
from tui.serving import address, is_loopback, serve, without_serving

ENV = {**os.environ, "PYTHONPATH": str(Path.cwd())}


@pytest.mark.parametrize("command", ["watch", "open", "demo"])
def test_without_a_terminal_the_text_commands_are_named(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tui.cli", command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=ENV,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr
    assert "droidgrind" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_theme_that_is_none_is_said() -> None:
    done = subprocess.run(
        ["script", "-qec", f"{sys.executable} -m tui.cli demo", "/dev/null"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**ENV, "TERM": "xterm-256color", "DROIDGRIND_THEME": "pink"},
    )
    assert done.returncode == 2
    assert "DROIDGRIND_THEME=pink: choose from dark, light, contrast" in done.stdout


def test_a_dumb_terminal_is_told_what_to_use() -> None:
    done = subprocess.run(
        ["script", "-qec", f"{sys.executable} -m tui.cli demo", "/dev/null"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**ENV, "TERM": "dumb"},
        stdin=subprocess.DEVNULL,
    )
    assert "TERM=dumb" in done.stdout
    assert "droidgrind demo --print-path" in done.stdout
    assert "\x1b" not in done.stdout


def test_serving_to_others_needs_a_token() -> None:
    with pytest.raises(UsageError, match="--token"):
        serve("0.0.0.0:9000", None)
    with pytest.raises(UsageError, match="at least 8"):
        serve("127.0.0.1:9000", "short")
    with pytest.raises(UsageError, match="HOST:PORT"):
        address("9000")
    assert address("[::1]:80") == ("::1", 80)
    assert is_loopback("localhost")
    assert not is_loopback("192.168.0.4")


def test_what_is_served_is_the_same_command() -> None:
    words = [
        "watch",
        "--serve",
        "127.0.0.1:1",
        "--pid",
        "7",
        "--token",
        "secret-word",
        "--ascii",
    ]
    assert without_serving(words) == ["watch", "--pid", "7", "--ascii"]
    assert without_serving(["open", "--serve", "--ascii"]) == ["open", "--ascii"]
    assert without_serving(["open", "--serve=1.2.3.4:5"]) == ["open"]
