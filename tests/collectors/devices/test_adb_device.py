"""AdbDevice against the real adb server and the stand-in phone."""

import hashlib
import io
import os
import time
from pathlib import Path

import pytest

from collectors.devices.adb import AdbDevice, list_devices, open_device
from collectors.devices.adb_server import AdbServer, DeviceEntry
from collectors.devices.device import CommandResult, ExitStatus, Job
from collectors.errors import DeviceError, DeviceUnavailable
from tests.phone.stand_in import StandIn

pytestmark = pytest.mark.phone
TOOLS = Path("/usr/libexec/valgrind")
COUNT = (
    'i=0; while [ $i -lt 40 ]; do echo "line $i"; echo $i >>more; '
    "i=$((i+1)); sleep 0.1; done; exit 3"
)


def run_to_end(device: AdbDevice, job: Job, folder: Path, seconds: float = 60) -> ExitStatus:
    """What a recording does: poll and fetch, and wait for a device that is away."""
    running = device.start(job)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            status = running.wait(0.2)
            running.fetch(folder)
        except DeviceUnavailable:
            time.sleep(0.1)
            continue
        if status is not None:
            return status
    raise AssertionError("the job did not end in time")


def test_status_streams_and_input_are_true(adb_device: AdbDevice) -> None:
    done = adb_device.run(["sh", "-c", "cat; echo oops >&2; exit 9"], stdin=b"in\0put")
    assert (done.status, done.stdout, done.stderr) == (9, b"in\0put", b"oops\n")
    assert adb_device.run(["sh", "-c", "kill -9 $$"]).status == 137


def test_arguments_arrive_as_they_are(adb_device: AdbDevice) -> None:
    odd = ["a b", "$HOME", "'", '"', "*", ""]
    done = adb_device.run(["printf", "%s\\n", *odd], env={"X": "1 2"}, cwd="/data")
    assert done.stdout.decode().split("\n")[:-1] == odd


def test_large_input_and_output_do_not_block(adb_device: AdbDevice) -> None:
    data = os.urandom(3_000_000)
    assert adb_device.run(["cat"], stdin=data).stdout == data


def test_a_silent_command_is_waited_for(adb_device: AdbDevice) -> None:
    assert adb_device.run(["sh", "-c", "sleep 4; echo late"]).text == "late"


def test_facts(adb_device: AdbDevice) -> None:
    facts = adb_device.facts()
    assert (facts.abi, facts.android, facts.sdk, facts.model) == (
        "x86_64",
        "13",
        33,
        "Stand-in",
    )
    assert facts.page_bytes == os.sysconf("SC_PAGE_SIZE")
    assert len(facts.cpus) == os.cpu_count()


def test_placed_once(adb_device: AdbDevice, tmp_path: Path) -> None:
    file = tmp_path / "my program"
    file.write_bytes(os.urandom(200_000))
    path = adb_device.place(file, executable=True)
    first = adb_device.run(["stat", "-c", "%a %i", path]).text
    assert first.startswith("755 ")
    assert adb_device.place(file, executable=True) == path
    assert adb_device.run(["stat", "-c", "%a %i", path]).text == first
    assert adb_device.read_bytes(path) == file.read_bytes()


def test_a_job_is_found_again_and_leaves_nothing(adb_device: AdbDevice, tmp_path: Path) -> None:
    out = adb_device.output_dir("session", "attach", tmp_path)
    job = Job("attach", ("sh", "-c", "sleep 0.5; echo done; exit 5"), out)
    started = adb_device.start(job)
    found = adb_device.attach(job)
    assert found.pid == started.pid
    assert found.wait(20) == ExitStatus(code=5)
    found.fetch(tmp_path)
    assert (tmp_path / "stdout").read_bytes() == b"done\n"
    assert found.usage is not None
    assert found.usage.wall_seconds >= 0.4
    found.discard()
    assert not adb_device.exists("/data/local/tmp/droidgrind/session")


def test_a_held_job_has_its_target_s_name_already(
    adb_device: AdbDevice, tmp_path: Path
) -> None:
    """Else a target that ends before it is looked at again was called `sh`."""
    target = tmp_path / "a \\name ending-early"
    target.write_text("#!/system/bin/sh\ncat /proc/$$/comm\n", encoding="ascii")
    there = adb_device.place(target, executable=True)
    out = adb_device.output_dir("session", "held", tmp_path)
    held = adb_device.start(Job("held", (there, "word"), out, held=True))
    name = adb_device.read_bytes(f"/proc/{held.pid}/comm")
    held.release()
    assert held.wait(60) == ExitStatus(code=0)
    held.fetch(tmp_path)
    assert name == (tmp_path / "stdout").read_bytes() == b"a \\name ending-\n"
    held.discard()


def test_signal_reaches_the_whole_tree(adb_device: AdbDevice, tmp_path: Path) -> None:
    out = adb_device.output_dir("session", "tree", tmp_path)
    running = adb_device.start(
        Job("tree", ("sh", "-c", "sleep 98765 & sleep 98765; true"), out)
    )
    time.sleep(0.3)
    running.signal(15)
    assert running.wait(20) == ExitStatus(signal=15)
    assert "98765" not in adb_device.run(["ps", "-A", "-o", "ARGS"]).text
    running.discard()


def test_a_program_that_is_not_there(adb_device: AdbDevice, tmp_path: Path) -> None:
    out = adb_device.output_dir("session", "absent", tmp_path)
    with pytest.raises(DeviceError, match="not an executable file"):
        adb_device.start(Job("absent", ("/data/nothing",), out))


def test_stream_ends_when_told(adb_device: AdbDevice) -> None:
    sink = io.BytesIO()
    stream = adb_device.stream(["sh", "-c", "while echo tick; do sleep 0.1; done"], sink)
    time.sleep(0.6)
    assert stream.poll() is None
    assert stream.stop() == ExitStatus(signal=15)
    assert sink.getvalue().count(b"tick\n") >= 3


@pytest.mark.parametrize("count", [3_000, 20_000, 35_000])
def test_a_cut_link_loses_nothing(
    phone: StandIn, adb_device: AdbDevice, tmp_path: Path, count: int
) -> None:
    out = adb_device.output_dir("session", f"cut{count}", tmp_path)
    phone.wire.cut_after(count, away_seconds=2)
    status = run_to_end(adb_device, Job(f"cut{count}", ("sh", "-c", COUNT), out), tmp_path)
    assert not phone.wire.will_cut
    assert status == ExitStatus(code=3)
    assert (tmp_path / "stdout").read_text().split("\n")[-2] == "line 39"
    digest = adb_device.run(["sha256sum", f"{out}/more"]).text.split()[0]
    assert hashlib.sha256((tmp_path / "more").read_bytes()).hexdigest() == digest


def test_a_dead_link_is_noticed_within_ten_seconds(
    phone: StandIn, adb_device: AdbDevice, tmp_path: Path
) -> None:
    """Nothing closes the connection, and adb goes on showing the device as usable."""
    out = adb_device.output_dir("session", "dead", tmp_path)
    running = adb_device.start(Job("dead", ("sh", "-c", "sleep 1; exit 6"), out))
    assert running.wait(0.2) is None
    phone.wire.freeze()
    frozen = time.monotonic()
    with pytest.raises(DeviceUnavailable):
        running.wait(60)
    assert time.monotonic() - frozen < 10
    assert {e.state for e in list_devices() if e.serial == phone.serial} == {"device"}
    status = None
    while status is None and time.monotonic() - frozen < 60:
        try:
            status = running.wait(0.2)
        except DeviceUnavailable:
            time.sleep(0.2)
    assert status == ExitStatus(code=6)
    running.fetch(tmp_path)
    running.discard()


def test_a_killed_server_is_started_again(
    phone: StandIn, adb_device: AdbDevice, tmp_path: Path
) -> None:
    out = adb_device.output_dir("session", "server", tmp_path)
    running = adb_device.start(Job("server", ("sh", "-c", "sleep 1; exit 2"), out))
    phone.adb("kill-server")
    deadline = time.monotonic() + 30
    status = None
    while status is None and time.monotonic() < deadline:
        try:
            status = running.wait(0.2)
        except DeviceUnavailable:
            time.sleep(0.2)
    assert status == ExitStatus(code=2)


def test_absent_and_listed(phone: StandIn, adb_device: AdbDevice) -> None:
    assert [(e.serial, e.state) for e in list_devices()] == [(phone.serial, "device")]
    with pytest.raises(DeviceUnavailable, match="not found by adb"):
        open_device("nobody")


@pytest.mark.valgrind
@pytest.mark.parametrize("tool", ["memcheck", "cachegrind", "massif"])
def test_valgrind_needs_no_glibc_on_the_device(
    adb_device: AdbDevice, musl_target: Path, tmp_path: Path, tool: str
) -> None:
    assert not adb_device.exists("/lib64")
    assert not adb_device.exists("/tmp")
    folder = "/data/local/tmp/valgrind"
    for name in (f"{tool}-amd64-linux", "default.supp"):
        placed = adb_device.place(TOOLS / name, executable=True)
        adb_device.run(["sh", "-c", f"mkdir -p {folder}; cp {placed} {folder}/{name}"])
    target = adb_device.place(musl_target, executable=True)
    out = adb_device.output_dir("session", tool, tmp_path)
    program = f"{folder}/{tool}-amd64-linux"
    env = {"VALGRIND_LIB": folder, "VALGRIND_LAUNCHER": program, "TMPDIR": "/data/local/tmp"}
    argv = (program, f"--tool={tool}", "--log-file=log", target)
    running = adb_device.start(Job(tool, argv, out, env))
    assert running.wait(60) == ExitStatus(code=4)
    running.fetch(tmp_path)
    assert b"Valgrind" in (tmp_path / "log").read_bytes()
    if tool != "memcheck":
        assert list(tmp_path.glob(f"{tool}.out.*"))


def test_a_script_is_run_as_a_whole_or_not_at_all(adb_device: AdbDevice) -> None:
    """A link that is cut ends the script's input anywhere; nothing of it may have run."""
    place = "/data/local/tmp/whole"
    sent: list[bytes] = []
    shell = adb_device.shell

    def keep(line: str, *, stdin: bytes | None = None) -> CommandResult:
        sent.append(stdin or b"")
        return shell(line, stdin=stdin)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adb_device, "shell", keep)
        adb_device.script(f"rm -f {place}\nmkdir {place}\nrmdir {place}")
    (whole,) = sent
    for end in range(1, len(whole) - 2, 3):
        adb_device.shell(f"head -c {end} | sh", stdin=whole)
        adb_device.shell(f"sh <<'EOF'\n{whole[:end].decode()}\nEOF")
        assert not adb_device.exists(place), whole[:end]


@pytest.mark.parametrize("named", [True, False])
def test_a_device_that_comes_up_again_is_waited_for(
    phone: StandIn, adb_device: AdbDevice, named: bool
) -> None:
    """adb calls a device offline until its connection stands."""
    phone.wire.cut(away_seconds=0.3)
    deadline = time.monotonic() + 20
    seen: set[str] = set()
    while time.monotonic() < deadline:
        seen |= {e.state for e in list_devices() if e.serial == phone.serial}
        if "offline" in seen:
            break
    device = open_device(adb_device.serial if named else None)
    assert device.shell("echo up").text.strip() == "up"
    assert "offline" in seen


def listings(monkeypatch: pytest.MonkeyPatch, *states: dict[str, str]) -> AdbServer:
    """A server that lists these states, one after the other, the last for good."""
    left = [[DeviceEntry(serial, state) for serial, state in one.items()] for one in states]
    server = AdbServer()
    monkeypatch.setattr(server, "entries", lambda: left.pop(0) if len(left) > 1 else left[0])
    return server


def test_of_devices_that_come_up_none_is_taken_before_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = {"a": "device", "b": "device"}
    states = ({"a": "offline", "b": "connecting"}, {"a": "device", "b": "authorizing"}, both)
    settled = listings(monkeypatch, *states).settled(None)
    assert {entry.serial: entry.state for entry in settled} == both


def test_what_does_not_come_up_or_is_not_meant_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = {"a": "device", "b": "offline"}
    later = {"a": "device", "b": "device"}
    for serial in (None, "a", "c"):
        found = listings(monkeypatch, one, later).settled(serial)
        assert {entry.serial: entry.state for entry in found} == one
    locked = {"a": "unauthorized"}
    found = listings(monkeypatch, locked, {"a": "device"}).settled(None)
    assert {entry.serial: entry.state for entry in found} == locked
