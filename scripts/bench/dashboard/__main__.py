"""The dashboard's speed, with top, htop, btop and glances beside it in the same run.

    python -m scripts.bench.dashboard [--seconds 60] [--only live|burst|hours|screens]

In tmux at 200x50, with a target of 200 threads. Prints CPU of each program in percent of one
core, from when it has started, over the same time: of its process and its children, of which
droidgrind's sampler is one; then what `scripts/bench/screens` says of stored sessions.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scripts.bench.goals import Goals

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
ENV = {**os.environ, "PYTHONPATH": str(ROOT)}


def children(pid: int) -> list[int]:
    """The processes that a process has started; droidgrind's sampler, by one of its threads."""
    makers = Path(f"/proc/{pid}/task").glob("*/children")
    return [child for maker in makers for child in map(int, maker.read_text().split())]


def ticks(*pids: int) -> int:
    """CPU ticks of processes and all their descendants: the kernel's exact time, rounded."""
    total = 0
    waiting = list(pids)
    while waiting:
        now = waiting.pop()
        try:
            fields = Path(f"/proc/{now}/stat").read_text().rpartition(")")[2].split()
            waiting += children(now)
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total


class Terminal:
    """A tmux server of its own, 200x50."""

    def __init__(self, folder: str) -> None:
        self._socket = f"{folder}/tmux"

    def _tmux(self, *words: str) -> str:
        command = ["tmux", "-S", self._socket, *words]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    def start(self, argv: list[str]) -> int:
        """Run a program on the terminal; its pid."""
        self._tmux(
            "new-session", "-d", "-x", "200", "-y", "50", "-s", "bench",
            f"cd {shlex.quote(str(ROOT))} && PYTHONPATH=. exec {shlex.join(argv)}",
        )  # fmt: skip
        return int(self._tmux("list-panes", "-t", "bench", "-F", "#{pane_pid}").strip())

    def running(self) -> bool:
        return bool(self._tmux("list-panes", "-t", "bench", "-F", "#{pane_pid}").strip())

    def close(self) -> None:
        self._tmux("kill-server")


def btop(folder: str, hz: float) -> list[str]:
    """Btop at this rate, which only its configuration says in all versions."""
    home = Path(folder) / f"btop-{hz:g}"
    (home / "btop").mkdir(parents=True)
    (home / "btop/btop.conf").write_text(f"update_ms = {1000 / hz:.0f}\n")
    return ["env", f"XDG_CONFIG_HOME={home}", "btop", "--utf-force"]


def live(folder: str, seconds: float, goals: Goals) -> None:
    target = f"{folder}/target"
    subprocess.run(["cc", "-O1", "-pthread", "-o", target, str(HERE / "target.c")], check=True)
    terminal = Terminal(folder)
    with subprocess.Popen([target, "199"]) as process:
        try:
            for hz, most in ((10.0, 10.0), (1.0, 1.5)):
                output = Path(folder) / f"probe-{hz:g}.json"
                probe = [sys.executable, str(HERE / "probe.py")]
                terminal.start([*probe, str(process.pid), str(hz), str(seconds), str(output)])
                while terminal.running():
                    time.sleep(0.5)
                found = json.loads(output.read_text())
                print(f"watching 200 threads at {hz:g} Hz, in percent of a core:")
                goals.line("droidgrind watch", found["cpu_percent"], "%", goal=most)
                goals.line("  and its sampler, another process", found["sampler_percent"], "%")
                goals.line("  samples", found["samples"], "")
                not_drawn = max(0, found["samples"] - found["drawn"])
                goals.line("  samples that were not drawn", not_drawn, "", goal=0)
                goals.line("  sample to write, half within", found["p50_ms"], "ms")
                goals.line("  sample to write, 95 % within", found["p95_ms"], "ms", goal=50)
                for name, argv in (
                    ("top", ["top", "-H", "-p", str(process.pid), "-d", f"{1 / hz:g}"]),
                    ("htop", ["htop", "-p", str(process.pid), "-d", f"{10 / hz:.0f}"]),
                    ("btop", btop(folder, hz)),
                    ("glances", ["glances", "-t", f"{1 / hz:g}"]),
                ):
                    if shutil.which(name) is None:
                        continue
                    pid = terminal.start(argv)
                    time.sleep(2)
                    before = ticks(pid)
                    time.sleep(seconds)
                    share = (ticks(pid) - before) / seconds
                    if terminal.running():
                        goals.line(name, share, "%")
                    else:
                        print(f"  {name} did not run")
                    terminal.close()
                    time.sleep(0.5)
        finally:
            terminal.close()
            process.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--only", choices=("live", "burst", "hours", "screens"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if args.only in {None, "live"}:
            goals = Goals()
            live(folder, args.seconds, goals)
            goals.summary()
        for name in ("burst", "hours"):
            if args.only in {None, name}:
                subprocess.run(
                    [sys.executable, str(HERE / "headless.py"), name], check=True, env=ENV
                )
    if args.only in {None, "screens"}:
        subprocess.run([sys.executable, str(HERE.parent / "screens")], check=False, env=ENV)


if __name__ == "__main__":
    main()
