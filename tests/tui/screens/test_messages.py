"""What the dashboard says of what was done: it covers nothing, and is in no picture."""

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from profiler.store import Session, open_session
from tui.app import Dashboard
from tui.screens.help import HelpScreen
from tui.widgets.frame_lines import KeyLine
from tui.widgets.message_line import MessageLine

Settle = Callable[[Pilot[int]], Awaitable[None]]


@pytest.fixture
def copied(tmp_path: Path, demo: Session) -> Session:
    shutil.copytree(demo.directory, tmp_path / "sessions" / "one")
    return open_session(tmp_path / "sessions" / "one")


def said(app: Dashboard) -> str:
    lines = [line for line in app.screen.query(MessageLine) if line.display]
    return " ".join(line.text for line in lines)


@pytest.mark.parametrize(("cells", "lines"), [(80, 24), (160, 48)])
@pytest.mark.parametrize("mode", ["home", "overview", "scheduling", "heap", "cache", "errors"])
async def test_what_is_said_covers_nothing(
    mode: str, cells: int, lines: int, copied: Session, settle: Settle
) -> None:
    app = Dashboard.starting_in(mode)(copied.directory.parent, session=copied)
    async with app.run_test(size=(cells, lines), notifications=True) as pilot:
        await settle(pilot)
        app.notify("It was done.", title="[x]", markup=False)
        await pilot.pause(0.2)
        line = app.screen.query_one(MessageLine)
        assert line.render_line(0).text.strip() == "● [x]: It was done."
        assert line.region.bottom == app.screen.query_one(KeyLine).region.y
        others = [
            widget
            for widget in app.screen.children
            if widget.display and widget is not line and widget.region.size
        ]
        assert [w for w in others if w.region.overlaps(line.region)] == []
        assert not list(app.screen.query("Toast"))


async def test_what_was_said_goes_with_time_and_with_its_tab(
    copied: Session, settle: Settle
) -> None:
    app = Dashboard.starting_in("heap")(copied.directory.parent, session=copied)
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await settle(pilot)
        app.notify("The first.", timeout=0.3)
        app.notify("The second.", severity="error", timeout=0.3)
        await pilot.pause(0.1)
        assert said(app) == "The second."
        await pilot.pause(0.5)
        assert said(app) == ""
        app.notify("The third.")
        await pilot.pause(0.1)
        await pilot.press("4")
        await settle(pilot)
        assert said(app) == ""
        await pilot.press("3")
        await settle(pilot)
        assert said(app) == ""


async def test_a_dialog_has_what_is_said_below_it(copied: Session, settle: Settle) -> None:
    app = Dashboard.starting_in("heap")(copied.directory.parent, session=copied)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        app.notify("It was done.")
        await pilot.pause(0.2)
        line = app.screen.query_one(MessageLine)
        assert line.region.bottom == 24
        assert not line.region.overlaps(app.screen.query_one("#dialog").region)


async def test_a_picture_is_named_for_what_is_in_it_and_holds_no_message(
    copied: Session, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copied.directory.parent)
    app = Dashboard.starting_in("heap")(copied.directory.parent, session=copied)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        app.notify("Said before.")
        await pilot.pause(0.1)
        for name in ("", "-2"):
            await pilot.press("e", "s")
            await pilot.pause(0.3)
            file = copied.directory / f"{copied.id}-heap{name}.svg"
            assert "useful" in file.read_text()
            assert "Said" not in file.read_text()
            assert "Picture" not in file.read_text()
            assert said(app) == f"Picture written: {file}"
            shown = app.screen.query_one(MessageLine)
            rows = [shown.render_line(y).text.strip() for y in range(shown.size.height)]
            assert "".join(rows).replace(" ", "") == f"●Picturewritten:{file}"  # told whole
        await pilot.press("0", "e", "s")
        await pilot.pause(0.3)
        assert Path("droidgrind-home.svg").is_file()


async def test_a_picture_that_cannot_be_written_is_said_to(
    copied: Session, settle: Settle
) -> None:
    app = Dashboard.starting_in("heap")(copied.directory.parent, session=copied)
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await settle(pilot)
        shutil.rmtree(copied.directory)
        copied.directory.write_text("no folder")
        await pilot.press("e", "s")
        await pilot.pause(0.3)
        file = copied.directory / f"{copied.id}-heap.svg"
        assert said(app) == f"cannot write the picture {file}: Not a directory"


async def test_a_long_path_is_parted_where_its_folders_are(tmp_path: Path) -> None:
    app = Dashboard(tmp_path)
    async with app.run_test(size=(32, 24), notifications=True) as pilot:
        app.notify("/home/somebody/a-folder/another-folder/file.svg", title="written")
        await pilot.pause(0.2)
        shown = app.screen.query_one(MessageLine)
        rows = [shown.render_line(y).text.strip() for y in range(shown.size.height)]
        assert rows == ["● written:", "/home/somebody/a-folder/", "another-folder/file.svg"]
