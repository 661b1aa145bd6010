"""Pictures of the live screens at two sizes, from samples that were really taken."""

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from collectors.devices.device import DeviceFacts
from profiler.store import Session
from profiler.watching.live import Watcher, WatchRequest, WatchState
from tests.tui.screens.test_stored_pictures import SIZES
from tui.app import WATCH, Dashboard
from tui.screens.watch import SamplesWait, WatchScreen

# name: the keys
VIEWS = {
    "live": (),
    "live-thread": ("enter",),
    "live-paused": ("minus", "s", "space"),
}


@pytest.fixture
def recorded(demo: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """A watcher that reads what was sampled once, of the process that the demo recorded."""
    content = (demo.directory / "raw/schedstat/schedstat.txt").read_bytes()

    def run(self: Watcher) -> None:
        self.facts = DeviceFacts("local", model="a machine", abi="x86_64")
        self.state = WatchState("live")
        self.pending.extend(self.parser.feed(content))
        self._ended.set()
        self._tell()

    monkeypatch.setattr(Watcher, "run", run)
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("view", VIEWS)
def test_looks_as_it_did(
    view: str, size: tuple[int, int], tmp_path: Path, snap_compare: Callable[..., bool]
) -> None:
    async def settle(pilot: Pilot[int]) -> None:
        screen = pilot.app.screen
        assert isinstance(screen, WatchScreen)
        await pilot.app.workers.wait_for_complete()
        while screen.watcher is not None and screen.watcher.pending:
            await pilot.pause(0.05)
        screen.post_message(SamplesWait())
        for key in VIEWS[view]:
            await pilot.press(key)
            await pilot.pause()
        await pilot.pause(0.3)
        screen.post_message(SamplesWait())  # headings are drawn four times a second
        await pilot.pause()

    app = Dashboard.starting_in(WATCH)(tmp_path, watching=WatchRequest(pid=4711))
    assert snap_compare(app, terminal_size=size, run_before=settle)
