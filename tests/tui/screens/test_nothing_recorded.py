"""Screens of which a session has nothing: none of their keys ends the dashboard."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from profiler.importing import import_files
from tui.app import Dashboard
from tui.widgets.frame_lines import KeyLine, Notice

KEYS = (
    "left_square_bracket right_square_bracket comma full_stop b t z Z f c m p o "
    "plus minus n N g s S k x y enter space slash escape"
)


@pytest.mark.parametrize(
    ("mode", "offered"),
    [("heap", "Flame"), ("cache", "Weights"), ("scheduling", "Pause"), ("errors", "My code")],
)
async def test_no_key_needs_what_is_not_there(
    mode: str,
    offered: str,
    tmp_path: Path,
    settle: Callable[[Pilot[int]], Awaitable[None]],
) -> None:
    """A file of another tool is all that the session has."""
    file = "memcheck/3.19-x86_64/memcheck-bugs.xml"
    if mode == "errors":
        file = "massif/3.19-x86_64/massif.heap.out"
    session = import_files((Path("tests/data") / file,), tmp_path, directory=tmp_path / "one")
    app = Dashboard.starting_in(mode)(tmp_path, session=session)
    async with app.run_test(size=(120, 36)) as pilot:
        await settle(pilot)
        assert app.screen.query_one("#notice", Notice).display
        assert offered not in app.screen.query_one(KeyLine).render_line(0).text
        for key in KEYS.split():
            await pilot.press(key)
            await settle(pilot)
            assert app.is_running
            assert app.current_mode == mode
