"""Recordings on the stand-in phone: whole, whatever happens to the link."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from collectors.devices.adb import AdbDevice
from collectors.errors import UsageError
from profiler import open_session, record, summarise
from profiler.manifest import State
from profiler.recording.cleanup import cleanup
from profiler.recording.journal import journals
from profiler.recording.plan import Plan
from profiler.recording.progress import SilentObserver, Step
from profiler.recording.target import Pushed, Target
from profiler.session import run_plan
from tests.phone.stand_in import StandIn
from tests.profiler.conftest import (
    AWAY_SECONDS,
    MOMENTS,
    BuildC,
    device_state,
    processes,
)
from tui.cli import main

pytestmark = [pytest.mark.phone, pytest.mark.valgrind]
# The whole proof: 20 moments, 20 s away, all five tools. The suite looks at a part of it.
WHOLE = MOMENTS > 2
TOOLS = ("vmstat", "schedstat", "memcheck", "cachegrind", "massif")
SOME = TOOLS if WHOLE else ("schedstat", "memcheck")
SECONDS = 12.0 if WHOLE else 5.0  # about as long as the recording
PYTHON_PATH = (str(Path.cwd()), os.environ.get("PYTHONPATH"))
LIBRARY = ("-shared", "-fPIC")


def droidgrind(*words: str | Path, cwd: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "tui.cli", *map(str, words)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, PYTHON_PATH))},
    )


def test_restarted_adbd_costs_one_run_and_not_the_session(
    phone: StandIn, adb_device: AdbDevice, valgrind: str, build_c: BuildC, tmp_path: Path
) -> None:
    """It ends what it had started, setsid or not: that capture says so, the next goes on."""
    program = build_c("target")
    before = device_state(phone)
    restart = threading.Timer(3.0, phone.restart_adbd)
    restart.start()
    session = record(
        [str(program), "you", "3"], tools=("memcheck", "massif"), serial=adb_device.serial,
        sessions=tmp_path, valgrind=valgrind,
    )  # fmt: skip
    restart.join()
    assert session.state is State.PARTIAL
    memcheck, massif = session.captures
    assert massif.state is State.COMPLETE
    assert memcheck.note is not None
    assert "adbd or the device restarted" in memcheck.note
    assert device_state(phone) == before


NOISY = """
#include <stdlib.h>
static volatile char *kept;
__attribute__((noinline)) void noise(void) { kept = malloc(10); kept = 0; }
__attribute__((noinline)) void bug(void) { kept = malloc(20); kept = 0; }
int main(int argc, char **argv) { noise(); if (argc > 1) bug(); return 0; }
"""


def test_what_a_device_shows_by_itself_is_learned_and_left_out(
    phone: StandIn, adb_device: AdbDevice, valgrind: str, build_c: BuildC, tmp_path: Path
) -> None:
    program = build_c("noisy", source=NOISY)
    before = device_state(phone)
    known = tmp_path / "known.supp"
    place = ["-s", adb_device.serial, "--valgrind", valgrind, "--sessions", str(tmp_path)]
    assert main(["baseline", *place, "-o", str(known), "--", str(program)]) == 0
    assert "fun:noise" in known.read_text(encoding="utf-8")
    packs = ["--suppressions", "bionic", "--suppressions", "art", "--suppressions", "gpu"]
    for chosen, blocks in ((["--suppressions", str(known), *packs], 1), (packs, 2)):
        directory = tmp_path / f"left-{blocks}"
        words = ["-q", "-t", "memcheck", *chosen, "-o", str(directory), "--", str(program), "x"]
        assert main(["record", *place, *words]) == 0
        session = open_session(directory)
        assert session.state is State.COMPLETE
        leaks = summarise(session)["memcheck"]["leaks"]
        assert leaks["definitely_lost"]["blocks"] == blocks
        assert any("--suppressions=" in word for word in session.captures[0].argv)
    assert device_state(phone) == before
    assert list(journals()) == []


def test_symbols_of_a_stripped_target_are_found_here(
    phone: StandIn, adb_device: AdbDevice, valgrind: str, build_c: BuildC, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    whole = build_c("stripped", "-Wl,--build-id", source=NOISY)
    bare = tmp_path / "bare"
    subprocess.run(["strip", "-o", bare, whole], check=True, timeout=60)
    before = device_state(phone)
    symbols = tmp_path / "symbols"
    symbols.mkdir()
    (symbols / "renamed.so").write_bytes(whole.read_bytes())
    words = [
        *("record", "-q", "-s", adb_device.serial, "--valgrind", valgrind, "-t", "memcheck"),
        *("--symbols", str(symbols), "-o", str(tmp_path / "session"), "--", str(bare), "x"),
    ]
    assert main(words) == 0
    capsys.readouterr()
    assert main(["show", str(tmp_path / "session")]) == 0
    shown = capsys.readouterr().out
    assert "at noise (stripped.c:4)" in shown
    assert "at bug (stripped.c:5)" in shown
    assert device_state(phone) == before


def test_static_target_is_not_measured_as_leaking_nothing(
    adb_device: AdbDevice, valgrind: str, build_c: BuildC, tmp_path: Path
) -> None:
    said: list[str] = []

    class Watching(SilentObserver):
        def warning(self, text: str) -> None:
            said.append(text)

    plan = Plan(Target((str(build_c("static", "-static")),)), ("memcheck", "massif"))
    session = run_plan(
        plan, adb_device, tmp_path, valgrind=valgrind, observer=Watching()
    ).session
    assert any("static" in text for text in said)
    summary = summarise(session)
    assert summary["memcheck"]["leaks"] is None
    assert "static" in summary["memcheck"]["not_measured"]
    assert summary["massif"]["peak"] is None
    assert "static" in summary["massif"]["not_measured"]


def test_pushed_files_and_libraries_are_found_there(
    phone: StandIn, adb_device: AdbDevice, valgrind: str, build_c: BuildC, tmp_path: Path
) -> None:
    library = build_c(
        "libown.so", *LIBRARY, "-Wl,-soname,libown.so", source="int own(void) { return 7; }\n"
    )
    main = "int own(void); int main(void) { return own(); }\n"
    program = build_c("linked", str(library), source=main)
    before = device_state(phone)
    session = record(
        [str(program)], tools=["memcheck"], serial=adb_device.serial, sessions=tmp_path,
        valgrind=valgrind,
    )  # fmt: skip
    assert session.captures[0].exit_status == 7
    model = tmp_path / "model.bin"
    model.write_text("weights")
    place = "/data/local/tmp/models/here/m.bin"
    for pushed, name in ((Pushed(model), "model.bin"), (Pushed(model, place), place)):
        plan = Plan(
            Target((str(build_c("target")), "a", "0", "0", name), push=(pushed,)), ("massif",)
        )
        done = run_plan(plan, adb_device, tmp_path, valgrind=valgrind).session
        assert b"read weights" in (done.folder("massif") / "stdout").read_bytes()
    assert device_state(phone) == before


def test_what_does_not_fit_the_device_is_refused_before_anything_runs(
    phone: StandIn, adb_device: AdbDevice, build_c: BuildC, tmp_path: Path
) -> None:
    before = device_state(phone)

    def refusal(*argv: str) -> str:
        with pytest.raises(UsageError) as caught:
            record(argv, tools=["vmstat"], serial=adb_device.serial, sessions=tmp_path)
        return str(caught.value)

    desktop = build_c("desktop", compiler="gcc")
    assert "dynamic linker /lib64/ld-linux-x86-64.so.2, which is not on" in refusal(
        str(desktop)
    )
    library = build_c(
        "libgone.so", *LIBRARY, "-Wl,-soname,libgone.so", source="int g(void) { return 7; }\n"
    )
    program = build_c("lonely", str(library), source="int g(void); int main(){return g();}\n")
    library.unlink()
    assert "lonely needs libgone.so" in refusal(str(program))
    arm = tmp_path / "arm"
    arm.write_bytes(program.read_bytes()[:18] + b"\xb7\0" + program.read_bytes()[20:])
    arm.chmod(0o755)
    assert "built for arm64-v8a, but" in refusal(str(arm))
    assert "/data/nothing is not on" in refusal("device:/data/nothing")
    assert device_state(phone) == before
    assert list(tmp_path.glob("2*")) == []


def wait_for_memcheck(sessions: Path) -> None:
    """Until the target has said something inside Memcheck."""
    deadline = time.monotonic() + 60
    while not any(b"at 0" in f.read_bytes() for f in sessions.glob("*/raw/memcheck/stdout")):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_interrupt_reaches_the_target_on_the_device(
    phone: StandIn, adb_device: AdbDevice, valgrind: str, build_c: BuildC, tmp_path: Path
) -> None:
    before = device_state(phone)
    process = droidgrind(
        "record", "-s", adb_device.serial, "-t", "memcheck,massif", "--valgrind", valgrind,
        "--", build_c("target"), "x", "60", cwd=tmp_path,
    )  # fmt: skip
    wait_for_memcheck(tmp_path / "droidgrind-sessions")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=90)
    assert process.returncode == 130, err
    session = open_session(tmp_path / out.decode().strip())
    assert (session.state, session.tools) == (State.PARTIAL, ("memcheck",))
    assert summarise(session)["memcheck"]["leaks"]["definitely_lost"]["blocks"] == 1
    assert device_state(phone) == before


def test_second_interrupt_sets_aside_what_is_out_of_reach(
    phone: StandIn, adb_device: AdbDevice, valgrind: str, build_c: BuildC, tmp_path: Path
) -> None:
    """The device goes on without us; -H and -P find its server again, and resume finishes."""
    before = device_state(phone)
    process = droidgrind(
        "record", "-s", adb_device.serial, "-t", "memcheck", "--valgrind", valgrind,
        "--", build_c("target"), "x", "3", cwd=tmp_path,
    )  # fmt: skip
    wait_for_memcheck(tmp_path / "droidgrind-sessions")
    phone.wire.cut(6)
    time.sleep(0.5)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert b"record --resume" in err
    session = open_session(tmp_path / out.decode().strip())
    assert session.state is State.PARTIAL
    assert len(list(journals())) == 1
    time.sleep(6)
    resumed = droidgrind(
        "record", "-q", "-H", "127.0.0.1", "-P", str(phone.server_port), "--resume", "latest",
        cwd=tmp_path,
    )  # fmt: skip
    _, err = resumed.communicate(timeout=90)
    assert resumed.returncode == 0, err
    assert open_session(session.directory).state is State.COMPLETE
    assert device_state(phone) == before
    assert list(journals()) == []


class Starting(SilentObserver):
    """Starts a timer when the recording begins: before that there is none to be cut."""

    def __init__(self, timer: threading.Timer) -> None:
        self._timer = timer

    def began(self, directory: Path, steps: Sequence[Step]) -> None:
        self._timer.start()


def test_link_cut_at_any_moment_costs_nothing(
    phone: StandIn, adb_device: AdbDevice, valgrind: str, build_c: BuildC, tmp_path: Path
) -> None:
    """Of each session every tool is complete, its files equal to what the device had."""
    program = build_c("target")
    words = [str(program), "you", "1.0"]
    before = device_state(phone)
    moments = random.Random(4)  # noqa: S311  # moments, not secrets
    for number in range(MOMENTS):
        moment = 0.2 + (number + moments.random()) * SECONDS / MOMENTS
        cut = threading.Timer(moment, phone.wire.cut, (AWAY_SECONDS,))
        session = record(
            words, serial=adb_device.serial, sessions=tmp_path, valgrind=valgrind,
            observer=Starting(cut),
        )  # fmt: skip
        cut.join()
        assert session.state is State.COMPLETE, (moment, session.captures)
        assert len(session.captures) == 5
        lines = (session.folder("massif") / "stdout").read_text().splitlines()
        assert lines[0] == "hello you"
        assert lines[-1] == "at 0.9"
        assert not summarise(session)["schedstat"].get("damage")
        time.sleep(max(0.0, AWAY_SECONDS - 1))
        assert device_state(phone) == before, moment
        assert processes(phone) == []


def test_killed_at_any_moment_it_is_resumed_or_cleaned_up(
    phone: StandIn, adb_device: AdbDevice, valgrind: str, build_c: BuildC, tmp_path: Path
) -> None:
    program = build_c("target")
    before = device_state(phone)
    moments = random.Random(5)  # noqa: S311  # moments, not secrets
    outcomes: list[str] = []
    for number in range(2 * MOMENTS):
        root = tmp_path / str(number)
        process = droidgrind(
            "record", "-q", "-s", adb_device.serial, "--sessions", root,
            "--valgrind", valgrind, "-t", ",".join(SOME), "--", program, "you", "1.0",
            cwd=tmp_path,
        )  # fmt: skip
        moment = 0.6 + (number // 2 + moments.random()) * SECONDS / MOMENTS
        time.sleep(moment)
        process.kill()
        process.communicate(timeout=60)
        sessions = [open_session(directory) for directory in root.glob("[!.]*")]
        for session in sessions:
            json.dumps(summarise(session))
        if number % 2 and sessions and sessions[0].manifest.state is State.RECORDING:
            resumed = droidgrind(
                "record", "-q", "--resume", sessions[0].directory, cwd=tmp_path
            )
            _, err = resumed.communicate(timeout=120)
            assert resumed.returncode == 0, (moment, err)
            session = open_session(sessions[0].directory)
            assert session.state is State.COMPLETE
            assert session.tools == SOME
            assert summarise(session)["memcheck"]["errors"] == 4
            outcomes.append("resumed")
        else:
            cleaned = cleanup()
            assert [one.left for one in cleaned] == [()] * len(cleaned), moment
            outcomes.append("cleaned")
        assert device_state(phone) == before, (moment, outcomes)
        assert processes(phone) == [], (moment, outcomes)
        assert list(journals()) == []
    if WHOLE:
        assert outcomes.count("resumed") > MOMENTS / 2
