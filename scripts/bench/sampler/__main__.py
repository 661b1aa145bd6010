"""Print what the samplers cost. Run from the repository's root:

    python -m scripts.bench.sampler [samplers | overhead | pull]

`samplers`: CPU time of a core that each way takes to watch one process of 100 threads, in one
run, by the kernel's own account of the sampler and all its children. `overhead`: wall time of
a recording on the stand-in phone less that of the Valgrind runs in it, a tool. `pull`: bytes a
second beside `adb pull`.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from collectors.devices.adb import open_device
from collectors.devices.device import Job
from collectors.devices.local import LocalDevice
from collectors.tools.schedstat_native import native_sampler
from collectors.tools.schedstat_shell import shell_command
from collectors.tools.tool import Subject
from profiler import record
from tests.phone.stand_in import StandIn

THREADS = r"""
#include <pthread.h>
#include <unistd.h>
static void *work(void *p) {
  for (;;) { usleep(20000); for (volatile int i = 0; i < 2000; i++) {} }
}
int main(void) {
  pthread_attr_t a; pthread_attr_init(&a); pthread_attr_setstacksize(&a, 65536);
  for (int i = 0; i < 99; i++) { pthread_t t; pthread_create(&t, &a, work, 0); }
  work(0);
}
"""
BIG = r"""
#include <stdlib.h>
static char data[%d] = {1};
int main(void) { volatile char *p = malloc(100); p[0] = data[5]; return 0; }
"""
SECONDS = 20
MEGABYTE = 1 << 20


def build(folder: Path, name: str, source: str, compiler: str, *options: str) -> Path:
    file = folder / f"{name}.c"
    file.write_text(source, encoding="utf-8")
    command = [compiler, "-O1", "-o", str(folder / name), str(file), *options]
    subprocess.run(command, check=True)
    return folder / name


def cpu_of(command: list[str], seconds: float) -> float:
    """CPU seconds of a command and its children, run for a while and then ended."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        time.sleep(seconds)
        if process.stdin:
            process.stdin.close()
        try:
            process.wait(1)
        except subprocess.TimeoutExpired:
            process.terminate()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def native_command(interval_seconds: float, pid: int) -> list[str]:
    """As it is started on a device, and on this machine."""
    native = native_sampler(LocalDevice().facts().abi, interval_seconds, Subject(pid))
    return ["no native sampler"] if native is None else [str(native.file), *native.words]


def samplers(folder: Path) -> None:
    program = build(folder, "threads", THREADS, "gcc", "-pthread")
    with subprocess.Popen([program]) as target:
        pid = str(target.pid)
        time.sleep(0.5)
        ways = [
            ("droidgrind, 10 Hz", native_command(0.1, target.pid)),
            ("droidgrind through mksh, 10 Hz", shell_command(0.1, target.pid, None, "mksh")),
            ("toybox top -H, 10 Hz", ["toybox", "top", "-b", "-H", "-p", pid, "-d", "0.1"]),
            ("procps top -H, 10 Hz", ["top", "-b", "-H", "-p", pid, "-d", "0.1"]),
            ("droidgrind, 1 Hz", native_command(1, target.pid)),
            ("droidgrind through mksh, 1 Hz", shell_command(1, target.pid, None, "mksh")),
            ("toybox top -H, 1 Hz", ["toybox", "top", "-b", "-H", "-p", pid, "-d", "1"]),
            ("procps top -H, 1 Hz", ["top", "-b", "-H", "-p", pid, "-d", "1"]),
            ("toybox vmstat 1", ["toybox", "vmstat", "1"]),
            ("procps vmstat 1", ["vmstat", "1"]),
        ]
        print(f"a process of 100 threads, {SECONDS} s each, {os.cpu_count()} CPUs")
        for name, command in ways:
            if shutil.which(command[0]) is None:
                print(f"{name:32} {command[0]} is not installed")
                continue
            # what starting costs is measured apart: a recording starts its sampler once
            short = cpu_of(list(command), 1.0)
            whole = cpu_of(list(command), SECONDS + 1.0)
            share = (whole - short) / SECONDS
            print(f"{name:32} {share:7.2%} of a core   (start {short:.3f} s CPU)", flush=True)
        target.kill()


def phone() -> StandIn:
    running = StandIn()
    os.environ["ANDROID_ADB_SERVER_PORT"] = str(running.server_port)
    folder = running.root / "data/local/tmp/valgrind"
    folder.mkdir()
    for file in Path("/usr/libexec/valgrind").iterdir():
        if "amd64-linux" in file.name or file.name == "default.supp":
            shutil.copy2(file, folder / file.name)
    return running


def overhead(folder: Path) -> None:
    program = build(folder, "big", BIG % (10 * MEGABYTE), "musl-gcc")
    running = phone()
    try:
        for tools in (("memcheck",), ("cachegrind",), ("massif",), None):
            names = tools or ("memcheck", "cachegrind", "massif")
            started = time.monotonic()
            session = record(
                [str(program)], tools=names, serial=running.serial, sessions=folder / "s",
                valgrind="/data/local/tmp/valgrind",
            )  # fmt: skip
            wall = time.monotonic() - started
            inside = sum(entry.wall_seconds or 0 for entry in session.captures)
            print(
                f"{'+'.join(names):30} {wall:5.2f} s, of which Valgrind {inside:5.2f} s: "
                f"{(wall - inside) / len(names):.2f} s a tool around it", flush=True,
            )  # fmt: skip
    finally:
        running.close()


def pull(folder: Path) -> None:
    running = phone()
    size = 100 * MEGABYTE
    try:
        device = open_device(running.serial)
        there = device.output_dir("bench", "pull", folder / "out")
        job = Job("pull", ("head", "-c", str(size), "/dev/urandom"), there)
        started_job = device.start(job)
        while started_job.wait(1) is None:
            continue
        path = f"{there}/stdout"
        for turn in (1, 2, 3):
            started = time.monotonic()
            running.adb("-s", running.serial, "pull", path, str(folder / "adb"))
            adb = size / (time.monotonic() - started)
            started = time.monotonic()
            device.pull(path, folder / "own")
            own = size / (time.monotonic() - started)
            print(
                f"pull {turn}: droidgrind {own / 1e6:.0f} MB/s, adb pull {adb / 1e6:.0f} MB/s: "
                f"{own / adb:.0%}", flush=True,
            )  # fmt: skip
        started_job.discard()
    finally:
        running.close()


def main() -> None:
    parts = {"samplers": samplers, "overhead": overhead, "pull": pull}
    chosen = sys.argv[1:] or list(parts)
    with tempfile.TemporaryDirectory(prefix="droidgrind-bench-") as name:
        os.environ["DROIDGRIND_STATE"] = f"{name}/state"
        for part in chosen:
            print(f"== {part}")
            parts[part](Path(name))


if __name__ == "__main__":
    main()
