"""The native sampler at its limits, and beside the other two: one process, one truth."""

import errno
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from collectors.devices.local import LocalDevice
from collectors.readers.proc import Sample, SampleParser, ThreadSample
from collectors.tools import schedstat
from collectors.tools.schedstat_native import program_for
from collectors.tools.schedstat_shell import sampler_words
from collectors.tools.tool import Subject, ToolSettings
from tests.collectors.tools.test_samplers import PROGRAM, OtherMachine, ShellDevice
from tests.conftest import Build

NATIVE = program_for(LocalDevice().facts().abi)
pytestmark = pytest.mark.skipif(NATIVE is None, reason="no native sampler for this machine")
# Threads and processes that live for a moment each, as fast as the kernel makes them.
CHURN = r"""
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
static void *nap(void *micros) { usleep((useconds_t)(long)micros); return nullptr; }
int main() {
  for (;;) {  // a full machine may refuse a thread or a child: it goes on
    pthread_t a, b;
    int no_a = pthread_create(&a, nullptr, nap, (void *)3000);
    int no_b = pthread_create(&b, nullptr, nap, (void *)100);
    if (fork() == 0) { usleep(2000); _exit(0); }
    if (!no_a) pthread_join(a, nullptr);
    if (!no_b) pthread_join(b, nullptr);
    while (waitpid(-1, nullptr, WNOHANG) > 0) {}
  }
}
"""
# A child that dies, and another that is given the same number right after it.
REUSE = r"""
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
static pid_t born(const char *name) {
  pid_t pid = fork();
  if (pid == 0) { prctl(PR_SET_NAME, name); for (;;) usleep(5000); }
  return pid;
}
int main() {
  pid_t first = born("first");
  usleep(400000);
  for (int i = 0; i < 200; i++) {
    kill(first, 9);
    waitpid(first, 0, 0);
    int last = open("/proc/sys/kernel/ns_last_pid", O_WRONLY);
    char text[16];
    int length = sprintf(text, "%d", first - 1);
    if (last < 0 || write(last, text, length) != length) { puts("refused"); fflush(stdout); }
    close(last);
    pid_t second = born("second");
    if (second == first) { puts("same"); fflush(stdout); break; }
    first = second;
  }
  for (;;) pause();
}
"""
CROWD = r"""
#include <unistd.h>
#include <thread>
int main() {
  for (int i = 0; i < 100; i++) std::thread([] { for (;;) usleep(20000); }).detach();
  for (;;) pause();
}
"""


@pytest.fixture
def start(build: Build) -> Iterator["type[Started]"]:
    yield Started
    for one in Started.all:
        os.killpg(one.pid, signal.SIGKILL)
        one.communicate()
    Started.all.clear()


class Started(subprocess.Popen[bytes]):
    """A program in a group of its own, ended with its test."""

    all: "list[Started]" = []  # noqa: RUF012

    def __init__(self, program: Path) -> None:
        super().__init__([program], start_new_session=True, stdout=subprocess.PIPE)
        self.all.append(self)


def command(pid: int | None, name: str | None = None) -> list[str]:
    assert NATIVE is not None
    return [str(NATIVE), *sampler_words(0.05, Subject(pid, name))]


def run(words: list[str], seconds: float) -> tuple[list[Sample], SampleParser]:
    """What a sampler prints in a while, and how the reader takes it."""
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        time.sleep(seconds)
        output, _ = process.communicate()
    assert process.returncode == 0
    parser = SampleParser("test")
    samples = parser.feed(output)
    parser.close()
    assert parser.damage == []
    return samples, parser


def test_three_ways_see_the_same(start: type[Started], build: Build, tmp_path: Path) -> None:
    """What stands still is read alike to the last nanosecond."""
    if shutil.which("mksh") is None:
        pytest.skip("mksh not installed")
    target = start(build("ways", PROGRAM, "-pthread"))
    devices: Mapping[str, LocalDevice] = {
        "native": LocalDevice(), "local": OtherMachine(), "shell": ShellDevice(),
    }  # fmt: skip
    running = {}
    for way, device in devices.items():
        (tmp_path / way).mkdir()
        running[way] = schedstat.TOOL.start(
            device, Subject(target.pid), tmp_path / way, ToolSettings()
        )
    time.sleep(2.0)
    os.killpg(target.pid, signal.SIGSTOP)
    time.sleep(0.3)
    ends: dict[str, tuple[object, object, list[ThreadSample]]] = {}
    for way, sampler in running.items():
        sampler.stop()
        parser = SampleParser(way)
        last = parser.feed(sampler.files[0].read_bytes())[-1]
        assert parser.facts["way"] == way
        assert parser.damage == []
        heads = (parser.cpus, parser.facts["clock_ticks"], parser.facts["page_bytes"])
        threads = sorted(last.threads.values(), key=lambda thread: thread.tid)
        ends[way] = (heads, sorted(last.cpus), threads)
    assert len(ends["native"][2]) == 4  # `late` has ended, the child has not
    assert ends["native"] == ends["local"]
    assert ends["native"] == ends["shell"]


def test_what_comes_and_goes_is_read_without_damage(start: type[Started], build: Build) -> None:
    target = start(build("churn", CHURN, "-pthread"))
    words = command(target.pid)
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as sampler:
        time.sleep(2.0)
        held = len(list(Path(f"/proc/{sampler.pid}/fd").iterdir()))
        output, _ = sampler.communicate()
    parser = SampleParser("test")
    samples = parser.feed(output)
    assert parser.damage == []
    assert len(samples) > 10
    seen = {key for sample in samples for key in sample.threads}
    assert len(seen) > 20, (seen, target.poll(), output[-2000:])
    assert held < 60  # what has ended is let go


def test_number_used_again_is_another_process(start: type[Started], build: Build) -> None:
    target = start(build("reuse", REUSE))
    samples, _ = run(command(target.pid), 1.5)
    assert target.stdout is not None
    os.set_blocking(target.stdout.fileno(), False)
    said = target.stdout.read() or b""
    if b"refused" in said:
        pytest.skip("only root chooses the number of the next process")
    if b"same" not in said:
        pytest.skip("other programs took the number, 200 times")
    names: dict[int, list[tuple[str, float]]] = {}
    for sample in samples:
        for (_, tid), thread in sample.threads.items():
            seen = names.setdefault(tid, [])
            if thread.name in {"first", "second"} and (thread.name, thread.started) not in seen:
                seen.append((thread.name, thread.started))
    twice = [seen for seen in names.values() if len(seen) == 2]
    assert any(first[0] != second[0] or first[1] < second[1] for first, second in twice)


def test_more_threads_than_descriptors(start: type[Started], build: Build) -> None:
    target = start(build("crowd", CROWD, "-pthread"))
    time.sleep(0.2)
    samples, _ = run(["prlimit", "--nofile=40:40", *command(target.pid)], 0.5)
    assert len(samples[-1].threads) == 101
    assert all(thread.run_seconds > 0 for thread in samples[-1].threads.values())


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace not installed")
def test_children_are_found_where_the_kernel_lists_none(
    start: type[Started], build: Build, tmp_path: Path
) -> None:
    target = start(build("listless", PROGRAM, "-pthread"))
    calls = "faccessat,faccessat2"
    blind = ["strace", "-o", str(tmp_path / "log"), "-e", f"trace={calls}"]
    blind += ["-e", f"inject={calls}:error=ENOENT"]
    samples, _ = run([*blind, *command(target.pid)], 2.8)
    assert b"INJECTED" in (tmp_path / "log").read_bytes()
    assert "child" in {thread.name for thread in samples[-1].threads.values()}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_ends_it_with_a_whole_sample(number: signal.Signals) -> None:
    words = command(os.getpid())
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(number)
        assert process.stdout.read().endswith(b"\nE\n")
        assert process.wait(10) == 0


def test_full_disk_is_told_by_its_number(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command(None), stdin=subprocess.DEVNULL, stdout=full, timeout=20, check=False
        )
    assert done.returncode == errno.ENOSPC


def test_who_asks_is_not_meant_by_a_name() -> None:
    own = Path("/proc/self/comm").read_text(encoding="utf-8").strip()
    samples, _ = run([*command(None, own), str(os.getpid())], 0.2)
    assert os.getpid() not in {pid for pid, _ in samples[-1].threads}
    samples, _ = run(command(None, own), 0.2)
    assert os.getpid() in {pid for pid, _ in samples[-1].threads}
