"""A program brought to the device in place of a command, where it runs there."""

import io
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.devices.adb import AdbDevice
from collectors.devices.device import Change, Preferred, RunningStream
from collectors.errors import DeviceUnavailable
from collectors.readers.proc import SampleParser
from collectors.tools.schedstat_native import native_sampler
from collectors.tools.schedstat_shell import shell_command
from collectors.tools.tool import Subject
from tests.phone.stand_in import StandIn

pytestmark = pytest.mark.phone
TEMPORARY = "data/local/tmp"


class Changes:
    """A change log in memory."""

    def __init__(self) -> None:
        self.made: list[Change] = []

    def add(self, change: Change) -> int:
        self.made.append(change)
        return len(self.made)

    def undone(self, number: int) -> None:
        raise AssertionError(number)


def away(error: DeviceUnavailable) -> None:
    raise error


@pytest.fixture
def run_folder(phone: StandIn, adb_device: AdbDevice) -> Iterator[Path]:
    """The folder of a run that was begun, as this machine sees it."""
    changes = Changes()
    adb_device.begin("preferred", changes, away)
    folder = phone.root / adb_device.run_dir.lstrip("/")
    yield folder
    for change in reversed(changes.made):
        adb_device.undo(change)
    assert not folder.exists()


def sampled(device: AdbDevice, abi: str, seconds: float = 0.6) -> tuple[RunningStream, str]:
    """What a sampler of some ABI's, or the shell in its place, says that it is."""
    sink = io.BytesIO()
    native = native_sampler(abi, 0.1, Subject())
    assert native is not None
    stream = device.stream(shell_command(0.1, None, None), sink, name="s", preferred=native)
    time.sleep(seconds)
    assert stream.poll() is None
    left = device.run(["ls", f"/{TEMPORARY}"]).text.split()
    assert not [name for name in left if "program" in name]
    stream.stop()
    parser = SampleParser("test")
    assert len(parser.feed(sink.getvalue())) > 1
    assert parser.damage == []
    return stream, parser.facts["way"]


def test_it_runs_without_a_file_of_its_own(adb_device: AdbDevice) -> None:
    assert sampled(adb_device, "x86_64")[1] == "native"


def test_shell_samples_where_the_program_does_not_run(adb_device: AdbDevice) -> None:
    """`arm64-v8a`: to this kernel no program at all, as where /data/local/tmp is noexec."""
    assert sampled(adb_device, "arm64-v8a")[1] == "shell"


def test_in_a_run_it_lies_in_the_runs_folder(adb_device: AdbDevice, run_folder: Path) -> None:
    stream, way = sampled(adb_device, "x86_64")
    assert way == "native"
    assert (run_folder / "bin/schedstat-amd64-linux").stat().st_mode & 0o111
    assert stream.cpu_seconds is not None


def test_in_a_run_the_shell_stands_in_for_it(adb_device: AdbDevice, run_folder: Path) -> None:
    assert sampled(adb_device, "arm64-v8a")[1] == "shell"
    assert (run_folder / "bin").is_dir()


def test_in_a_run_that_has_no_room_for_it(adb_device: AdbDevice, run_folder: Path) -> None:
    (run_folder / "bin").write_bytes(b"")  # nothing can be put below it
    assert sampled(adb_device, "x86_64")[1] == "shell"


@pytest.mark.parametrize("count", [300, 5_000, 20_000])
def test_a_link_cut_while_it_is_sent_leaves_nothing(
    phone: StandIn, adb_device: AdbDevice, tmp_path: Path, count: int
) -> None:
    native = native_sampler("x86_64", 0.1, Subject())
    assert isinstance(native, Preferred)
    before = set((phone.root / TEMPORARY).glob("droidgrind-*"))  # another test's toolchain
    phone.wire.cut_after(count, away_seconds=1)
    try:
        stream = adb_device.stream(["sleep", "5"], io.BytesIO(), name="cut", preferred=native)
        time.sleep(0.5)
        with pytest.raises(DeviceUnavailable):
            stream.poll()
    except DeviceUnavailable:
        pass
    deadline = time.monotonic() + 10
    while left := set((phone.root / TEMPORARY).glob("droidgrind-*")) - before:
        assert time.monotonic() < deadline, left
        time.sleep(0.1)
    assert adb_device.run(["true"]).status == 0
