"""The overview's boxes and words, on the session that comes with the package."""

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from profiler.store import Session
from tui.app import Dashboard
from tui.text import width
from tui.widgets.line_table import LineTable

Settle = Callable[[Pilot[int]], Awaitable[None]]


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (160, 48), (200, 50)])
async def test_the_boxes_end_at_one_edge(
    demo: Session, size: tuple[int, int], settle: Settle
) -> None:
    app = Dashboard.starting_in("overview")(demo.directory.parent, session=demo)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        boxes = list(app.screen.query(".box"))
        assert len(boxes) == 2
        assert {(box.region.x, box.region.right) for box in boxes} == {(0, size[0])}
        for table in app.screen.query(LineTable):
            assert table.virtual_size.width <= table.size.width
            for y in range(table.size.height):
                assert width(table.render_line(y).text) == table.size.width


async def test_the_costliest_function_has_its_short_name(demo: Session, settle: Settle) -> None:
    """Of a function in a template, what stands before its first bracket is half of a name."""
    app = Dashboard.starting_in("overview")(demo.directory.parent, session=demo)
    async with app.run_test(size=(240, 48)) as pilot:
        await settle(pilot)
        rows = app.screen.query_one("#tools", LineTable).rows
        found = {str(row[0]): str(row[2]) for row in (rows[i] for i in range(len(rows)))}
        assert "; most in lambda in infer (" in found["cachegrind"]
