"""Keys that arrive together, as slow links and pastes deliver them."""

from pathlib import Path

import pytest
from textual.app import App
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import Input

from profiler.importing import import_files
from tui.app import Dashboard
from tui.screens.home import HomeScreen
from tui.screens.new_recording import NewRecordingScreen
from tui.widgets.filter_input import FilterInput

RAW = Path("tests/data/memcheck/3.19-x86_64/memcheck-bugs.xml")
NAMED = {"/": "slash", "^p": "ctrl+p"}


async def at_once(app: App[int], pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        character = key if len(key) == 1 else None
        app.post_message(Key(NAMED.get(key, key), character))
    for _ in range(4 * len(keys)):
        await pilot.pause()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    import_files([RAW], tmp_path, directory=tmp_path / "one")
    return tmp_path


async def test_what_is_typed_behind_a_filter_is_its_text(root: Path) -> None:
    app = Dashboard(root)
    async with app.run_test(size=(120, 40)) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()
        await at_once(app, pilot, "/", *"delay")
        assert isinstance(app.screen, HomeScreen)
        assert app.screen.query_one(FilterInput).value == "delay"
    assert (root / "one").exists()


async def test_what_is_typed_behind_the_key_of_a_form_is_in_its_field(root: Path) -> None:
    app = Dashboard(root)
    async with app.run_test(size=(120, 40)) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()
        await at_once(app, pilot, "r", *"sleep")
        assert isinstance(app.screen, NewRecordingScreen)
        assert app.screen.query_one("#command", Input).value == "sleep"


async def test_what_is_typed_behind_the_palettes_key_is_its_text(root: Path) -> None:
    app = Dashboard(root)
    async with app.run_test(size=(120, 40)) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()
        await at_once(app, pilot, "^p", *"diff")
        assert app.screen.query_one(Input).value == "diff"


async def test_a_key_whose_widget_is_gone_holds_nothing_up(root: Path) -> None:
    app = Dashboard(root)
    async with app.run_test(size=(120, 40)) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()
        await at_once(app, pilot, "/", "d", "escape", "1", "0", "r", "escape", "/", *"ab")
        assert isinstance(app.screen, HomeScreen)
        assert app.screen.query_one(FilterInput).value == "ab"
