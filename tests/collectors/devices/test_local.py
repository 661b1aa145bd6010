import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from collectors.devices.caches import parse_size, read_caches
from collectors.devices.device import CacheGeometry, ExitStatus, Job
from collectors.devices.local import LocalDevice, LocalJob, read_cpus
from collectors.errors import DeviceError, DeviceUnavailable

SECONDS = 20.0


def start(folder: Path, script: str) -> LocalJob:
    return LocalDevice().start(Job("test", ("sh", "-c", script), str(folder)))


def test_facts_name_this_machine() -> None:
    facts = LocalDevice().facts()
    assert facts.serial == "local"
    assert len(facts.cpus) == os.cpu_count()
    assert facts.kernel == f"Linux {os.uname().release}"
    assert facts.page_bytes == os.sysconf("SC_PAGE_SIZE")


def test_machine_without_sys_still_has_cpus(tmp_path: Path) -> None:
    assert [cpu.number for cpu in read_cpus(tmp_path)] == list(range(os.cpu_count() or 0))


def test_command_gives_its_status_and_both_streams() -> None:
    result = LocalDevice().run(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (result.status, result.text, result.stderr) == (3, "out", b"err\n")


def test_command_killed_by_a_signal_has_the_shells_status() -> None:
    assert LocalDevice().run(["sh", "-c", "kill -9 $$"]).status == 137


def test_command_reads_standard_input() -> None:
    assert LocalDevice().run(["cat"], stdin=b"over").stdout == b"over"


def test_command_that_hangs_is_unavailable() -> None:
    with pytest.raises(DeviceUnavailable, match=r"^sleep 9: no answer within 0\.1 s$"):
        LocalDevice().run(["sleep", "9"], timeout=0.1)


def test_missing_command_is_named() -> None:
    with pytest.raises(DeviceError, match=r"^/no/such: No such file or directory$"):
        LocalDevice().run(["/no/such"])


def test_job_keeps_its_streams_apart_in_files(tmp_path: Path) -> None:
    job = start(tmp_path, "echo out; echo err >&2; exit 7")
    assert job.wait(SECONDS) == ExitStatus(code=7)
    assert (tmp_path / "stdout").read_bytes() == b"out\n"
    assert (tmp_path / "stderr").read_bytes() == b"err\n"
    usage = job.usage
    assert usage is not None
    assert usage.wall_seconds < SECONDS
    assert usage.cpu_seconds is not None


def test_signal_reaches_the_jobs_children(tmp_path: Path) -> None:
    job = start(tmp_path, "sleep 60 & sleep 60; true")
    time.sleep(0.2)
    job.signal(signal.SIGTERM)
    assert job.wait(SECONDS) == ExitStatus(signal=signal.SIGTERM)
    job.signal(signal.SIGTERM)  # after the end it is no error
    assert ExitStatus(signal=signal.SIGTERM).shell_status == 143


def test_discard_ends_what_the_target_left_running(tmp_path: Path) -> None:
    job = start(tmp_path, "sleep 61 >/dev/null 2>&1 & echo $!")
    job.wait(SECONDS)
    left = int((tmp_path / "stdout").read_text())
    job.discard()
    deadline = time.monotonic() + SECONDS
    while (line := command_line(left)) and b"sleep" in line:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def command_line(pid: int) -> bytes:
    """Of a process that runs; a zombie has none, and one that is gone neither."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def test_job_that_cannot_start_names_its_program(tmp_path: Path) -> None:
    job = Job("test", ("/no/such",), str(tmp_path))
    with pytest.raises(DeviceError, match=r"^cannot start /no/such: No such file"):
        LocalDevice().start(job)


def test_job_ends_with_its_recorder(tmp_path: Path) -> None:
    """SIGKILL to droidgrind must not leave the target behind."""
    script = (
        "import sys, time; from pathlib import Path\n"
        "from collectors.devices.local import LocalDevice\n"
        "from collectors.devices.device import Job\n"
        "job = LocalDevice().start(Job('t', ('sleep', '60'), sys.argv[1]))\n"
        "print(job.pid, flush=True); time.sleep(60)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path.cwd()) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert Path(f"/proc/{child}").exists()
        parent.kill()
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return
        if state == "Z":
            return
        time.sleep(0.02)
    pytest.fail("the target outlived its recorder")


def test_stream_copies_standard_output(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as sink:
        stream = LocalDevice().stream(["sh", "-c", "echo one; exec sleep 60"], sink)
        deadline = time.monotonic() + SECONDS
        while not (tmp_path / "out").read_bytes() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert stream.poll() is None
        assert stream.stop() == ExitStatus(signal=signal.SIGTERM)
    assert (tmp_path / "out").read_bytes() == b"one\n"


def test_read_bytes_says_why_not() -> None:
    with pytest.raises(DeviceError, match=r"^/no/such: No such file or directory$"):
        LocalDevice().read_bytes("/no/such")


def test_place_refuses_what_cannot_run(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    assert LocalDevice().place(plain) == str(plain)
    with pytest.raises(DeviceError, match=r"is not executable: chmod \+x it$"):
        LocalDevice().place(plain, executable=True)


SYS = {
    "index0/level": "1\n",
    "index0/type": "Data\n",
    "index0/size": "48K\n",
    "index0/ways_of_associativity": "12\n",
    "index0/coherency_line_size": "64\n",
    "index1/level": "1\n",
    "index1/type": "Instruction\n",
    "index1/size": "32K\n",
    "index1/ways_of_associativity": "8\n",
    "index1/coherency_line_size": "64\n",
    "index2/level": "2\n",
    "index2/type": "Unified\n",
    "index2/size": "1M\n",
    "index2/ways_of_associativity": "0\n",
    "index2/coherency_line_size": "64\n",
}


def read_sys(path: str) -> str:
    name = path.removeprefix("/sys/devices/system/cpu/cpu0/cache/")
    if name not in SYS:
        raise FileNotFoundError(path)
    return SYS[name]


def test_caches_are_read_from_sys() -> None:
    caches = read_caches(read_sys)
    assert caches is not None
    assert caches.data == CacheGeometry(48 * 1024, 12, 64)
    assert str(caches.instruction) == "32768,8,64"
    # 0 ways means fully associative: one set of all lines
    assert caches.last_level == CacheGeometry(1024**2, 16384, 64)


def test_machine_without_cache_files_has_no_caches() -> None:
    def nothing(path: str) -> str:
        raise FileNotFoundError(path)

    assert read_caches(nothing) is None


@pytest.mark.parametrize("text", ["", "K", "12X", "-4K", "1.5M"])
def test_cache_size_must_be_a_size(text: str) -> None:
    with pytest.raises(ValueError, match="not a cache size"):
        parse_size(text)
