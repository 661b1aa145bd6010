"""Run commands in fresh processes and compare their CPU time and peak memory."""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CACHE = Path(tempfile.gettempdir()) / "droidgrind-bench"


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. `goal` is how many times less CPU time ours is to take.

    `memory_goal` is how many times less memory, where that is a goal; `memory_limit` the
    most bytes. `startup` is a command that imports the same and opens nothing: where it is
    given, its time is taken off both (5 ms remain at least: less cannot be told).
    """

    work: str
    ours: tuple[str, ...]
    peer: tuple[str, ...]
    peer_name: str
    goal: float
    memory_goal: float | None = None
    memory_limit: int | None = None
    startup: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """Medians over the runs: CPU seconds of user and system, and the greatest RSS in bytes."""

    seconds: float
    rss_bytes: int


def python(code: str, *arguments: str | Path) -> tuple[str, ...]:
    """A command that runs `code`; `sys.argv[1:]` are the arguments."""
    return (sys.executable, "-c", code, *map(str, arguments))


def measure(argv: tuple[str, ...], runs: int) -> Measure:
    results = [_run(argv) for _ in range(runs)]
    return Measure(
        statistics.median(seconds for seconds, _ in results),
        int(statistics.median(rss for _, rss in results)),
    )


def _run(argv: tuple[str, ...]) -> tuple[float, int]:
    process = subprocess.Popen(
        argv,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode != 0:
        raise SystemExit(f"{argv[:3]} failed: {errors.decode(errors='replace')[-2000:]}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def cached(name: str, make: Callable[[Path], None]) -> Path:
    """A large input that is made once and kept outside the repository."""
    CACHE.mkdir(parents=True, exist_ok=True)
    file = CACHE / name
    if not file.exists():
        unfinished = file.with_name(name + ".tmp")
        make(unfinished)
        unfinished.replace(file)
    return file


def report(row: Row, runs: int) -> bool:
    """Measure a row and print it; whether its goals are met."""
    ours, peer = measure(row.ours, runs), measure(row.peer, runs)
    if row.startup is not None:
        startup = measure(row.startup, runs).seconds
        ours, peer = (
            Measure(max(found.seconds - startup, 0.005), found.rss_bytes)
            for found in (ours, peer)
        )
    ratio = peer.seconds / ours.seconds
    memory = peer.rss_bytes / ours.rss_bytes
    met = (
        ratio >= row.goal
        and (row.memory_goal is None or memory >= row.memory_goal)
        and (row.memory_limit is None or ours.rss_bytes <= row.memory_limit)
    )
    print(
        f"{row.work:<46} {ours.seconds:8.3f} s {ours.rss_bytes / 1e6:7.0f} MB   "
        f"{row.peer_name:<22} {peer.seconds:8.3f} s {peer.rss_bytes / 1e6:7.0f} MB   "
        f"{ratio:6.1f}× (goal {row.goal:g}×)  memory 1/{memory:.1f}  "
        f"{'met' if met else 'NOT MET'}",
        flush=True,
    )
    return met
