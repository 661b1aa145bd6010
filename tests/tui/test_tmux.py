"""The real program in a real terminal, driven by real keys."""

import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux not installed")
Tmux = Callable[..., str]


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    socket = tmp_path / "socket"

    def run(*words: str) -> str:
        command = ["tmux", "-S", str(socket), "-u", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        return done.stdout

    yield run
    run("kill-server")


def seen(tmux: Tmux, text: str) -> bool:
    """Wait until the screen shows `text`."""
    for _ in range(300):
        if text in tmux("capture-pane", "-p", "-t", "d"):
            return True
        time.sleep(0.1)
    return False


def test_from_overview_to_report_by_keys(tmux: Tmux, tmp_path: Path) -> None:
    environment = f"XDG_CACHE_HOME={shlex.quote(str(tmp_path))} PYTHONPATH={Path.cwd()}"
    command = f"{environment} {sys.executable} -m tui.cli demo; echo left with $?; sleep 60"
    tmux("new-session", "-d", "-x", "120", "-y", "40", "-s", "d", command)
    assert seen(tmux, "What did each tool find?")
    for key, text in (
        ("2", "Who waits for a CPU?"),
        ("5", "What goes wrong?"),
        ("3", "How much memory is held"),
        ("4", "Which functions cost most?"),
        ("6", "What should be looked at?"),
        ("?", "What is wrong in this session"),
    ):
        tmux("send-keys", "-t", "d", key)
        assert seen(tmux, text), text
    tmux("send-keys", "-t", "d", "Escape")
    time.sleep(0.5)
    tmux("send-keys", "-t", "d", "e")
    assert seen(tmux, "report.html")
    tmux("send-keys", "-t", "d", "h")
    assert seen(tmux, "Report written")
    assert (tmp_path / "droidgrind/demo-sample/report.html").is_file()
    tmux("send-keys", "-t", "d", "q")
    assert seen(tmux, "left with 0")
