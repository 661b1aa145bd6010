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


def seen(tmux: Tmux, text: str, seconds: float = 30) -> bool:
    """Wait until the screen shows `text`."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if text in tmux("capture-pane", "-p", "-t", "d"):
            return True
        time.sleep(0.1)
    return False


def start(tmux: Tmux, folder: Path, words: str, *, columns: int = 120, lines: int = 40) -> None:
    """The program on a terminal, with homes of its own."""
    names = ("XDG_CACHE_HOME", "XDG_STATE_HOME", "DROIDGRIND_STATE")
    homes = " ".join(f"{name}={shlex.quote(str(folder))}" for name in names)
    command = (
        f"{homes} PYTHONPATH={Path.cwd()} {sys.executable} -m tui.cli {words}; "
        "echo left with $?; sleep 60"
    )
    command = f"unset COLUMNS LINES; {command}"  # pytest sets them, for its own output
    size = ("-x", str(columns), "-y", str(lines))
    tmux("new-session", "-d", *size, "-s", "d", command)


def test_from_overview_to_report_by_keys(tmux: Tmux, tmp_path: Path) -> None:
    start(tmux, tmp_path, "demo")
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


SAMPLE = r"""
#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>
static int work(int n) {
  volatile int sum = 0;
  for (int i = 0; i < n; i++)
    sum += i;
  return sum;
}
int main() {
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; t++)
    threads.emplace_back([] { work(2000000); });
  for (auto &one : threads) one.join();
  std::this_thread::sleep_for(std::chrono::seconds(1));  // for samplers to see
  volatile char *kept = static_cast<char *>(std::malloc(100000));
  kept[100000] = 1;
  return 0;
}
"""


@pytest.mark.valgrind
def test_the_whole_way_from_watch_to_report(
    tmux: Tmux, tmp_path: Path, build: Callable[..., Path]
) -> None:
    """Watch, record a target, and dig through errors, heap and cache down to the report."""
    target = build("whole-way", SAMPLE, "-pthread")
    sessions = tmp_path / "sessions"
    start(tmux, tmp_path, f"watch --sessions {shlex.quote(str(sessions))}")
    assert seen(tmux, "live 10 Hz")
    assert seen(tmux, "Who waits for a CPU?")
    tmux("send-keys", "-t", "d", "r")
    assert seen(tmux, "New recording")
    tmux("send-keys", "-t", "d", "-l", str(target))
    assert seen(tmux, "4 runs")
    tmux("send-keys", "-t", "d", "Enter")
    assert seen(tmux, "How far is it?")
    assert seen(tmux, "stored as", 90)
    tmux("send-keys", "-t", "d", "o")
    assert seen(tmux, "What did each tool find?")
    for keys, text in (
        (("5",), "Invalid write of size 1"),
        (("Enter",), "kept[100000] = 1"),
        (("3",), "How much memory is held"),
        (("4",), "work(int)"),
        (("Enter",), "sum += i;"),
        (("2",), "Is the CPU the limit?"),
    ):
        tmux("send-keys", "-t", "d", *keys)
        assert seen(tmux, text), (text, tmux("capture-pane", "-p", "-t", "d"))
    tmux("send-keys", "-t", "d", "e")
    assert seen(tmux, "report.html")
    tmux("send-keys", "-t", "d", "h")
    assert seen(tmux, "Report written", 60)
    (report,) = sessions.glob("*/report.html")
    assert b"whole-way" in report.read_bytes()
    tmux("send-keys", "-t", "d", "q")
    assert seen(tmux, "left with 0")


SPIN = """
import threading, time
def spin():
    until = time.monotonic() + 6
    while time.monotonic() < until:
        sum(range(20000)); time.sleep(0.02)
for n in range(4):
    threading.Thread(target=spin).start()
"""


def test_what_is_painted_live_is_what_the_compositor_paints(tmux: Tmux, tmp_path: Path) -> None:
    """To the colour: the target has ended, all stands still, and a resize draws it anew."""
    with subprocess.Popen([sys.executable, "-c", SPIN]) as process:
        start(tmux, tmp_path, f"watch --pid {process.pid} --hz 20", columns=140)
        assert seen(tmux, "live 20 Hz")
        process.wait()
        assert seen(tmux, "the process has ended")
    for _ in range(2):
        tmux("send-keys", "-t", "d", "a")  # painted live, headings too
        time.sleep(0.5)
    painted = tmux("capture-pane", "-p", "-e", "-t", "d")
    assert f"{process.pid}" in painted
    for columns in (141, 140):
        tmux("resize-window", "-t", "d", "-x", str(columns))
        time.sleep(1)
    anew = tmux("capture-pane", "-p", "-e", "-t", "d")
    for before, after in zip(painted.splitlines(), anew.splitlines(), strict=True):
        assert before == after
    tmux("send-keys", "-t", "d", "q")
    assert seen(tmux, "left with 0")
