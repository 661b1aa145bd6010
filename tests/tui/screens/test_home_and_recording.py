"""Sessions opened, deleted and compared; a recording begun, followed and stopped."""

import shutil
from pathlib import Path

import pytest

from profiler.recording_form import Typed, expected_seconds, last_typed, remember
from profiler.store import Session, open_session
from tui.app import Dashboard
from tui.screens.comparison import ComparisonScreen
from tui.screens.confirm import ConfirmScreen
from tui.screens.recording import RecordingScreen
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
