"""The live view of a fleet, fed with what a run says."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace

from profiler.fleet.ledger import Attempt, CellEntry, CellState
from profiler.recording.progress import StopRequest
from tui.fleet_app import FleetApp
from tui.widgets.frame_lines import HeaderLine, Notice
from tui.widgets.line_table import LineTable

FAILED = Attempt("2026-11-22T10:15:00", 2.5, "failed", "a[b]: there is no such program", 2)
DONE = Attempt("2026-11-22T10:15:00", 2.5, "done", "", 0)


def entry(device: str, repeat: int) -> CellEntry:
    return CellEntry(f"{device}_{repeat}", device, "bench", "memcheck", repeat)


def lines(table: LineTable) -> list[str]:
    return [table.render_line(y).text for y in range(table.size.height)]


def test_cells_change_as_they_are_told_and_q_stops_first() -> None:
    entries = [entry("pixel", 1), entry("pixel", 2), entry("old", 1), entry("old", 2)]
    stop = StopRequest()
    go_on = threading.Event()

    def carry_out(tell: Callable[[CellEntry], None]) -> None:
        tell(replace(entries[0], state=CellState.DONE, attempts=(DONE,)))
        tell(replace(entries[2], state=CellState.FAILED, attempts=(FAILED,)))
        tell(replace(entries[1], state=CellState.RUNNING))
        go_on.wait(30)

    async def main() -> None:
        app = FleetApp("plan", entries, carry_out, stop)
        async with app.run_test(size=(120, 30)) as pilot:
            await pilot.pause(0.2)
            matrix, cells = (
                app.query_one("#tools", LineTable),
                app.query_one("#cells", LineTable),
            )
            assert lines(matrix)[1].split() == ["bench", "memcheck", "✔…", "✖–"]
            assert "2.5 s" in lines(cells)[1]
            assert app.query_one(HeaderLine).status.target == "2 of 4 cells"
            assert app.query_one(HeaderLine).status.state == "1 failed  running"
            await pilot.press("down", "down")
            assert app.query_one("#facts", Notice).text.endswith(FAILED.reason)
            await pilot.press("up", "q")
            assert stop.times == 1
            assert "waited for" in app.query_one("#facts", Notice).text
            await pilot.press("q")
            assert stop.times == 2
            go_on.set()
            for _ in range(100):
                if app.return_code is not None:
                    break
                await pilot.pause(0.05)
        assert app.return_code == 0

    asyncio.run(main())
