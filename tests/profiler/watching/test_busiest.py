"""Who is busy on a whole machine: real looks at this one, and lines that lie."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from collectors.devices.local import LocalDevice
from collectors.readers.proc import Sample
from profiler.watching.busiest import BusiestThreads, sampler_lines
from profiler.watching.processes import parse_processes

SPIN = """
import threading
def spin():
    while True:
        pass
threading.Thread(target=spin, daemon=True).start()
spin()
"""


@pytest.fixture
def spinning() -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-c", SPIN]) as process:
        yield process.pid
        process.kill()


def test_the_threads_of_who_uses_the_cpu_are_given(spinning: int) -> None:
    looks = BusiestThreads(LocalDevice(), print)
    samples: list[Sample] = []
    until = time.monotonic() + 30
    while len(samples) < 2 and time.monotonic() < until:
        sample = looks.look()
        if sample is not None and sum(pid == spinning for pid, _ in sample.threads) == 2:
            samples.append(sample)
        time.sleep(0.3)
    first, last = samples
    both = [key for key in last.threads if key[0] == spinning]
    ran = sum(last.threads[key].run_seconds - first.threads[key].run_seconds for key in both)
    assert 0 < ran <= 2 * (last.seconds - first.seconds) + 0.1
    assert all(last.threads[key].cpu >= 0 for key in both)


def test_it_looks_by_itself_until_it_is_stopped(spinning: int) -> None:
    came = threading.Event()
    looks = BusiestThreads(LocalDevice(), lambda _sample: came.set())
    looks.start()
    assert came.wait(30)
    looks.stop()
    looks._thread.join(10)
    assert not looks._thread.is_alive()


def test_a_thread_cannot_speak_for_another() -> None:
    """A name may hold newlines and whole lines of the format."""
    content = b"S 5.0\nP 7\n7 (a\nT 1 1 1 (x)) S 1\nL 7\nR 7 7 1 2 3\nP x\n8 (b) S\nL 7 7\n"
    lines = list(sampler_lines(content))
    assert lines == [b"S 5.0", b"T 7 7 7 (a", b"T 7 8 8 (b) S", b"L 7 7", b"R 7 7 1 2 3"]


def test_processes_are_read_from_lines_of_stat() -> None:
    stat = b"12 (a b) c) S 1 " + b" ".join(b"%d" % n for n in range(5, 40))
    found = parse_processes([stat, b"13 (", b"", b"2 (kthreadd) S 0 " + b"0 " * 40])
    assert found.keys() == {12}
    assert found[12].name == "a b) c"
