"""The journal: written before anything changes, read after any kill, undone in reverse."""

from pathlib import Path
from typing import cast

import pytest

from collectors.devices.changes import undo
from collectors.devices.device import Change, CommandResult, Device
from collectors.errors import DeviceError, DeviceUnavailable, InputError
from profiler.recording.captured import this_process
from profiler.recording.cleanup import cleanup
from profiler.recording.journal import Journal, journals, read_journal

FOLDER = Change("folder", {"path": "/data/local/tmp/droidgrind/x"})
MODE = Change("selinux", {"mode": "1"})


class Recorder:
    """A device that only remembers what is undone."""

    serial = "phone"

    def __init__(self, trouble: DeviceError | None = None) -> None:
        self.undone: list[Change] = []
        self.trouble = trouble

    def undo(self, change: Change) -> None:
        if change == MODE and self.trouble is not None:
            raise self.trouble
        self.undone.append(change)


def made(*changes: Change) -> Journal:
    journal = Journal.create("a:5555", "run-1", Path("/sessions/one"), this_process())
    for change in changes:
        journal.add(change)
    return journal


def test_nothing_is_written_where_nothing_changes() -> None:
    journal = made()
    assert not journal.file.exists()
    assert list(journals()) == []


def test_another_process_reads_it_and_undoes_the_latest_first() -> None:
    made(FOLDER, MODE)
    (journal,) = journals("a:5555")
    assert (journal.owner.serial, journal.owner.run) == ("a:5555", "run-1")
    assert journal.in_use
    device = Recorder()
    assert journal.undo_all(cast("Device", device)) == []
    assert device.undone == [MODE, FOLDER]
    assert not journal.file.exists()
    assert not journal.file.parent.exists()


@pytest.mark.parametrize("kept", range(1, 400, 7))
def test_cut_anywhere_it_holds_what_was_whole(kept: int) -> None:
    journal = made(FOLDER, MODE)
    content = journal.file.read_bytes()
    journal.file.write_bytes(content[:kept])
    whole = content[:kept].count(b"\n") - 1
    again = read_journal(journal.file)
    # a line may be whole without its end
    assert len(again.pending) - max(0, whole) in {0, 1}
    resumed = Journal.create("a:5555", "run-1", Path("/s"), this_process())
    resumed.add(MODE)
    assert MODE in read_journal(journal.file).pending.values()


def test_what_cannot_be_undone_stays_written_down() -> None:
    journal = made(FOLDER, MODE)
    device = Recorder(DeviceError("setenforce: denied"))
    (failure,) = journal.undo_all(cast("Device", device))
    assert failure == "selinux mode=1: setenforce: denied"
    assert list(read_journal(journal.file).pending.values()) == [MODE]
    with pytest.raises(DeviceUnavailable):
        journal.undo_all(cast("Device", Recorder(DeviceUnavailable("away"))))


def test_a_running_recording_and_an_absent_device_are_left_alone() -> None:
    journal = made(FOLDER)
    (cleaned,) = cleanup()
    assert cleaned.in_use
    text = journal.file.read_text().replace('"pid": ', '"pid": 9')
    journal.file.write_text(text)
    (cleaned,) = cleanup()
    assert not cleaned.in_use
    assert len(cleaned.left) == 1
    assert "adb" in cleaned.left[0]
    assert journal.file.exists()


def test_unwritable_place_is_named_before_anything_is_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DROIDGRIND_STATE", "/proc/nowhere")
    with pytest.raises(InputError, match="nothing is changed on a device before"):
        made(FOLDER)


@pytest.mark.parametrize(
    "path", ["/data/local/tmp", "/data/local/tmp/../x/y", "/system/bin/sh", "/data/data/", "/"]
)
def test_only_own_folders_are_ever_removed(path: str) -> None:
    class Refusing:
        serial = "phone"

        def shell(self, line: str, *, stdin: bytes | None = None) -> CommandResult:
            raise AssertionError(line)

        def script(self, text: str) -> CommandResult:
            raise AssertionError(text)

        def as_root(self, line: str) -> CommandResult:
            raise AssertionError(line)

        def drop_root(self) -> None: ...

    for kind in ("folder", "app-folder"):
        change = Change(kind, {"path": path, "package": "a.b"})
        with pytest.raises(DeviceError, match="not a folder that droidgrind may remove"):
            undo(Refusing(), change)
    with pytest.raises(DeviceError, match="does not know: update"):
        undo(Refusing(), Change("teleport"))
