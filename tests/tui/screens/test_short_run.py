"""A run that is over before vmstat's first sample: every place says the same of it."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from profiler import record
from profiler.manifest import UNSAMPLED, State
from profiler.store import Session
from profiler.summary import summarise
from tui.app import Dashboard
from tui.recording_text import TextObserver
from tui.summary_text import summary_lines
from tui.widgets.line_table import LineTable


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Session:
    root = tmp_path_factory.mktemp("short")
    return record(["true"], tools=("vmstat", "schedstat"), serial="local", sessions=root)


def test_a_run_without_a_sample_is_complete_and_says_why_it_has_none(short: Session) -> None:
    entry = short.capture("vmstat")
    assert entry is not None
    assert short.state is State.COMPLETE
    assert entry.is_unsampled


def test_a_run_that_was_sampled_says_nothing_of_it(tmp_path: Path) -> None:
    session = record(["sleep", "2.5"], tools=("vmstat",), serial="local", sessions=tmp_path)
    entry = session.capture("vmstat")
    assert entry is not None
    assert entry.note is None


@pytest.mark.parametrize("left", ["head", "nothing but its cost"])
async def test_the_overview_says_one_thing(
    left: str, short: Session, settle: Callable[[Pilot[int]], Awaitable[None]]
) -> None:
    """Whatever vmstat had written when it was ended."""
    if left != "head":
        file = short.folder("vmstat") / "vmstat.txt"
        file.write_bytes(b"\n# cost_seconds 0.003\n")
    app = Dashboard.starting_in("overview")(short.directory.parent, session=short)
    async with app.run_test(size=(200, 40)) as pilot:
        await settle(pilot)
        tools = app.screen.query_one("#tools", LineTable).rows
        row = next(tools[i] for i in range(len(tools)) if tools[i][0] == "vmstat")
        assert row[2] == f"● {UNSAMPLED}"
        assert row[4] == "● no sample"


def test_the_command_line_says_the_same(
    short: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    from profiler.recording.progress import Step

    entry = short.capture("vmstat")
    assert entry is not None
    TextObserver().captured(Step(1, 1, "native", ("vmstat",), 1), entry)
    assert capsys.readouterr().err.strip() in {
        f"● vmstat: {UNSAMPLED}",
        f"i vmstat: {UNSAMPLED}",
    }
    text = "\n".join(summary_lines(short, summarise(short)))
    assert text.count(UNSAMPLED) == 1
    assert "How the target ended" not in text
