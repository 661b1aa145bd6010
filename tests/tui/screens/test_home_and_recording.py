"""Sessions opened, deleted and compared; a recording begun, followed and stopped."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from profiler.manifest import State
from profiler.recording.captured import this_process
from profiler.recording.form import Typed, expected_seconds, last_typed, remember
from profiler.session_list import list_sessions
from profiler.session_writer import SessionWriter
from profiler.store import Session, open_session
from tui.app import Dashboard
from tui.messages import OpenSession
from tui.screens.comparison import ComparisonScreen
from tui.screens.confirm import ConfirmScreen
from tui.screens.doctor import DoctorScreen
from tui.screens.recording import RecordingScreen
from tui.widgets.frame_lines import HeaderLine, KeyLine, Notice
from tui.widgets.line_table import LineTable


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def root(tmp_path: Path, demo: Session) -> Path:
    for name in ("one", "two"):
        shutil.copytree(demo.directory, tmp_path / "sessions" / name)
    return tmp_path / "sessions"


async def test_a_session_is_deleted_only_when_asked_for_twice(root: Path) -> None:
    app = Dashboard(root)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        await pilot.press("d", "n")
        await pilot.pause()
        assert len(list(root.iterdir())) == 2
        await pilot.press("d", "y")
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert len(list(root.iterdir())) == 1


async def test_no_session_is_deleted_or_marked_from_the_devices(root: Path) -> None:
    app = Dashboard(root)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        keys = app.screen.query_one(KeyLine)
        assert "d Delete" in keys.render_line(0).text
        await pilot.press("shift+tab")
        assert app.screen.query_one("#devices").has_focus
        await pilot.pause()
        assert "Delete" not in keys.render_line(0).text
        assert "Compare" not in keys.render_line(0).text
        await pilot.press("d", "c")
        await pilot.pause()
        assert not isinstance(app.screen, ConfirmScreen)
        rows = app.screen.query_one("#sessions", LineTable).rows
        assert [rows[i][0] for i in range(len(rows))] == ["", ""]


@pytest.mark.parametrize("cells", [80, 110, 120, 160, 200])
async def test_the_sessions_fit_their_box(root: Path, cells: int) -> None:
    app = Dashboard(root)
    async with app.run_test(size=(cells, 36)) as pilot:
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        for name in ("#sessions", "#devices"):
            table = app.screen.query_one(name, LineTable)
            assert table.virtual_size.width <= table.size.width


async def test_what_nobody_has_judged_is_judged_while_it_is_listed(root: Path) -> None:
    app = Dashboard(root)
    async with app.run_test(size=(120, 36)) as pilot:
        sessions = app.screen.query_one("#sessions", LineTable)
        found: list[object] = []
        for _ in range(100):
            await pilot.pause(0.1)
            found = [sessions.rows[i][3] for i in range(len(sessions.rows))]
            if found == ["✖3 ▲2 ●2"] * 2:
                return
        raise AssertionError(found)


@pytest.mark.parametrize("cells", [80, 160])
async def test_sessions_are_found_by_all_that_is_known_of_them(root: Path, cells: int) -> None:
    app = Dashboard(root)
    async with app.run_test(size=(cells, 36)) as pilot:
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        sessions = app.screen.query_one("#sessions", LineTable)
        identifier = open_session(root / "one").id
        for text, found in ((identifier, 2), ("massif", 2), ("nothing like it", 0)):
            sessions.set_filter(text)
            assert len(sessions.shown) == found, text
        assert "no session matches the filter" in sessions.render_line(1).text


async def test_two_sessions_are_compared(root: Path) -> None:
    app = Dashboard(root)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        await pilot.press("c", "down", "c")
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert isinstance(app.screen, ComparisonScreen)
        assert len(app.screen.query_one(LineTable).rows) > 3
        await pilot.press("h")
        await app.workers.wait_for_complete()
        assert list(root.glob("*/compared-with-*.html"))


async def test_enter_opens_a_session(root: Path) -> None:
    app = Dashboard(root)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert app.current_mode == "overview"
        assert app.session is not None


async def test_a_recording_is_followed_stopped_and_opened(tmp_path: Path) -> None:
    app = Dashboard(tmp_path / "sessions")
    command = r"sh -c 'printf \"hello\\033[31m\\n\"; sleep 30'"
    remember(Typed(command, "schedstat", "local", ""))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("r")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause(0.5)
        screen = app.screen
        assert isinstance(screen, RecordingScreen)
        for _ in range(100):
            await pilot.pause(0.1)
            if screen.feed is not None and any("hello" in line for line in screen.feed.lines):
                break
        await pilot.pause(0.3)
        output = screen.query_one("#output", LineTable)
        text = "\n".join(output.render_line(y).text for y in range(output.size.height))
        assert "hello" in text
        assert "\x1b" not in text
        await pilot.press("0", "q")  # it would end the recording: it asks
        await pilot.pause()
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press("n", "r")  # the way back to what is under way
        await pilot.pause()
        assert screen.is_current
        await pilot.press("x")
        for _ in range(150):
            await pilot.pause(0.1)
            if screen.feed is not None and screen.feed.ended.is_set():
                break
        await pilot.pause(0.3)
        assert screen.feed is not None
        assert screen.feed.failure is None
        (line,) = list_sessions(tmp_path / "sessions")
        assert line.findings is not None  # a list knows them before anybody opens it
        await pilot.press("o")
        await pilot.pause()
        assert app.session is not None
        assert open_session(app.session.directory).state == "partial"
    assert last_typed().tools == "schedstat"


def test_expected_times_come_from_the_same_command(root: Path) -> None:
    argv = open_session(root / "one").manifest.target.argv
    found = expected_seconds(root, argv)
    assert set(found) >= {"native", "memcheck", "cachegrind", "massif"}
    assert expected_seconds(root, ("other",)) == {}


async def test_the_verdict_names_each_problem_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real doctor, on this machine without a Valgrind."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "true", "vmstat", "uname", "cat"):
        found = shutil.which(name)
        if found is not None:
            (folder / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(folder))
    app = Dashboard(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.press("v")
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, DoctorScreen)
        verdict = screen.query_one("#verdict", Notice)
        assert verdict.severity == "error"
        assert "recordings will fail" in verdict.text
        assert "apt install valgrind" in screen.query_one("#remedy", Notice).text
        before = screen.query_one("#remedy", Notice).text
        await pilot.press("home")
        await pilot.pause()
        assert screen.query_one("#remedy", Notice).text != before
        await pilot.press("r")
        await app.workers.wait_for_complete()
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is not screen


async def test_a_session_that_is_being_written_is_shown_as_that(root: Path) -> None:
    session = open_session(root / "one")
    growing = replace(session.manifest, state=State.RECORDING, recorder=this_process())
    SessionWriter(session.directory, session.manifest).save(growing)
    xml = next((root / "one/raw/memcheck").glob("*.xml"))
    xml.write_bytes(xml.read_bytes()[:3000])  # its end is not written yet
    (root / "two" / "raw" / "memcheck").rename(root / "two" / "raw" / "gone")
    app = Dashboard(root)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await app.workers.wait_for_complete()
        for name in ("one", "two"):
            app.post_message(OpenSession(root / name))
            await pilot.pause()
            for key in "123456":  # whatever is missing is said, and no screen ends the program
                await pilot.press(key)
                await pilot.pause(0.05)
                await app.workers.wait_for_complete()
            assert app.session is not None
            assert app.session.directory == root / name
            state = "recording" if name == "one" else "complete"
            assert state in app.screen.query_one(HeaderLine).render_line(0).text
        assert app.is_running


async def test_rows_and_headings_answer_to_the_mouse(root: Path) -> None:
    app = Dashboard(root)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        table = app.screen.query_one("#sessions", LineTable)
        await pilot.click("#sessions", offset=(8, 2))
        await pilot.pause()
        assert table.cursor == 1
        await pilot.click("#sessions", offset=(8, 0))
        await pilot.pause()
        assert table.sort_column == 1
        await pilot.click("#sessions", offset=(8, 1))
        await pilot.click("#sessions", offset=(8, 1))
        await pilot.pause()
        assert app.session is not None


async def test_without_colours_nothing_is_lost(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Dashboard(root)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        picture = app.export_screenshot()
        colours = {
            (int(c[0:2], 16), int(c[2:4], 16), int(c[4:6], 16))
            for c in re.findall(r"fill: #([0-9a-f]{6})", picture)
        }
        assert colours
        assert all(max(colour) - min(colour) <= 8 for colour in colours)  # greys
        assert "complete" in picture
        assert "✔" in picture
