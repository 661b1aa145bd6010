"""Pictures of what leads to a recording, and of one under way with what a real one found."""

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from collectors.devices.local import LocalDevice
from profiler.devices import DeviceLine
from profiler.doctor.check import ok, problem, warning
from profiler.doctor.examine import Examination
from profiler.recording.form import Typed
from profiler.recording.heap_watch import HeapMoment
from profiler.session_list import judged, list_sessions
from profiler.store import Session
from profiler.watching.processes import ProcessLine
from tests.tui.screens.test_stored_pictures import SIZES
from tui.app import RECORDING, Dashboard
from tui.recording_feed import RecordingFeed
from tui.recording_form import request_of
from tui.screens.doctor import DoctorScreen
from tui.screens.new_recording import NewRecordingScreen
from tui.screens.processes import ProcessesScreen
from tui.screens.recording import RecordingScreen

LOCAL = DeviceLine("local", "device", "a machine", "x86_64", None, "3.19.0")
PHONE = DeviceLine("emulator-5554", "unauthorized", remedy="allow USB debugging on its screen")
PROCESSES = [
    ProcessLine(4711, "surfaceflinger", 0.313, 42),
    ProcessLine(812, "org.example.相机", 0.081, 61),
    ProcessLine(1, "init", 0.0, 1),
]
BAD = Typed(
    command="sleep 5",
    tools="schedstat,memcheck,massif",
    serial="emulator-5554",
    timeout="soon",
    env="OMP_NUM_THREADS=4 LD_LIBRARY_PATH",
    symbols="/no/such/folder",
)


def follow(demo: Session) -> Callable[[RecordingFeed], None]:
    """A recording's thread that tells what the demo's tools have left on disk."""

    def run(self: RecordingFeed) -> None:
        steps = self.plan.steps()
        self.began(demo.directory, steps)
        native, memcheck = steps[0], steps[1]
        self.step_started(native)
        self.output(native, "stdout", b"layer 1\nlayer 2 \x1b[31mred\x07\n")
        self.tick(native, 1.0)
        if self.plan.tools[-1] == "vmstat":  # still in the native run
            self._tell()
            return
        self.captured(native, next(e for e in demo.captures if e.tool == "schedstat"))
        self.state_of(native).outcome, self.state_of(native).severity = "complete", "ok"
        self.step_started(memcheck)
        self.tick(memcheck, 12.0)
        for second in range(12):
            self._see_heap(memcheck, HeapMoment(second + 1.0, 90_000 * (second % 7), "heap"))
        self._tell()

    return run


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    "view", ["home", "form", "form-wrong", "native", "inside", "pick", "doctor"]
)
def test_looks_as_it_did(
    view: str,
    size: tuple[int, int],
    demo: Session,
    tmp_path: Path,
    snap_compare: Callable[..., bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "droidgrind.toml").write_text('[targets.bench]\nprogram = ["sleep", "1"]\n')
    for module in ("new_recording", "home"):
        monkeypatch.setattr(f"tui.screens.{module}.list_all", lambda: [PHONE, LOCAL])
    stored = [judged(line) for line in list_sessions(demo.directory.parent)]
    monkeypatch.setattr("tui.screens.home.list_sessions", lambda _root: stored)
    monkeypatch.setattr("tui.screens.processes.list_processes", lambda _device: PROCESSES)
    monkeypatch.setattr(
        "tui.screens.doctor.examine",
        lambda serial: Examination(
            serial,
            (
                ok("adb", "a server at 127.0.0.1:5037 lists 1 device"),
                problem("valgrind", "there is none for arm64-linux", "droidgrind install"),
                warning("storage", "61 % full", "remove what is not needed from /data"),
            ),
        ),
    )
    monkeypatch.setattr(RecordingFeed, "run", follow(demo))

    async def settle(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, Dashboard)
        if view == "home":
            pass
        elif view.startswith("form"):
            typed = BAD if view == "form-wrong" else Typed("bench", "memcheck,massif")
            await app.push_screen(NewRecordingScreen(typed))
        elif view == "pick":
            await app.push_screen(ProcessesScreen(LocalDevice()))
        elif view == "doctor":
            await app.push_screen(DoctorScreen("emulator-5554"))
        else:
            screen = app.screen
            assert isinstance(screen, RecordingScreen)
            tools = "schedstat,memcheck,vmstat" if view == "native" else "schedstat,memcheck"
            screen.start(request_of(Typed("sleep 60", tools)), demo.directory.parent)
        for _ in range(3):
            await pilot.pause(0.1)
            await app.workers.wait_for_complete()
        for line in app.screen.query(Input):
            line.cursor_blink = False  # by the clock
        await pilot.pause()

    mode = "home" if view.startswith(("home", "form", "pick", "doctor")) else RECORDING
    app = Dashboard.starting_in(mode)(Path("/sessions"))
    assert snap_compare(app, terminal_size=size, run_before=settle)
