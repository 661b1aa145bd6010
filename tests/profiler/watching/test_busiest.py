"""Who is busy on a whole machine: real looks at this one, and lines that lie."""

import io
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.devices.local import LocalDevice
from collectors.readers.proc import Sample, SampleParser, parse_content
from collectors.records.samples import Scope
from profiler.watching.busiest import BusiestThreads, sampler_lines
from profiler.watching.joining import join_samples
from profiler.watching.processes import Process, parse_processes

SPIN = """
import threading
def spin():
    while True:
        pass
threading.Thread(target=spin, daemon=True).start()
spin()
"""

SLEEPER = """
import threading, time
for _ in range(20):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
while True:
    pass
"""


@pytest.fixture
def spinning() -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-c", SPIN]) as process:
        yield process.pid
        process.kill()


def test_the_threads_of_who_uses_the_cpu_are_given(spinning: int, tmp_path: Path) -> None:
    looks = BusiestThreads(LocalDevice(), print, tmp_path / "looks")
    samples: list[Sample] = []
    until = time.monotonic() + 30
    while len(samples) < 4 and time.monotonic() < until:
        sample = looks.look()
        if sample is not None and sum(pid == spinning for pid, _ in sample.threads) == 2:
            samples.append(sample)
        time.sleep(0.3)
    first, *_, last = samples
    both = [key for key in last.threads if key[0] == spinning]
    ran = sum(last.threads[key].run_seconds - first.threads[key].run_seconds for key in both)
    assert 0 < ran <= 2 * (last.seconds - first.seconds) + 0.1
    assert all(last.threads[key].cpu >= 0 for key in both)
    # Every third look reads how often they lost the CPU, and gave it up.
    assert all(last.threads[key].involuntary + last.threads[key].voluntary > 0 for key in both)


def test_it_looks_by_itself_until_it_is_stopped(spinning: int, tmp_path: Path) -> None:
    came = threading.Event()
    looks = BusiestThreads(LocalDevice(), lambda _sample: came.set(), tmp_path / "looks")
    looks.start()
    assert came.wait(30)
    looks.stop()
    looks._thread.join(10)
    assert not looks._thread.is_alive()


def chosen(tmp_path: Path, *looks: dict[int, Process]) -> list[int]:
    choosing = BusiestThreads(LocalDevice(), print, tmp_path / "looks")
    for look in looks:
        choosing._choose(look)
    return choosing._chosen


def test_those_are_chosen_who_used_the_cpus_most_since_the_look_before(tmp_path: Path) -> None:
    before = {pid: Process("p", 1000 * pid, 1) for pid in range(1, 21)}
    after = {pid: Process("p", 1000 * pid + pid % 13, 1) for pid in range(1, 21)}
    del before[12]  # new: since when it used its time, nobody knows
    assert chosen(tmp_path, before) == []
    assert chosen(tmp_path, before, after) == [11, 10, 9, 8, 7, 20, 6, 19]


def test_who_was_busy_is_chosen_for_a_while(tmp_path: Path) -> None:
    idle = {pid: Process("p", 100, 1) for pid in (1, 2, 3)}
    worked = {**idle, 1: Process("p", 140, 1)}
    assert chosen(tmp_path, idle, worked) == [1]
    others = {pid: Process("p", 140 if pid == 1 else 110, 1) for pid in (1, 2, 3)}
    assert chosen(tmp_path, idle, worked, others) == [1, 2, 3], "40 that count half: 20"
    assert chosen(tmp_path, idle, worked, *[worked] * 9) == []


def test_no_more_threads_are_looked_at_than_is_cheap(tmp_path: Path) -> None:
    before = {pid: Process("p", 0, 200) for pid in (1, 2)}
    after = {1: Process("p", 9, 200), 2: Process("p", 8, 200)}
    assert chosen(tmp_path, before, after) == [1]
    alone = {1: Process("p", 0, 2000)}, {1: Process("p", 9, 2000)}
    assert chosen(tmp_path, *alone) == [1], "one is shown, whatever it has"


def test_a_thread_cannot_speak_for_another() -> None:
    """A name may hold newlines and whole lines of the format."""
    content = b"S 5.0\nP 7\n7 (a\nT 1 1 1 (x)) S 1\nL 7\nR 7 7 1 2 3\nP x\n8 (b) S\nL 7 7\n"
    lines = list(sampler_lines(content, {}))
    assert lines == [b"S 5.0", b"T 7 7 7 (a", b"T 7 8 8 (b) S", b"L 7 7", b"R 7 7 1 2 3"]


def test_threads_are_named_with_their_process_and_their_switches() -> None:
    content = (
        b"P 7\n7 (app) S\n8 (pool) S\nL 7 7 8\n"
        b"/proc/7/task/8/status:voluntary_ctxt_switches:\t20\n"
        b"/proc/7/task/8/status:nonvoluntary_ctxt_switches:\t3\n"
        b"/proc/7/task/9/status:nonvoluntary_ctxt_switches:\t3\n"
    )
    lines = list(sampler_lines(content, {b"7": b"app"}))
    pool = "T 7 8 8 (pool · app) S".encode()
    assert lines == [b"T 7 7 7 (app) S", pool, b"L 7 7 8", b"V 7 8 20 3"]


def test_a_thread_that_did_nothing_is_written_once(spinning: int, tmp_path: Path) -> None:
    """What is written is what the sampler would write: it can be read back, and stays small."""
    file = tmp_path / "looks"
    with subprocess.Popen([sys.executable, "-c", SLEEPER]) as sleeper:
        looks = BusiestThreads(LocalDevice(), print, file)
        for _ in range(8):
            looks.look()
            time.sleep(0.3)
        sleeper.kill()
    content = file.read_bytes()
    samples = SampleParser("looks").feed(content)
    assert len(samples) >= 4
    of_sleeper = {tid for pid, tid in samples[-1].threads if pid == sleeper.pid}
    assert len(of_sleeper) == 21
    asleep = of_sleeper - {sleeper.pid}
    written = [line for line in content.split(b"\n") if line.startswith(b"R %d " % sleeper.pid)]
    assert len([line for line in written if int(line.split()[2]) in asleep]) <= 2 * len(asleep)


SAMPLES = b"""# droidgrind-schedstat 1
# interval_seconds 0.5
S 10.0
ctxt 5
E
S 10.5
ctxt 6
E
S 11.0
ctxt 7
E
S 11.5
ctxt 8
E
"""
LOOKS = b"""# clock_ticks 100
S 10.2
L 7 7
R 7 7 1000000000 0 1
E
S 10.9
L 7 7
E
S 10.95
L 7
"""


def test_looks_are_joined_to_the_next_sample_and_nothing_comes_after_them() -> None:
    out = io.BytesIO()
    join_samples(SAMPLES.splitlines(True), LOOKS.splitlines(True), 0.7, out)
    profile = parse_content(out.getvalue(), "joined")
    assert not profile.damage
    threads = profile.table(Scope.THREAD)
    assert threads is not None
    assert list(threads.time) == [0.5, 1.0], "of the samples between nothing is known"
    assert list(threads.column("run_seconds")) == [1.0, 1.0]
    system = profile.table(Scope.SYSTEM)
    assert system is not None
    assert list(system.column("context_switches")) == [5, 6, 7]


def test_without_a_look_all_samples_are_kept() -> None:
    out = io.BytesIO()
    join_samples(SAMPLES.splitlines(True), [], 0.7, out)
    assert out.getvalue() == SAMPLES


def test_processes_are_read_from_lines_of_stat() -> None:
    stat = b"12 (a b) c) S 1 " + b" ".join(b"%d" % n for n in range(5, 40))
    found = parse_processes([stat, b"13 (", b"", b"2 (kthreadd) S 0 " + b"0 " * 40])
    assert found.keys() == {12}
    assert found[12].name == "a b) c"
