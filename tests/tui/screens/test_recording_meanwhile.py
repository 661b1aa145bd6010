"""Other screens while something is recorded: the mark, the way back, a session half written."""

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from profiler.findings import session_findings
from profiler.manifest import State
from profiler.recording.captured import this_process
from profiler.recording.form import Typed
from profiler.session import Recorded
from profiler.session_writer import SessionWriter
from profiler.store import Session, open_session
from tui.app import HOME, RECORDING, Dashboard
from tui.messages import OpenSession
from tui.recording_feed import RecordingFeed
from tui.screens.new_recording import NewRecordingScreen
from tui.screens.recording import RecordingScreen
from tui.widgets.frame_lines import HeaderLine, KeyLine, Notice
from tui.widgets.line_table import LineTable

Settle = Callable[[Pilot[int]], Awaitable[None]]


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def growing(tmp_path: Path, demo: Session) -> Session:
    """A session in whose recording Memcheck runs: nothing of it is on disk yet."""
    directory = tmp_path / "sessions" / "growing"
    shutil.copytree(demo.directory, directory)
    session = open_session(directory)
    shutil.rmtree(directory / "raw/memcheck")
    (directory / "raw/memcheck").mkdir()
    captures = tuple(
        replace(entry, state=State.RECORDING, files=()) if entry.tool == "memcheck" else entry
        for entry in session.captures
        if entry.tool in {"vmstat", "schedstat", "memcheck"}
    )
    manifest = replace(
        session.manifest,
        state=State.RECORDING,
        recorder=this_process(),
        captures=captures,
        plan=("vmstat", "schedstat", "memcheck", "massif"),
    )
    SessionWriter(directory, session.manifest).save(manifest)
    return open_session(directory)


def end(session: Session, demo: Session) -> Session:
    """Its recording ends, all written."""
    shutil.rmtree(session.directory)
    shutil.copytree(demo.directory, session.directory)
    return open_session(session.directory)


async def begin(
    app: Dashboard,
    pilot: Pilot[int],
    session: Session,
    settle: Settle,
    monkeypatch: pytest.MonkeyPatch,
) -> RecordingFeed:
    """The dashboard records what `session` holds; the thread tells of its second step."""

    def run(self: RecordingFeed) -> None:
        steps = self.plan.steps()
        self.began(session.directory, steps)
        self.step_started(steps[0])
        self.step_started(steps[1])

    monkeypatch.setattr(RecordingFeed, "run", run)
    app._begin_recording(Typed("sleep 60", "schedstat,memcheck,massif"))
    await settle(pilot)
    assert isinstance(app.screen, RecordingScreen)
    assert app.screen.feed is not None
    return app.screen.feed


def heading(app: Dashboard) -> str:
    return app.screen.query_one(HeaderLine).render_line(0).text


def keys(app: Dashboard) -> str:
    return app.screen.query_one(KeyLine).render_line(0).text


@pytest.mark.parametrize("cells", [80, 160])
async def test_every_screen_says_that_a_recording_runs_and_leads_back(
    cells: int, growing: Session, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Dashboard(growing.directory.parent)
    async with app.run_test(size=(cells, 24)) as pilot:
        feed = await begin(app, pilot, growing, settle, monkeypatch)
        assert heading(app).count("recording") == 1
        assert "New recording" not in keys(app)
        for key in "0123456":
            await pilot.press(key)
            await settle(pilot)
            assert app.current_mode != RECORDING
            assert "● recording 2/3" in heading(app), key
            assert "r Back to the recording" in keys(app), key
            await pilot.press("r")
            await settle(pilot)
            assert app.current_mode == RECORDING, key
        await pilot.press("3")
        await settle(pilot)
        assert "r leads back" in app.screen.query_one("#notice", Notice).text
        feed.step_started(feed.plan.steps()[2])
        await settle(pilot)
        assert "● recording 3/3" in heading(app)  # it is brought up to date, too
        feed.failure = "it broke"
        feed.ended.set()
        feed._tell()
        await settle(pilot)
        assert "recording" not in heading(app)
        assert "Back" not in keys(app)
        assert "r leads back" not in app.screen.query_one("#notice", Notice).text


async def test_enter_on_the_row_of_a_recording_leads_to_it(
    growing: Session, demo: Session, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Dashboard(growing.directory.parent)
    async with app.run_test(size=(120, 30)) as pilot:
        feed = await begin(app, pilot, growing, settle, monkeypatch)
        await pilot.press("0")
        await settle(pilot)
        table = app.screen.query_one("#sessions", LineTable)
        assert table.rows[0][2] == "● recording"
        await pilot.press("enter")
        await settle(pilot)
        assert app.current_mode == RECORDING
        await pilot.press("0")
        await settle(pilot)
        feed.recorded = Recorded(end(growing, demo), False, ())
        feed.ended.set()
        feed._tell()
        await settle(pilot)
        assert table.rows[0][2] == "✔ complete"  # without a key
        assert "complete" in heading(app)
        await pilot.press("enter")
        await settle(pilot)
        assert app.current_mode == "overview"
        await pilot.press("0", "r")
        await settle(pilot)
        assert isinstance(app.screen, NewRecordingScreen)


async def test_a_session_that_is_read_stays_when_a_recording_ends(
    growing: Session, demo: Session, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Dashboard(growing.directory.parent)
    async with app.run_test(size=(120, 30)) as pilot:
        feed = await begin(app, pilot, growing, settle, monkeypatch)
        app.use_session(demo)
        app.action_tab("heap")
        await settle(pilot)
        feed.recorded = Recorded(end(growing, demo), False, ())
        feed.ended.set()
        feed._tell()
        await settle(pilot)
        assert app.session is demo


def test_a_file_that_is_still_written_is_not_called_damaged(
    growing: Session, demo: Session
) -> None:
    xml = next(demo.folder("memcheck").glob("*.xml"))
    (growing.folder("memcheck") / xml.name).write_bytes(xml.read_bytes()[:3000])
    assert growing.reading("memcheck").all_damage()
    assert "trust-truncated" not in {one.rule for one in session_findings(growing)}
    SessionWriter(growing.directory, growing.manifest).save(
        replace(growing.manifest, recorder=None)  # who recorded it is gone
    )
    cut_off = open_session(growing.directory)
    assert "trust-truncated" in {one.rule for one in session_findings(cut_off)}


async def test_what_has_not_ended_is_judged_as_that_and_followed(
    growing: Session, demo: Session, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if another droidgrind recorded it."""
    monkeypatch.setattr("tui.app.LOOK_SECONDS", 0.2)
    monkeypatch.setattr("tui.screens.home._DEVICES_SECONDS", 0.2)
    app = Dashboard(growing.directory.parent)
    async with app.run_test(size=(200, 40)) as pilot:
        await settle(pilot)
        sessions = app.screen.query_one("#sessions", LineTable)
        app.post_message(OpenSession(growing.directory))
        await pilot.pause(0.3)
        await settle(pilot)
        tools = app.screen.query_one("#tools", LineTable)
        found = {row[0]: str(row[2]) for row in (tools.rows[i] for i in range(3))}
        assert found["memcheck"] == "● it still runs: results come when it ends"
        assert "so far" in app.screen.query_one("#stands-out", LineTable).empty
        await pilot.press("3")
        await settle(pilot)
        assert "still being recorded" in app.screen.query_one("#notice", Notice).text
        await pilot.press("1")
        end(growing, demo)
        for _ in range(50):
            await pilot.pause(0.1)
            if len(tools.rows) == len(demo.captures):
                break
        await settle(pilot)
        assert len(tools.rows) == len(demo.captures)
        assert "complete" in heading(app)
        shutil.rmtree(growing.directory)
        shutil.copytree(demo.directory, growing.directory)
        writer = SessionWriter(growing.directory, demo.manifest)
        writer.save(replace(demo.manifest, state=State.RECORDING, recorder=this_process()))
        await pilot.press("0")
        await settle(pilot)
        assert app.current_mode == HOME
        assert sessions.rows[0][2] == "● recording"
        writer.save(demo.manifest)
        for _ in range(50):
            await pilot.pause(0.1)
            if sessions.rows[0][2] == "✔ complete":
                break
        assert sessions.rows[0][2] == "✔ complete"
