"""What the recording screen says of a step's time and of the errors that were seen so far."""

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from profiler.manifest import State
from profiler.recording.form import Typed, expected_seconds
from profiler.recording.progress import Step
from profiler.session_writer import SessionWriter
from profiler.store import Session, open_session
from tui.app import RECORDING, Dashboard
from tui.recording_feed import RecordingFeed
from tui.recording_form import request_of
from tui.screens.errors import ErrorsScreen
from tui.screens.recording import RecordingScreen
from tui.widgets.frame_lines import TextLine
from tui.widgets.line_table import LineTable

Settle = Callable[[Pilot[int]], Awaitable[None]]


@pytest.fixture
def copied(tmp_path: Path, demo: Session) -> Session:
    shutil.copytree(demo.directory, tmp_path / "sessions" / "one")
    return open_session(tmp_path / "sessions" / "one")


def cut_off(session: Session, *tools: str) -> None:
    """As if the run of these tools had been ended by --timeout."""
    captures = tuple(
        replace(c, state=State.PARTIAL, note="it was stopped after 2 s (--timeout)")
        if c.tool in tools
        else c
        for c in session.manifest.captures
    )
    stopped = replace(session.manifest, captures=captures, state=State.PARTIAL)
    SessionWriter(session.directory, session.manifest).save(stopped)


def test_a_run_that_was_stopped_foretells_nothing(copied: Session) -> None:
    root, argv = copied.directory.parent, copied.manifest.target.argv
    cut_off(copied, "memcheck")
    assert {"native", "cachegrind"} <= set(expected_seconds(root, argv))
    assert "memcheck" not in expected_seconds(root, argv)
    cut_off(copied, "memcheck", "vmstat", "schedstat")
    assert "native" not in expected_seconds(root, argv)


def test_what_has_no_command_line_has_no_end_of_its_own(copied: Session) -> None:
    target = replace(copied.manifest.target, argv=(), app="org.example")
    SessionWriter(copied.directory, copied.manifest).save(
        replace(copied.manifest, target=target)
    )
    assert expected_seconds(copied.directory.parent, ()) == {}


async def follow(
    pilot: Pilot[int],
    session: Session,
    tell: Callable[[RecordingFeed, Step], None],
    monkeypatch: pytest.MonkeyPatch,
    settle: Settle,
) -> RecordingScreen:
    """The screen of a recording whose Memcheck tells what `tell` does."""

    def run(self: RecordingFeed) -> None:
        self.began(session.directory, self.plan.steps())
        step = self.plan.steps()[-1]
        self.step_started(step)
        tell(self, step)

    monkeypatch.setattr(RecordingFeed, "run", run)
    monkeypatch.setattr("tui.screens.recording.expected_seconds", lambda *_: {"memcheck": 65.0})
    screen = pilot.app.screen
    assert isinstance(screen, RecordingScreen)
    screen.start(request_of(Typed("sleep 60", "memcheck")), session.directory.parent)
    await settle(pilot)
    return screen


@pytest.mark.parametrize(
    ("seconds", "row", "word"),
    [
        (13.0, "running, 20 %", "x stops gracefully and keeps what was measured"),
        (
            130.0,
            "longer than last time",
            "memcheck has run for 2 min 10 s, and took 1 min 05 s last time: x stops",
        ),
    ],
)
async def test_a_step_that_outlasts_its_time_is_said_to(
    seconds: float,
    row: str,
    word: str,
    demo: Session,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settle: Settle,
) -> None:
    app = Dashboard.starting_in(RECORDING)(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await follow(
            pilot, demo, lambda feed, step: feed.tick(step, seconds), monkeypatch, settle
        )
        assert screen.query_one("#steps", LineTable).rows[0][-1] == row
        assert word in screen.query_one(TextLine).render_line(0).text


async def test_errors_are_told_as_on_their_own_screen(
    demo: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settle: Settle
) -> None:
    app = Dashboard.starting_in("errors")(tmp_path, session=demo)
    async with app.run_test(size=(160, 40)) as pilot:
        await settle(pilot)
        errors = app.screen
        assert isinstance(errors, ErrorsScreen)
        assert errors.groups is not None
        expected = [(one.severity, one.text) for one in errors.groups.tops()]
    app = Dashboard.starting_in(RECORDING)(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await follow(
            pilot, demo, lambda feed, step: feed.tick(step, 1.0), monkeypatch, settle
        )
        shown = screen.query_one("#found", LineTable).rows
        assert [(shown[i][0], shown[i][2]) for i in range(len(shown))] == expected
        assert "sample.cpp:88: Writes to memory that is not its own" in str(shown[0][2])
        assert "malloc" not in str(shown)


async def test_a_bad_project_file_ends_no_recording(
    demo: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settle: Settle
) -> None:
    app = Dashboard.starting_in(RECORDING)(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:

        def spoil_and_tick(feed: RecordingFeed, step: Step) -> None:
            (tmp_path / "droidgrind.toml").write_text("mine = 3\n")
            monkeypatch.chdir(tmp_path)
            feed.tick(step, 1.0)

        screen = await follow(pilot, demo, spoil_and_tick, monkeypatch, settle)
        assert screen.feed is not None
        assert len(screen.feed.found) > 3
        assert any("droidgrind.toml" in line for line in screen.feed.lines)
