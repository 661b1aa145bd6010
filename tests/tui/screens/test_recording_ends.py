"""What the recording screen says when it has ended, and that the next one starts anew."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from profiler.manifest import State
from profiler.recording.form import Typed
from profiler.recording.heap_watch import HeapMoment
from profiler.session import Recorded
from profiler.store import Session
from tui.app import RECORDING, Dashboard
from tui.recording_feed import RecordingFeed
from tui.recording_form import request_of
from tui.screens.recording import RecordingScreen
from tui.widgets.area_plot import AreaPlot
from tui.widgets.frame_lines import KeyLine, Notice, TextLine
from tui.widgets.line_table import LineTable
from tui.widgets.message_line import MessageLine
from tui.widgets.recording_plot import RecordingPlot

Settle = Callable[[Pilot[int]], Awaitable[None]]
REASON = "it was stopped before its end, and this is said with more words than a row holds"


@pytest.fixture
def record(
    monkeypatch: pytest.MonkeyPatch, demo: Session, settle: Settle
) -> Callable[[Pilot[int], str, Callable[[RecordingFeed], None]], Awaitable[RecordingScreen]]:
    """Record with some tools; the recording's thread does what it is given."""

    async def begin(
        pilot: Pilot[int], tools: str, tell: Callable[[RecordingFeed], None]
    ) -> RecordingScreen:
        def run(self: RecordingFeed) -> None:
            self.began(demo.directory, self.plan.steps())
            tell(self)
            self._tell()

        monkeypatch.setattr(RecordingFeed, "run", run)
        screen = pilot.app.screen
        assert isinstance(screen, RecordingScreen)
        screen.start(request_of(Typed("sleep 60", tools)), demo.directory.parent)
        await settle(pilot)
        return screen

    return begin


Record = Callable[
    [Pilot[int], str, Callable[[RecordingFeed], None]], Awaitable[RecordingScreen]
]


def text_of(widget: LineTable | AreaPlot | KeyLine | TextLine) -> str:
    return "\n".join(widget.render_line(y).text for y in range(widget.size.height))


def stopped(demo: Session) -> Callable[[RecordingFeed], None]:
    """Memcheck is stopped in the middle, and Massif is never begun."""

    def tell(feed: RecordingFeed) -> None:
        step = feed.plan.steps()[1]
        entry = next(e for e in demo.captures if e.tool == "massif")
        feed.step_started(step)
        feed.captured(step, replace(entry, tool="helgrind", state=State.PARTIAL, note=REASON))
        feed.recorded = Recorded(demo, True, ())
        feed.ended.set()

    return tell


@pytest.mark.parametrize("cells", [80, 160])
async def test_what_ended_is_not_spoken_of_as_going_on(
    cells: int, demo: Session, tmp_path: Path, record: Record
) -> None:
    app = Dashboard.starting_in(RECORDING)(tmp_path)
    async with app.run_test(size=(cells, 24)) as pilot:
        screen = await record(pilot, "vmstat,helgrind,massif", stopped(demo))
        steps = screen.query_one("#steps", LineTable).rows
        assert [steps[i][-1] for i in range(len(steps))] == ["not run", "▲ partial", "not run"]
        assert "".join(screen.query_one("#reasons", Notice)._lines(cells)).endswith("row holds")
        assert screen.query_one("#found", LineTable).empty == "none found until it ended early"
        assert screen.query_one("#steps-box").border_title == "How did it go?"
        keys = text_of(screen.query_one(KeyLine))
        assert "Stop" not in keys
        assert "o Open the session" in keys
        assert not screen.query(MessageLine)  # it would cover what says how to open it
        assert "o: open it" in text_of(screen.query_one("#word", TextLine))


async def test_what_looked_for_errors_and_ended_found_none(
    demo: Session, tmp_path: Path, record: Record
) -> None:
    app = Dashboard.starting_in(RECORDING)(tmp_path)
    entry = next(e for e in demo.captures if e.tool == "massif")

    def whole(feed: RecordingFeed) -> None:
        step = feed.plan.steps()[-1]
        feed.step_started(step)
        feed.captured(step, replace(entry, tool="helgrind"))
        feed.ended.set()

    def before_it(feed: RecordingFeed) -> None:
        feed.step_started(feed.plan.steps()[0])
        feed.ended.set()

    async with app.run_test(size=(120, 40)) as pilot:
        found = (await record(pilot, "helgrind", whole)).query_one("#found", LineTable)
        assert found.empty == "none found"
        await record(pilot, "vmstat,helgrind", before_it)
        assert found.empty == "not looked for: helgrind did not run"
        await record(pilot, "vmstat,massif", before_it)
        assert found.empty == "no tool of this recording looks for errors"


async def test_open_is_offered_when_there_is_something_to_open(
    demo: Session, tmp_path: Path, record: Record
) -> None:
    app = Dashboard.starting_in(RECORDING)(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await record(
            pilot, "memcheck", lambda feed: feed.step_started(feed.plan.steps()[0])
        )
        assert "x Stop" in text_of(screen.query_one(KeyLine))
        assert "Open" not in text_of(screen.query_one(KeyLine))
        await pilot.press("o")
        await pilot.pause()
        word = screen.query_one("#word", TextLine)
        assert "when it has ended" in word.text
        assert screen.feed is not None
        screen.feed.tick(screen.feed.plan.steps()[0], 1.0)  # it is not wiped away at once
        await pilot.pause()
        assert "when it has ended" in word.text


async def test_the_next_recording_starts_anew(
    demo: Session, tmp_path: Path, record: Record
) -> None:
    def first(feed: RecordingFeed) -> None:
        step = feed.plan.steps()[-1]
        feed.step_started(step)
        feed.output(step, "stdout", b"of the first\n")
        feed._see_heap(step, HeapMoment(1.0, 5 << 20, "heap"))
        feed._see_heap(step, HeapMoment(2.0, 4 << 20, "heap"))
        feed.tick(step, 3.0)
        feed.failure = "it broke"
        feed.ended.set()

    app = Dashboard.starting_in(RECORDING)(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await record(pilot, "schedstat,memcheck", first)
        box, plot = screen.query_one(RecordingPlot), screen.query_one("#live", AreaPlot)
        assert box.border_title == "How much memory is held? (memcheck)"
        assert "heap 4.0 MiB at last  most seen 5.0 MiB" in text_of(plot)
        assert "\n5 MiB" in text_of(plot)  # the scale has a unit, too
        assert "it broke" in screen.query_one("#word", TextLine).text
        await record(
            pilot,
            "schedstat,memcheck",
            lambda feed: feed.step_started(feed.plan.steps()[0]),
        )
        assert box.border_title == "Is the CPU the limit? (native run)"
        assert not box.border_subtitle
        assert text_of(plot).split() == ["no", "sample", "yet"]
        assert "of the first" not in text_of(screen.query_one("#output", LineTable))
        assert not screen.query_one("#found", LineTable).rows
        assert "stops gracefully" in screen.query_one("#word", TextLine).text


@pytest.mark.parametrize("cells", [80, 120])
async def test_a_heap_that_nobody_saw_has_no_figure(
    cells: int, demo: Session, tmp_path: Path, record: Record
) -> None:
    """Valgrind was asked once, before the program's first block."""
    entry = next(e for e in demo.captures if e.tool == "memcheck")

    def tell(feed: RecordingFeed) -> None:
        step = feed.plan.steps()[0]
        feed.step_started(step)
        feed._see_heap(step, HeapMoment(0.5, 0, "heap"))
        feed.captured(step, entry)
        feed.ended.set()

    app = Dashboard.starting_in(RECORDING)(tmp_path)
    async with app.run_test(size=(cells, 24)) as pilot:
        screen = await record(pilot, "memcheck", tell)
        shown = text_of(screen.query_one("#live", AreaPlot))
        assert "not sampled: the run was too short" in shown
        assert "0.0" not in shown
