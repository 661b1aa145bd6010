"""Fleets on this machine: real recordings, in threads and through a real Dask cluster."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from profiler.fleet.executors import ThreadCells
from profiler.fleet.ledger import CellEntry, CellState, Ledger
from profiler.fleet.plan import load_plan
from profiler.fleet.running import FleetRun
from profiler.manifest import State
from profiler.recording.progress import StopRequest
from profiler.store import open_session
from tests.conftest import Build
from tests.profiler.fleet.cluster import Cluster, kill_worker
from tui.cli import main

PROGRAM = """
#include <cstdio>
#include <cstdlib>
#include <unistd.h>
int main(int argc, char **argv) {
  if (argc > 2) {
    FILE *mark = std::fopen(argv[2], "a");
    std::fputs("x", mark);
    std::fclose(mark);
  }
  usleep(1000 * (argc > 1 ? std::atoi(argv[1]) : 10));
}
"""
SECONDS = 60.0


@pytest.fixture
def plan(build: Build, tmp_path: Path) -> Path:
    program = build("short", PROGRAM)
    file = tmp_path / "plan.toml"
    file.write_text(
        'tools = ["schedstat"]\nrepeats = 2\nretries = 2\n[[devices]]\nserial = "local"\n'
        f'[[targets]]\nname = "short"\nprogram = ["{program}", "300", "{tmp_path}/marks"]\n'
    )
    return file


def marks(plan: Path) -> int:
    """How often the target was started."""
    file = plan.with_name("marks")
    return len(file.read_text()) if file.exists() else 0


def carry_out(plan: Path, stop: StopRequest | None = None) -> list[CellEntry]:
    loaded = load_plan(plan)
    told: list[CellEntry] = []
    with ThreadCells(loaded.devices) as executor:
        FleetRun(loaded, Ledger(loaded.output), told.append, stop).carry_out(executor)
    return told


def entries(plan: Path) -> list[CellEntry]:
    return Ledger(load_plan(plan).output).entries()


def test_every_cell_has_one_session_and_its_figures(plan: Path) -> None:
    told = carry_out(plan)
    assert [entry.state for entry in told].count(CellState.DONE) == 2
    found = entries(plan)
    assert [(e.state, len(e.attempts), e.repeat) for e in found] == [
        (CellState.DONE, 1, 1),
        (CellState.DONE, 1, 2),
    ]
    assert marks(plan) == 2
    for entry in found:
        session = open_session(plan.parent / "plan-fleet" / entry.id)
        assert session.manifest.labels["target"] == "short"
        assert 0.3 <= entry.metrics["wall_time"] < SECONDS


def test_a_second_run_does_nothing_again(plan: Path) -> None:
    carry_out(plan)
    carry_out(plan)
    assert marks(plan) == 2


def test_a_session_that_was_finished_but_not_written_down_is_taken(plan: Path) -> None:
    carry_out(plan)
    output = load_plan(plan).output
    for file in (output / "cells").iterdir():
        file.unlink()
    carry_out(plan)
    assert marks(plan) == 2
    assert {entry.state for entry in entries(plan)} == {CellState.DONE}


def test_a_stopped_plan_goes_on_later(plan: Path) -> None:
    stop = StopRequest()
    stop.ask()
    carry_out(plan, stop)
    assert marks(plan) == 0
    carry_out(plan)
    assert marks(plan) == 2


def test_what_cannot_be_recorded_fails_with_its_reason(
    plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = plan.read_text()
    target = text[text.index("[[targets]]") :]
    other = target.replace('"short"', '"none"').partition("program")[0] + 'program = ["./no"]\n'
    plan.write_text(text + other)
    assert main(["fleet", str(plan), "--json"]) == 1
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert [(c["target"], c["state"], c["reason"]) for c in document["cells"][:2]] == [
        ("short", "done", None),
        ("none", "failed", "./no: there is no such program"),
    ]
    assert "[4/4]" in err
    page = plan.parent / "plan-fleet/fleet.html"
    assert "./no: there is no such program" in page.read_text(encoding="utf-8")
    assert main(["fleet", str(plan), "--dry-run"]) == 0
    assert "✔✔" in capsys.readouterr().out


def test_a_killed_recording_is_tried_again(plan: Path) -> None:
    plan.write_text(plan.read_text().replace("repeats = 2", "repeats = 1"))
    killed = False

    def tell(entry: CellEntry) -> None:
        nonlocal killed
        if entry.state is CellState.RUNNING and not killed:
            killed = True
            kill_recorder()

    def kill_recorder() -> None:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            for child in psutil.Process().children():
                if "record" in child.cmdline():
                    child.send_signal(signal.SIGKILL)
                    return
            time.sleep(0.01)

    loaded = load_plan(plan)
    with ThreadCells(loaded.devices) as executor:
        (entry,) = FleetRun(loaded, Ledger(loaded.output), tell, pause_seconds=0.2).carry_out(
            executor
        )
    assert entry.state is CellState.DONE
    assert [attempt.outcome for attempt in entry.attempts] == ["lost", "done"]
    assert entry.attempts[0].reason == "the recording was killed (SIGKILL)"


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[str]:
    """A real Dask scheduler and a worker that has the device `local`."""
    with Cluster(tmp_path, [["local"]]) as cluster:
        yield cluster.address


def test_a_killed_worker_loses_and_doubles_nothing(plan: Path, scheduler: str) -> None:
    plan.write_text(plan.read_text().replace('"300"', '"1500"'))
    fleet = subprocess.Popen(
        [sys.executable, "-m", "tui.cli", "fleet", str(plan), "--scheduler", scheduler],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    deadline = time.monotonic() + SECONDS
    while marks(plan) < 1:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    kill_worker("local")
    _, err = fleet.communicate(timeout=SECONDS)
    assert fleet.returncode == 0, err.decode()
    assert [entry.state for entry in entries(plan)] == [CellState.DONE] * 2
    output = load_plan(plan).output
    sessions = sorted(path.parent.name for path in output.glob("*/session.json"))
    assert sessions == [entry.id for entry in entries(plan)]
    for name in sessions:
        assert open_session(output / name).state is State.COMPLETE


def test_no_scheduler_is_said(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("distributed")
    assert main(["fleet", str(plan), "--scheduler", "nonsense"]) == 2
    assert "nonsense: write a scheduler's address as tcp://" in capsys.readouterr().err
    assert main(["fleet", str(plan), "--scheduler", "tcp://127.0.0.1:1"]) == 2
    assert "no Dask scheduler answers at tcp://127.0.0.1:1" in capsys.readouterr().err
