import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.devices.device import CacheGeometry, Caches, Cpu, DeviceFacts
from collectors.errors import InputError
from profiler.manifest import (
    SCHEMA,
    CapturedFile,
    CaptureEntry,
    Manifest,
    NativeRun,
    Recorder,
    State,
    TargetEntry,
    ToolchainEntry,
    manifest_from_json,
    manifest_to_json,
)
from profiler.recording.captured import this_process
from profiler.recording.recorder import boot_id
from profiler.session_list import list_sessions
from profiler.session_writer import SessionWriter, new_session_directory, session_id
from profiler.store import find_session, open_session, session_directories, sessions_root

FACTS = DeviceFacts(
    serial="emulator-5554",
    model="Pixel 7",
    abi="arm64-v8a",
    abis=("arm64-v8a", "armeabi-v7a"),
    android="14",
    sdk=34,
    kernel="Linux 5.10",
    page_bytes=4096,
    memory_bytes=8 << 30,
    cpus=(Cpu(0, max_khz=1_800_000, capacity=250), Cpu(7, online=False)),
    caches=Caches(None, CacheGeometry(65536, 4, 64), None, "/sys"),
)
MANIFEST = Manifest(
    id="20261122-101500-bench",
    state=State.COMPLETE,
    created="2026-11-22T10:15:00+08:00",
    droidgrind="0.1.0",
    target=TargetEntry(("./bench", "--näme"), "/tmp", {"A": "1"}),
    device=FACTS,
    plan=("memcheck",),
    captures=(
        CaptureEntry(
            "memcheck",
            State.COMPLETE,
            argv=("valgrind", "./bench"),
            version="3.19.0",
            exit_status=0,
            wall_seconds=1.5,
            files=(CapturedFile("memcheck.1.xml", 10, "00" * 32),),
        ),
    ),
    native=NativeRun(0, 0.1, 0.2, 4096),
    toolchain=ToolchainEntry("3.19.0", "/usr/bin/valgrind"),
    labels={"build": "1234", "branch": "mäin"},
)


def write(root: Path, manifest: Manifest = MANIFEST) -> Path:
    directory = root / manifest.id
    SessionWriter.create(directory, manifest)
    return directory


def test_manifest_survives_the_way_to_json_and_back() -> None:
    document = json.loads(json.dumps(manifest_to_json(MANIFEST)))
    assert manifest_from_json(document, "session.json") == MANIFEST


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": SCHEMA + 1}, r"a newer droidgrind \(schema 2, .* update droidgrind$"),
        ({"schema": 0}, r"an older droidgrind \(schema 0, "),
        ({"schema": "1"}, "schema is not a whole number"),
        ({"state": "done"}, "there is no state 'done'"),
        ({"target": []}, "target is not a JSON object"),
        ({"plan": [1]}, "plan is not a list of strings"),
        ({"captures": [{}]}, r"captures\[0\]\.tool is not a string"),
        ({"captures": {}}, "captures is not a list"),
        ({"native": {"wall_seconds": "1"}}, r"native\.wall_seconds is not a number"),
    ],
)
def test_wrong_manifest_is_refused_with_file_and_field(
    change: dict[str, object], message: str
) -> None:
    document = {**json.loads(json.dumps(manifest_to_json(MANIFEST))), **change}
    with pytest.raises(InputError, match=rf"^session\.json: .*{message}"):
        manifest_from_json(document, "session.json")


def test_session_is_opened_as_it_was_written(tmp_path: Path) -> None:
    session = open_session(write(tmp_path))
    assert session.manifest == MANIFEST
    assert (session.id, session.state, session.tools) == (
        "20261122-101500-bench",
        State.COMPLETE,
        ("memcheck",),
    )


def test_session_being_recorded_is_partial_once_its_recorder_is_gone(tmp_path: Path) -> None:
    running = replace(
        MANIFEST,
        state=State.RECORDING,
        captures=(CaptureEntry("memcheck", State.RECORDING),),
    )
    alive = open_session(write(tmp_path / "alive", replace(running, recorder=this_process())))
    assert alive.state is State.RECORDING
    dead = Recorder(pid=os.getpid(), started_ticks=1, boot_id=boot_id())
    gone = open_session(write(tmp_path / "gone", replace(running, recorder=dead)))
    assert gone.state is State.PARTIAL
    assert [(c.state, c.note) for c in gone.captures] == [
        (State.PARTIAL, "the recording was cut off")
    ]


def test_a_run_that_several_samplers_watched_is_counted_once(tmp_path: Path) -> None:
    timed = [("vmstat", 1.5), ("schedstat", 1.6), ("memcheck", 10.0), ("massif", None)]
    manifest = replace(
        MANIFEST,
        captures=tuple(CaptureEntry(t, State.COMPLETE, wall_seconds=s) for t, s in timed),
        repeats=(NativeRun(wall_seconds=1.4),),
    )
    assert manifest.wall_seconds == 1.6 + 10 + 1.4
    write(tmp_path, manifest)
    (line,) = list_sessions(tmp_path)
    assert line.wall_seconds == manifest.wall_seconds
    assert replace(manifest, captures=(), repeats=()).wall_seconds is None


def test_directory_without_manifest_is_no_session(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is not a session: it has no session\.json \("):
        open_session(tmp_path)
    with pytest.raises(InputError, match=r"^there is no session at .*`droidgrind sessions`"):
        open_session(tmp_path / "none")


def test_manifest_that_is_not_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "session.json").write_bytes(b'{"schema": 1,')
    with pytest.raises(InputError, match=r"session\.json: not JSON: "):
        open_session(tmp_path)


def test_existing_directory_is_never_written_over(tmp_path: Path) -> None:
    directory = write(tmp_path)
    with pytest.raises(InputError, match=r"20261122-101500-bench is there already: "):
        SessionWriter.create(directory, MANIFEST)
    assert open_session(directory).manifest == MANIFEST
    assert [entry.name for entry in tmp_path.iterdir()] == [MANIFEST.id]


def test_latest_session_is_the_one_created_last(tmp_path: Path) -> None:
    # 10:15 in +08:00 is earlier than 09:00 in UTC
    write(tmp_path)
    later = write(
        tmp_path, replace(MANIFEST, id="20261122-090000-a", created="2026-11-22T09:00:00+00:00")
    )
    (tmp_path / "not-a-session").mkdir()
    assert session_directories(tmp_path)[-1] == later
    assert find_session("latest", tmp_path).directory == later
    assert find_session(MANIFEST.id, tmp_path).id == MANIFEST.id
    assert find_session(str(later), tmp_path / "elsewhere").id == later.name


def test_unknown_session_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no session 'x', neither as a directory nor"):
        find_session("x", tmp_path)
    with pytest.raises(InputError, match=r"^no session in .* yet: make one with"):
        find_session("latest", tmp_path)


def test_sessions_live_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DROIDGRIND_SESSIONS", raising=False)
    assert sessions_root() == Path("droidgrind-sessions")
    monkeypatch.setenv("DROIDGRIND_SESSIONS", "/data/sessions")
    assert sessions_root() == Path("/data/sessions")
    assert sessions_root(Path("here")) == Path("here")


def test_session_id_is_a_safe_file_name(tmp_path: Path) -> None:
    created = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
    assert session_id(created, "/opt/my bench;rm -rf") == "20261122-101500-my-bench-rm--rf"
    assert session_id(created, "..") == "20261122-101500-session"
    first = new_session_directory(tmp_path, created, ["a"])
    first.mkdir()
    assert new_session_directory(tmp_path, created, ["a"]).name == f"{first.name}-2"


def test_events_leave_out_a_line_cut_by_a_crash(tmp_path: Path) -> None:
    writer = SessionWriter.create(tmp_path / "s", MANIFEST)
    writer.event("step started", step="native")
    with (tmp_path / "s" / "events.jsonl").open("ab") as log:
        log.write(b'{"event": "st')
    assert [event["event"] for event in open_session(tmp_path / "s").events()] == [
        "step started"
    ]


def test_manifest_is_whole_whenever_its_writer_is_killed(tmp_path: Path) -> None:
    """A reader sees the old or the new manifest, however often a writer dies in between."""
    script = (
        "import sys; from pathlib import Path; from dataclasses import replace\n"
        "from profiler.session_writer import SessionWriter\n"
        "from profiler.store import open_session\n"
        "session = open_session(Path(sys.argv[1]))\n"
        "writer = SessionWriter(session.directory, session.manifest)\n"
        "number = 0\n"
        "while True:\n"
        "    number += 1\n"
        "    writer.save(replace(session.manifest, plan=('x' * 100_000, str(number))))\n"
    )
    directory = write(tmp_path)
    for delay in (0.15, 0.2, 0.25, 0.3):
        command = [sys.executable, "-c", script, str(directory)]
        with subprocess.Popen(command) as child:
            time.sleep(delay)
            child.kill()
        assert open_session(directory).id == MANIFEST.id
