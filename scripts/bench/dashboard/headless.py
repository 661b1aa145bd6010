"""What is measured without a terminal: a burst, and eight hours' memory."""

import asyncio
import resource
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from collectors.readers.proc import CpuSample, Sample, ThreadSample
from profiler.watching.live import Watcher, WatchRequest
from profiler.watching.track import Track
from scripts.bench.goals import Goals
from tui.app import WATCH, Dashboard
from tui.screens.watch import WatchScreen
from tui.widgets.scheduling_view import SchedulingView


def sample(number: int, interval: float, threads: int) -> Sample:
    now = 1000 + number * interval
    cpus = {n: CpuSample(n, now / 4, now / 4, now / 2, 0.0, 0.0) for n in range(8)}
    made = Sample(now, 3.0, 0.0, now * 1000, now * 300, 40.0, cpus)
    for tid in range(threads):
        made.threads[1, tid] = ThreadSample(
            1,
            tid,
            f"worker-{tid}",
            now / (tid + 2),
            now / (tid + 9),
            now,
            0.0,
            now,
            now,
            tid % 8,
        )
    return made


@asynccontextmanager
async def fed_by_hand(interval: float) -> AsyncIterator[tuple[WatchScreen, Watcher, Track]]:
    """The live screen whose watcher has been stopped: it shows what it is given."""
    app = Dashboard.starting_in(WATCH)(Path(), watching=WatchRequest(hz=1 / interval))
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.pause(1.0)
        screen = app.screen
        assert isinstance(screen, WatchScreen)
        assert screen.watcher is not None
        screen.watcher.stop()
        await pilot.pause(0.5)
        screen.track = Track(interval)
        screen.query_one(SchedulingView).set_track(screen.track, live=True)
        screen.watcher.pending.clear()
        yield screen, screen.watcher, screen.track


async def burst() -> None:
    """1,000 samples at once: the longest time in which a key would have waited."""
    async with fed_by_hand(0.1) as (screen, watcher, _track):
        watcher.pending.extend(sample(i, 0.1, 200) for i in range(1000))
        longest = 0.0
        screen._samples_wait()
        before = time.perf_counter()
        while watcher.pending:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            longest, before = max(longest, now - before), now
        goals = Goals()
        goals.line("burst of 1,000 samples: longest wait", 1000 * longest, "ms", goal=100)
        goals.summary()


async def hours() -> None:
    """8 h at 1 Hz of 200 threads, drawn once a minute."""
    goals = Goals()
    async with fed_by_hand(1.0) as (screen, _watcher, track):
        for number in range(8 * 3600):
            track.add(sample(number, 1.0, 200))
            if number % 60 == 0:
                screen._work_off()
                await asyncio.sleep(0)
            if number % 3600 == 3599:
                pages = int(Path("/proc/self/statm").read_text().split()[1])
                mib = pages * resource.getpagesize() / 2**20
                goals.line(f"after {number // 3600 + 1} h at 1 Hz", mib, "MiB", goal=200)
    goals.summary()


if __name__ == "__main__":
    asyncio.run(burst() if sys.argv[1] == "burst" else hours())
