"""The dashboard with a stopwatch: from when a sample was taken until it was written.

probe.py PID HZ SECONDS OUTPUT
"""

import json
import os
import sys
import threading
import time
from pathlib import Path

from profiler.watching.live import WatchRequest
from profiler.watching.track import Track
from scripts.bench.dashboard.__main__ import children, ticks
from tui.app import WATCH, Dashboard
from tui.screens.watch import WatchScreen
from tui.widgets.scheduling_view import SchedulingView


def now() -> float:
    """On the clock that the sampler stamps its samples by."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def cpu_seconds() -> tuple[float, float]:
    """Of the dashboard, and of its sampler, which is a process of its own."""
    sampler = ticks(*children(os.getpid())) / os.sysconf("SC_CLK_TCK")
    return time.process_time(), sampler


def main() -> None:
    pid, hz, seconds, output = (
        int(sys.argv[1]),
        float(sys.argv[2]),
        float(sys.argv[3]),
        sys.argv[4],
    )
    came: list[float] = []
    wrote: list[float] = []
    drew: list[float] = []
    tell = WatchScreen._samples_wait

    def noted(self: WatchScreen) -> None:
        assert self.watcher is not None
        if self.watcher.pending:
            came.append(self.watcher.pending[-1].seconds)
        tell(self)

    WatchScreen._samples_wait = noted  # type: ignore[method-assign]
    draw = SchedulingView.draw

    def drawn(self: SchedulingView) -> None:
        draw(self)
        drew.append(now())

    SchedulingView.draw = drawn  # type: ignore[method-assign]
    app = Dashboard.starting_in(WATCH)(Path(), watching=WatchRequest(pid=pid, hz=hz))
    warm = 3.0
    marks: dict[str, float] = {}
    before: list[tuple[float, float]] = []

    def watch() -> Track:
        assert isinstance(app.screen, WatchScreen)
        return app.screen.track

    def measure() -> None:
        driver = app._driver
        assert driver is not None
        write = driver.write

        def timed(data: str) -> None:
            write(data)
            wrote.append(now())

        driver.write = timed  # type: ignore[method-assign]
        marks["began"] = now()
        before.append(cpu_seconds())
        marks["samples"] = watch().samples
        threading.Timer(seconds, lambda: app.call_from_thread(end)).start()

    def end() -> None:
        track = watch()
        elapsed = now() - marks["began"]
        own, sampler = (b - a for a, b in zip(before[0], cpu_seconds(), strict=True))
        delays: list[float] = []
        place = 0
        for moment in came:
            if moment < marks["began"]:
                continue
            while place < len(wrote) and wrote[place] < moment:
                place += 1
            if place < len(wrote):
                delays.append(wrote[place] - moment)
        delays.sort()
        Path(output).write_text(
            json.dumps(
                {
                    "cpu_percent": 100 * own / elapsed,
                    "sampler_percent": 100 * sampler / elapsed,
                    "samples": track.samples - marks["samples"],
                    "drawn": sum(moment >= marks["began"] for moment in drew),
                    "p50_ms": 1000 * delays[len(delays) // 2] if delays else None,
                    "p95_ms": 1000 * delays[int(len(delays) * 0.95)] if delays else None,
                }
            )
        )
        app.exit(0)

    app.call_later(lambda: app.set_timer(warm, measure))
    app.run()


if __name__ == "__main__":
    main()
