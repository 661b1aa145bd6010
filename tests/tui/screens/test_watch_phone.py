"""Watching the stand-in phone through a real adb server; it goes away, and comes back."""

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from collectors.devices.adb import AdbDevice
from collectors.records.samples import SampleProfile
from profiler.store import open_session
from profiler.watching.live import WatchRequest
from tests.collectors.devices.conftest import adb_device, phone
from tests.phone.stand_in import StandIn
from tui.app import WATCH, Dashboard
from tui.screens.watch import WatchScreen
from tui.widgets.scheduling_view import SchedulingView

__all__ = ["adb_device", "phone"]

BUSY = "while :; do n=0; while [ $n -lt 3000 ]; do n=$((n+1)); done; sleep 0.05; done"


async def until(pilot: Pilot[int], holds: Callable[[], bool], seconds: float = 40) -> bool:
    for _ in range(int(seconds * 10)):
        await pilot.pause(0.1)
        if holds():
            return True
    return False


@pytest.fixture
def busy(phone: StandIn) -> int:
    """A process on the phone that works and sleeps, by its number there."""
    answer = phone.adb("-s", phone.serial, "shell", f"setsid sh -c '{BUSY}' >&- 2>&- & echo $!")
    return int(answer.stdout.split()[-1])


async def test_a_phone_that_goes_away_is_said_and_watched_again(
    phone: StandIn, adb_device: AdbDevice, busy: int, tmp_path: Path
) -> None:
    request = WatchRequest(adb_device.serial, pid=busy, hz=10)
    app = Dashboard.starting_in(WATCH)(tmp_path, watching=request)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = app.screen
        assert isinstance(screen, WatchScreen)
        view = screen.query_one(SchedulingView)
        assert await until(pilot, lambda: len(screen.track) > 10), screen.status()
        assert "live 10 Hz" in screen.status().state
        assert "Android" in screen.status().device
        assert any(row[0] == busy for row in map(view.threads.rows.__getitem__, range(1)))
        phone.wire.cut(away_seconds=6)
        assert await until(pilot, lambda: "device silent" in screen.status().state)
        assert screen.status().severity == "warning"
        before = len(screen.track)
        shown = view.span.seconds
        await pilot.press("plus")  # keys are heard meanwhile
        assert view.span.seconds == pytest.approx(shown / 2)
        assert await until(pilot, lambda: len(screen.track) > before + 10), screen.status()
        assert "live 10 Hz" in screen.status().state
        assert screen.track.late >= 1, "the gap is counted"
        await pilot.press("k")
        assert await until(pilot, lambda: app.current_mode == "overview")
        assert app.session is not None
        (profile,) = open_session(app.session.directory).profiles("schedstat")
        assert isinstance(profile, SampleProfile)
        assert profile.samples >= before, "what was seen before and after is kept"


async def test_the_busiest_threads_of_a_phone(
    phone: StandIn, adb_device: AdbDevice, busy: int, tmp_path: Path
) -> None:
    request = WatchRequest(adb_device.serial, hz=5)
    app = Dashboard.starting_in(WATCH)(tmp_path, watching=request)
    async with app.run_test(size=(120, 40)) as pilot:
        view = app.screen.query_one(SchedulingView)

        def seen() -> bool:
            rows = [view.threads.rows[i] for i in range(len(view.threads.rows))]
            return any(row[0] == busy and float(row[3] or 0) > 0 for row in rows)

        assert await until(pilot, seen)
        await pilot.press("p")
        assert await until(pilot, lambda: bool(app.screen.query("#processes")))
