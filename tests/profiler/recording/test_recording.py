"""Recordings of real programs under the real tools of this machine."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from collectors.devices.discover import choose_device
from collectors.errors import UsageError
from collectors.records.errors import ErrorProfile
from collectors.records.heap import HeapProfile
from collectors.tools.tool import ToolSettings
from profiler import open_session, record, summarise
from profiler.check.checking import check
from profiler.check.limits import parse_fail_on
from profiler.findings import session_findings
from profiler.manifest import State
from profiler.recording.plan import Plan
from profiler.recording.progress import SilentObserver, Step, StopRequest
from profiler.recording.target import Target
from profiler.session import resume, run_plan
from profiler.store import Session
from tests.conftest import Build

pytestmark = pytest.mark.valgrind

LEAK = """
#include <cstdlib>
#include <cstdio>
#include <cstring>
#include <unistd.h>
int main(int argc, char **argv) {
  char *lost = (char *)malloc(100);
  lost[0] = argc > 1 ? argv[1][0] : 'x';
  printf("%c\\n", lost[0]);
  fprintf(stderr, "said on stderr\\n");
  fflush(stdout);
  if (argc > 1 && !strcmp(argv[1], "crash")) *(volatile int *)0 = 1;
  if (argc > 1 && !strcmp(argv[1], "sleep")) sleep(60);
  if (argc > 1 && !strcmp(argv[1], "fail")) return 3;
  lost = nullptr;
  return 0;
}
"""


@pytest.fixture
def leak(build: Build) -> Path:
    return build("leak", LEAK)


def droidgrind(*words: str | Path, cwd: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "tui.cli", *map(str, words)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )


def test_recording_holds_every_tools_results(leak: Path, tmp_path: Path) -> None:
    session = record([str(leak)], sessions=tmp_path)
    assert session.state is State.COMPLETE
    assert session.tools == ("vmstat", "schedstat", "memcheck", "cachegrind", "massif")
    assert [entry.exit_status for entry in session.captures] == [0] * 5
    assert (session.folder("native") / "stdout").read_bytes() == b"x\n"
    assert (session.folder("memcheck") / "stderr").read_bytes() == b"said on stderr\n"
    (errors,) = session.profiles("memcheck")
    assert isinstance(errors, ErrorProfile)
    assert [(r.kind, r.leaked_bytes) for r in errors.records if r.is_leak] == [
        ("Leak_DefinitelyLost", 100)
    ]
    (heap,) = session.profiles("massif")
    assert isinstance(heap, HeapProfile)
    summary = summarise(session)
    assert summary["massif"]["peak"]["heap_bytes"] >= 100
    assert summary["cachegrind"]["events"]["Ir"] > 100_000
    assert summary["native"]["exit_status"] == 0


def test_crashing_target_keeps_its_full_report(leak: Path, tmp_path: Path) -> None:
    session = record([str(leak), "crash"], tools=["memcheck"], sessions=tmp_path)
    (entry,) = session.captures
    assert (entry.state, entry.exit_status) == (State.COMPLETE, 139)
    assert entry.note == "the target crashed (SIGSEGV), results are kept"
    (errors,) = session.profiles("memcheck")
    assert isinstance(errors, ErrorProfile)
    assert {"InvalidWrite", "Leak_StillReachable"} <= set(errors.by_kind())


def test_target_that_fails_is_told_apart_from_valgrind(leak: Path, tmp_path: Path) -> None:
    session = record([str(leak), "fail"], tools=["massif"], sessions=tmp_path)
    (entry,) = session.captures
    assert (entry.state, entry.exit_status, entry.note) == (State.COMPLETE, 3, None)


def test_timeout_keeps_what_was_measured(leak: Path, tmp_path: Path) -> None:
    session = record(
        [str(leak), "sleep"], tools=["memcheck", "massif"], sessions=tmp_path, timeout=2
    )
    assert session.state is State.PARTIAL
    for entry in session.captures:
        assert entry.state is State.PARTIAL
        assert entry.note == "it was stopped after 2 s (--timeout)"
    (heap,) = session.profiles("massif")
    assert isinstance(heap, HeapProfile)
    assert heap.snapshots


def test_option_that_valgrind_refuses_is_explained(leak: Path, tmp_path: Path) -> None:
    process = droidgrind(
        "record", "-t", "massif", "--tool-arg", "massif=--no-such", "--", leak, cwd=tmp_path
    )
    out, err = process.communicate(timeout=60)
    assert process.returncode == 5
    assert b"check --tool-arg" in err
    assert open_session(tmp_path / out.decode().strip()).state is State.FAILED


def interrupted(leak: Path, tmp_path: Path) -> Session:
    """A recording of a program that hangs, stopped inside the first of two tools."""
    process = droidgrind("record", "-t", "memcheck,massif", "--", leak, "sleep", cwd=tmp_path)
    root = tmp_path / "droidgrind-sessions"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if any(file.stat().st_size for file in root.glob("*/raw/memcheck/stdout")):
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    return open_session(tmp_path / out.decode().strip())


def test_interrupt_ends_the_run_and_keeps_its_results(leak: Path, tmp_path: Path) -> None:
    session = interrupted(leak, tmp_path)
    assert session.state is State.PARTIAL
    assert session.tools == ("memcheck",)  # massif was not begun
    (errors,) = session.profiles("memcheck")
    assert isinstance(errors, ErrorProfile)
    assert errors.processes[0].fatal_signal is not None
    assert errors.processes[0].fatal_signal.signame == "SIGTERM"


def test_progress_goes_to_standard_error_and_the_path_alone_to_output(
    leak: Path, tmp_path: Path
) -> None:
    process = droidgrind("record", "-t", "memcheck", "-o", "here", "--", leak, cwd=tmp_path)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out == b"here\n"
    assert b"[1/1] memcheck" in err
    assert b"said on stderr" in err
    quiet = droidgrind("record", "-q", "-t", "memcheck", "--", leak, cwd=tmp_path)
    assert b"said on stderr" not in quiet.communicate(timeout=60)[1]


def test_check_exit_fails_with_the_target(leak: Path, tmp_path: Path) -> None:
    words = ("record", "-q", "-t", "massif", "--check-exit", "--", leak)
    good = droidgrind(*words, cwd=tmp_path)
    good.communicate(timeout=60)
    bad = droidgrind(*words, "fail", cwd=tmp_path)
    bad.communicate(timeout=60)
    assert (good.returncode, bad.returncode) == (0, 1)


def test_sigkill_at_any_moment_leaves_a_session_that_can_be_read(
    leak: Path, tmp_path: Path
) -> None:
    began = time.monotonic()
    droidgrind("record", "-q", "--", leak, cwd=tmp_path).communicate(timeout=120)
    whole = time.monotonic() - began  # of a recording on this machine, as busy as it is
    moments = random.Random(20261124)  # noqa: S311  # moments, not secrets
    seen = 0
    for number in range(10):
        root = tmp_path / str(number)
        process = droidgrind("record", "-q", "--sessions", root, "--", leak, cwd=tmp_path)
        time.sleep(moments.uniform(0.15, 1.0) * whole)
        process.kill()
        process.communicate(timeout=60)
        directories = list(root.glob("[!.]*")) if root.exists() else []
        for directory in directories:
            seen += 1
            session = open_session(directory)
            assert session.state in {State.PARTIAL, State.COMPLETE}
            json.dumps(summarise(session))
            for words in (("show", directory), ("report", directory)):
                command = droidgrind(*words, cwd=tmp_path)
                _, err = command.communicate(timeout=60)
                assert command.returncode == 0, err
    assert seen >= 5  # a busier machine than the first recording met is cut off earlier


def test_running_process_is_sampled_until_the_time_is_over(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as target:
        pid = str(target.pid)
        process = droidgrind("record", "--pid", pid, "--timeout", "1", cwd=tmp_path)
        out, err = process.communicate(timeout=60)
        target.kill()
    assert process.returncode == 0, err
    session = open_session(tmp_path / out.decode().strip())
    assert (session.state, session.tools) == (State.COMPLETE, ("vmstat", "schedstat"))
    assert session.manifest.target.label == f"process {pid}"
    (thread,) = summarise(session)["schedstat"]["threads"]
    assert (thread["tid"], thread["name"]) == (int(pid), "sleep")


def test_interrupt_is_the_usual_end_of_sampling_a_system(tmp_path: Path) -> None:
    process = droidgrind("record", "--system", "-t", "schedstat", cwd=tmp_path)
    deadline = time.monotonic() + 30
    while not any(f.stat().st_size for f in tmp_path.glob("*/*/raw/schedstat/schedstat*")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert open_session(tmp_path / out.decode().strip()).state is State.COMPLETE


def test_a_stopped_recording_goes_on_with_what_never_ran(leak: Path, tmp_path: Path) -> None:
    stop = StopRequest()
    said: list[str] = []

    class StopsAtFirst(SilentObserver):
        def step_started(self, step: Step) -> None:
            stop.ask()

        def warning(self, text: str) -> None:
            said.append(text)

    plan = Plan(Target((str(leak),)), ("memcheck", "massif"))
    folder = tmp_path / "stopped"
    stopped = run_plan(
        plan,
        choose_device("local"),
        tmp_path,
        directory=folder,
        observer=StopsAtFirst(),
        stop=stop,
    )
    assert stopped.interrupted
    assert stopped.session.tools == ("memcheck",)
    assert said == [f"massif never ran: `droidgrind record --resume {folder}` goes on with it"]
    findings = session_findings(stopped.session)
    assert any(f.title == "massif never ran" for f in findings)
    resumed = resume(stopped.session).session
    assert resumed.tools == ("memcheck", "massif")
    assert resumed.capture("massif").state is State.COMPLETE  # type: ignore[union-attr]
    with pytest.raises(UsageError, match="each of its tools ran"):
        resume(resumed)


def test_a_resumed_recording_obeys_its_timeout(leak: Path, tmp_path: Path) -> None:
    folder = interrupted(leak, tmp_path).directory
    resumed = droidgrind("record", "-q", "--resume", folder, "--timeout", "0.5", cwd=tmp_path)
    _, err = resumed.communicate(timeout=50)  # below the 60 s that the program sleeps
    assert b"[2/2] massif (at most 0.5 s)" in err
    entry = open_session(folder).capture("massif")
    assert entry is not None
    assert entry.note == "it was stopped after 0.5 s (--timeout)"


def test_a_script_is_said_to_be_one(leak: Path, tmp_path: Path) -> None:
    script = tmp_path / "wrap.sh"
    script.write_text(f"#!/bin/sh\n{leak}\nexit 0\n", encoding="utf-8")
    script.chmod(0o755)
    blind = record([str(script)], tools=["memcheck"], directory=tmp_path / "blind")
    rules = {f.rule: f for f in session_findings(blind)}
    assert "looked at its interpreter alone" in rules["trust-children"].title
    assert "trust-truncated" not in rules  # the fork's part of the file is no damage
    assert "damage" not in summarise(blind)
    (outcome,) = check(blind, parse_fail_on("error")).broken
    assert "--trace-children" in outcome.note
    follow = {"memcheck": ToolSettings(arguments=("--trace-children=yes",))}
    seen = record([str(script)], tools=["memcheck"], settings=follow, directory=tmp_path / "s")
    assert "trust-children" not in {f.rule for f in session_findings(seen)}
    kinds = summarise(seen)["memcheck"]["by_kind"]
    assert kinds["Leak_DefinitelyLost"] == 1
