"""Recordings on a phone that is full, and over a link that is slow."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.errors import DeviceError
from profiler import open_session, record, summarise
from profiler.manifest import State
from profiler.recording.journal import journals
from tests.phone.stand_in import StandIn
from tests.profiler.conftest import TOOLS, BuildC
from tui.cli import main

pytestmark = [pytest.mark.phone, pytest.mark.valgrind]
SMALL = 12 << 20
# It fills what room there is, as a program does that writes its results beside itself.
FILLING = r"""
#include <stdio.h>
#include <stdlib.h>
int main(void) {
  static char block[65536];
  volatile char *lost = malloc(100); lost[100] = 1; lost = 0;
  FILE *out = fopen("grow", "w");
  if (!out) return 3;
  for (int i = 0; i < 300; i++) fwrite(block, 1, sizeof block, out);
  puts("wrote"); fflush(stdout);
  return 0;
}
"""
SHORT = r"""
#include <stdio.h>
#include <stdlib.h>
static char ballast[1 << 20] = {1};
int main(void) {
  volatile char *lost = malloc(100); lost[100] = 1; lost = 0;
  printf("hello %d\n", ballast[0]);
  return 6;
}
"""


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A phone with a Valgrind and a few MB of room."""
    if not TOOLS.is_dir():
        pytest.skip("valgrind is not installed")
    phone = StandIn(storage=SMALL)
    monkeypatch.setenv("ANDROID_ADB_SERVER_HOST", "127.0.0.1")
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(phone.server_port))
    yield phone
    phone.close()


def listing(phone: StandIn) -> str:
    return phone.adb("shell", "find /data/local/tmp | sort").stdout.decode()


def test_a_full_device_is_told_of_in_the_session(
    small: StandIn, build_c: BuildC, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["install", str(TOOLS), "--tools", "memcheck"]) == 0
    before = listing(small)
    words = [str(build_c("filling", source=FILLING))]
    session = record(
        words, tools=("vmstat", "memcheck"), serial=small.serial, sessions=tmp_path
    )
    assert session.state is not State.COMPLETE
    vmstat, memcheck = session.captures
    for entry in (vmstat, memcheck):
        assert entry.state is not State.COMPLETE
        assert entry.note is not None
        assert "storage was full when it ended" in entry.note
    assert session.manifest.native is not None
    assert session.manifest.native.exit_status == 0
    assert summarise(session)["session"]["state"] == session.state.value
    assert main(["show", str(session.directory)]) == 0
    assert "storage was full when it ended" in capsys.readouterr().out
    assert listing(small) == before
    assert list(journals()) == []

    small.adb("shell", "cat /dev/zero >/data/local/tmp/filler")
    with pytest.raises(DeviceError, match="No space left on device: remove files there"):
        record(words, tools=("vmstat",), serial=small.serial, sessions=tmp_path / "full")
    (directory,) = (tmp_path / "full").glob("2*")
    session = open_session(directory)
    assert session.state is State.FAILED
    assert main(["show", str(directory)]) == 0
    said = capsys.readouterr().out
    assert "the recording ended early: " in said
    assert "No space left on device" in said
    assert main(["doctor", "--json"]) == 1
    assert '"0 MB"' in capsys.readouterr().out
    small.adb("shell", "rm /data/local/tmp/filler")
    assert listing(small) == before
    assert list(journals()) == []


def test_a_slow_link_costs_only_time(
    phone: StandIn, valgrind: str, build_c: BuildC, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """1 MB/s and 20 ms a packet: what is brought is whole, and nobody calls it a lost link."""
    monkeypatch.setenv("ANDROID_ADB_SERVER_HOST", "127.0.0.1")
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(phone.server_port))
    program = build_c("short", source=SHORT)
    phone.wire.bytes_per_second, phone.wire.delay_seconds = 1e6, 0.02
    started = time.monotonic()
    try:
        session = record(
            [str(program)], tools=("schedstat", "memcheck"), serial=phone.serial,
            sessions=tmp_path, valgrind=valgrind,
        )  # fmt: skip
    finally:
        phone.wire.bytes_per_second, phone.wire.delay_seconds = None, 0.0
    assert time.monotonic() - started > program.stat().st_size / 1e6
    assert session.state is State.COMPLETE
    assert [entry.exit_status for entry in session.captures] == [6, 6]
    assert summarise(session)["memcheck"]["leaks"]["definitely_lost"] == {
        "bytes": 100, "blocks": 1,
    }  # fmt: skip
    assert (session.folder("memcheck") / "stdout").read_bytes() == b"hello 1\n"
    events = (session.directory / "events.jsonl").read_text(encoding="utf-8")
    assert "device away" not in events
    assert list(journals()) == []
