"""The samplers beside real programs: on this machine, and as a phone's shell runs them."""

import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from collectors.devices.device import DeviceFacts, Preferred
from collectors.devices.local import LocalDevice, LocalStream
from collectors.errors import ToolError
from collectors.records.samples import SampleProfile, Scope
from collectors.tools import schedstat, vmstat
from collectors.tools.schedstat_shell import shell_command
from collectors.tools.tool import Subject, ToolSettings
from profiler.aggregate.samples import ThreadTotals, thread_totals
from tests.conftest import Build

PROGRAM = r"""
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <chrono>
#include <thread>
using clk = std::chrono::steady_clock;
static void name(const char *text) { prctl(PR_SET_NAME, text); }
static void burn(double seconds) {
  auto end = clk::now() + std::chrono::duration<double>(seconds);
  while (clk::now() < end) {}
}
int main() {
  std::thread busy([] { name("busy (1) x"); burn(60); });
  std::thread lines([] { name("a\nE\nb"); for (;;) usleep(20000); });
  usleep(700000);
  std::thread late([] { name("late"); for (int i = 0; i < 20; i++) usleep(20000); });
  late.join();
  if (fork() == 0) { name("child"); for (;;) usleep(20000); }
  for (;;) pause();
}
"""


class ShellDevice(LocalDevice):
    """This machine with a phone's shell for `sh`, and no way to bring a program there."""

    serial = "phone-shell"

    def stream(
        self,
        argv: Sequence[str],
        sink: BinaryIO,
        *,
        name: str = "stream",
        preferred: Preferred | None = None,
    ) -> LocalStream:
        shell = "mksh" if argv[0] == "sh" else argv[0]
        return super().stream([shell, *argv[1:]], sink)


class OtherMachine(LocalDevice):
    """A machine of an architecture for which no native sampler is shipped."""

    def facts(self) -> DeviceFacts:
        return replace(super().facts(), abi="riscv64")


DEVICES = [
    pytest.param(LocalDevice(), id="native"),
    pytest.param(OtherMachine(), id="python"),
    pytest.param(
        ShellDevice(),
        id="mksh",
        marks=pytest.mark.skipif(shutil.which("mksh") is None, reason="mksh not installed"),
    ),
]


@pytest.fixture
def running(build: Build) -> Iterator["subprocess.Popen[bytes]"]:
    program = build("threads", PROGRAM, "-pthread")
    process = subprocess.Popen([program], start_new_session=True)
    yield process
    subprocess.run(["pkill", "-KILL", "-s", str(process.pid)], check=True)
    process.wait()


def sampled(
    device: LocalDevice, subject: Subject, folder: Path, seconds: float
) -> SampleProfile:
    sampler = schedstat.TOOL.start(device, subject, folder, ToolSettings())
    time.sleep(seconds)
    sampler.stop()
    sampler.stop()
    (file,) = sampler.files
    return schedstat.TOOL.read(file)


def by_name(profile: SampleProfile) -> dict[str, ThreadTotals]:
    return {row.name: row for row in thread_totals(profile)}


@pytest.mark.parametrize("device", DEVICES)
def test_threads_of_the_whole_tree_are_seen(
    device: LocalDevice, running: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    profile = sampled(device, Subject(running.pid), tmp_path, 3.0)
    threads = by_name(profile)
    assert {"threads", "busy (1) x", "a E b", "late", "child"} <= set(threads)
    busy, late = threads["busy (1) x"], threads["late"]
    assert busy.run_seconds is not None
    assert late.run_seconds is not None
    assert busy.run_seconds > 10 * late.run_seconds
    assert busy.wait_seconds is not None
    assert 1.0 < busy.run_seconds + busy.wait_seconds < 6.0
    assert threads["child"].pid != running.pid
    assert late.voluntary is not None
    assert 1 <= late.voluntary <= 30
    assert profile.damage == ()
    assert profile.interval_seconds == 0.1
    assert 10 <= profile.samples <= 40
    assert profile.cost_seconds is not None
    assert profile.cost_seconds > 0


@pytest.mark.parametrize("device", DEVICES)
def test_thread_that_ended_has_no_rows_after_its_end(
    device: LocalDevice, running: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    profile = sampled(device, Subject(running.pid), tmp_path, 2.5)
    table = profile.table(Scope.THREAD)
    assert table is not None
    last = {table.entities[e].name: t for e, t in zip(table.entity, table.time, strict=True)}
    assert last["late"] < last["busy (1) x"] - 0.3


@pytest.mark.parametrize("device", DEVICES)
def test_system_alone_needs_no_process(device: LocalDevice, tmp_path: Path) -> None:
    profile = sampled(device, Subject(), tmp_path, 0.5)
    system, cpus = profile.table(Scope.SYSTEM), profile.table(Scope.CPU)
    assert system is not None
    assert cpus is not None
    assert thread_totals(profile) == []
    switches = system.column("context_switches")
    interrupts = system.column("interrupts")
    assert switches[len(switches) - 1] > switches[0] > 0
    assert interrupts[len(interrupts) - 1] > interrupts[0] > 0
    assert len(cpus.entities) == profile.online_cpus


@pytest.mark.parametrize("device", DEVICES)
def test_process_is_found_by_name_when_it_appears(
    device: LocalDevice, build: Build, tmp_path: Path
) -> None:
    program = build("appears", PROGRAM, "-pthread")
    sampler = schedstat.TOOL.start(device, Subject(name="appears"), tmp_path, ToolSettings())
    time.sleep(0.5)
    process = subprocess.Popen([program], start_new_session=True)
    time.sleep(3.5)
    sampler.stop()
    process.kill()
    process.wait()
    subprocess.run(["pkill", "-KILL", "-s", str(process.pid)], check=False)
    assert "busy (1) x" in by_name(schedstat.TOOL.read(sampler.files[0]))


@pytest.mark.parametrize("device", DEVICES)
def test_process_that_ended_keeps_its_last_values(device: LocalDevice, tmp_path: Path) -> None:
    with subprocess.Popen(
        ["sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"]
    ) as p:
        profile = sampled(device, Subject(p.pid), tmp_path, 2.0)
    (row,) = thread_totals(profile)
    assert row.run_seconds is not None
    assert row.run_seconds > 0.02


@pytest.mark.skipif(shutil.which("mksh") is None, reason="mksh not installed")
def test_shell_ends_when_its_host_goes_away(tmp_path: Path) -> None:
    command = shell_command(0.1, None, None, "mksh")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        process.stdin.close()
        assert process.stdout.read().endswith(b"\nE\n")
        assert process.wait(10) == 0


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace not installed")
@pytest.mark.skipif(shutil.which("mksh") is None, reason="mksh not installed")
def test_shell_forks_only_at_its_start(
    running: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    def forks(seconds: float) -> int:
        log = tmp_path / f"{seconds}.strace"
        command = ["strace", "-o", str(log), "-e", "trace=clone,clone3,fork,vfork"]
        command += shell_command(0.1, running.pid, None, "mksh")
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as p:
            time.sleep(seconds)
            assert p.stdin is not None
            p.stdin.close()
        return log.read_bytes().count(b"clone") + log.read_bytes().count(b"fork(")

    assert forks(0.5) == forks(2.5)


def test_vmstat_of_this_machine(tmp_path: Path) -> None:
    if shutil.which("vmstat") is None:
        pytest.skip("vmstat not installed")
    sampler = vmstat.TOOL.start(LocalDevice(), Subject(), tmp_path, ToolSettings())
    time.sleep(2.6)
    sampler.stop()
    profile = vmstat.TOOL.read(sampler.files[0])
    assert profile.dialect == "procps"
    assert profile.interval_seconds == 1.0
    assert profile.since_boot is not None
    assert profile.samples >= 1
    assert profile.damage == ()


@pytest.mark.skipif(shutil.which("toybox") is None, reason="toybox not installed")
def test_toybox_is_taken_where_no_vmstat_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("toybox", "sh", "head"):
        (programs / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(programs))
    sampler = vmstat.TOOL.start(LocalDevice(), Subject(), tmp_path, ToolSettings())
    time.sleep(2.6)
    sampler.stop()
    profile = vmstat.TOOL.read(sampler.files[0])
    assert profile.dialect == "toybox"
    assert profile.samples >= 1
    assert b"# version toybox 0." in sampler.files[0].read_bytes()


def test_machine_without_vmstat_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="no vmstat on local: install it"):
        vmstat.TOOL.start(LocalDevice(), Subject(), tmp_path, ToolSettings())
