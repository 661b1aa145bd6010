"""The frame: tabs, header, keys, help, export, themes and ASCII, in the real application."""

import re
import shutil
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.widgets import Static

from profiler.findings import session_findings
from profiler.store import Session
from tui.app import HOME, TABS, Dashboard
from tui.messages import GoTo
from tui.screens.frame import FrameScreen
from tui.screens.session_screen import SessionScreen
from tui.theme import PALETTES, ascii_text
from tui.widgets.frame_lines import HeaderLine, KeyLine, Notice, TabLine, nearest_first
from tui.widgets.line_table import LineTable


def text_of(widget: HeaderLine | TabLine | KeyLine | Notice | LineTable) -> str:
    return "\n".join(widget.render_line(y).text for y in range(widget.size.height))


async def test_each_key_shows_its_tab(imported: Session) -> None:
    app = Dashboard.starting_in("overview")(imported.directory.parent, session=imported)
    async with app.run_test(size=(100, 30)) as pilot:
        for tab in TABS:
            await pilot.press(tab.key)
            await pilot.pause()
            assert app.current_mode == tab.mode
            assert isinstance(app.screen, FrameScreen)
            assert f"{tab.key} {tab.title}" in text_of(app.screen.query_one(TabLine))
            assert "(imported)" in text_of(app.screen.query_one(HeaderLine))
        await pilot.press("0")
        await pilot.pause()
        assert app.current_mode == HOME


async def test_tabs_and_keys_can_be_clicked(imported: Session) -> None:
    app = Dashboard.starting_in("overview")(imported.directory.parent, session=imported)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        line = text_of(app.screen.query_one(TabLine))
        await pilot.click(TabLine, offset=(line.index("Heap"), 0))
        await pilot.pause()
        assert app.current_mode == "heap"
        keys = text_of(app.screen.query_one(KeyLine))
        await pilot.click(KeyLine, offset=(keys.index("All keys"), 0))
        await pilot.pause()
        assert type(app.screen).__name__ == "HelpScreen"


@pytest.mark.parametrize(
    ("mode", "used"),
    [("heap", ("f", "c")), ("cache", ("/", "g")), ("errors", ("x", "k", "m"))],
)
async def test_a_narrow_line_says_that_there_are_more_keys(
    imported: Session, mode: str, used: tuple[str, ...]
) -> None:
    app = Dashboard.starting_in(mode)(imported.directory.parent, session=imported)
    async with app.run_test(size=(80, 24)) as pilot:
        for _ in range(2):
            await pilot.pause()
            await app.workers.wait_for_complete()
        await pilot.pause()
        line = app.screen.query_one(KeyLine)
        assert text_of(line).rstrip().endswith("q Quit  … ? All keys")
        assert all(f" {key} " in text_of(line) for key in used)
        await pilot.resize_terminal(240, 24)
        await pilot.pause()
        assert text_of(line).rstrip().endswith("q Quit  ? Help")


async def test_overview_says_what_each_tool_found(imported: Session) -> None:
    app = Dashboard.starting_in("overview")(imported.directory.parent, session=imported)
    async with app.run_test(size=(160, 30)) as pilot:
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        table = text_of(app.screen.query_one("#tools", LineTable))
        assert "reports" in table
        assert "peak" in table
        assert "instructions" in table
        assert "reading" not in table
        tabs = text_of(app.screen.query_one(TabLine))
        assert f"6 Findings ({len(session_findings(imported))})" in tabs
        assert re.search(r"5 Errors \([1-9]", tabs)  # before that tab was opened
        await pilot.press("down", "enter")
        await pilot.pause()
        assert app.current_mode in {"cache", "errors", "heap", "scheduling"}


async def test_help_names_every_key_of_the_screen(imported: Session) -> None:
    app = Dashboard.starting_in("overview")(imported.directory.parent, session=imported)
    async with app.run_test(size=(100, 40)) as pilot:
        await pilot.pause()
        below = app.screen
        await pilot.press("question_mark")
        await pilot.pause()
        shown = str(app.screen.query_one(Static).content)
        for active in below.active_bindings.values():
            assert active.binding.description in shown
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is below


ONE_STYLE = re.compile(
    r"(Shift\+|Alt\+|Super\+)?\^?"
    r"([!-~]|[↑↓←→]|Enter|Esc|Space|Tab|Backspace|Del|Home|End|PgUp|PgDn|Up|Down|Left|Right)"
)


@pytest.mark.parametrize("ascii_only", [False, True])
async def test_keys_are_written_in_one_style(imported: Session, ascii_only: bool) -> None:
    """Under `?` of every screen, and of a line that is typed into."""
    app = Dashboard.starting_in("overview")(
        imported.directory.parent, session=imported, ascii_only=ascii_only
    )
    async with app.run_test(size=(160, 40)) as pilot:
        seen: set[str] = set()
        for tab in ("0", *(tab.key for tab in TABS)):
            await pilot.press(tab)
            await pilot.pause()
            for _ in range(2):
                seen |= {app.get_key_display(a.binding) for a in nearest_first(app.screen)}
                await pilot.press("slash")
                await pilot.pause()
            await pilot.press("escape")
        assert {key for key in seen if not ONE_STYLE.fullmatch(key)} == set()
        assert {"Enter", "Esc", "Space", "PgDn", "^p", "/"} <= seen
        assert {"Up", "Left"} <= seen if ascii_only else {"↑", "←"} <= seen


async def test_screen_and_session_are_exported(imported: Session) -> None:
    app = Dashboard.starting_in("overview")(imported.directory.parent, session=imported)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("e", "s")
        await pilot.pause(0.3)
        pictures = list(imported.directory.glob("*.svg"))
        assert len(pictures) == 1
        assert "reports" in pictures[0].read_text().replace("&#160;", " ")
        pictures[0].unlink()
        await pilot.press("e", "h")
        await app.workers.wait_for_complete()
        page = imported.directory / "report.html"
        assert page.read_text().startswith("<!doctype html>")
        page.unlink()


async def test_themes_follow_one_another(imported: Session) -> None:
    app = Dashboard.starting_in("overview")(imported.directory.parent, session=imported)
    async with app.run_test(size=(80, 24)) as pilot:
        seen = [app.theme]
        for _ in PALETTES:
            await pilot.press("ctrl+t")
            await pilot.pause()
            seen.append(app.theme)
        assert set(seen) == set(PALETTES)
        assert seen[0] == seen[-1]


@pytest.mark.parametrize("size", [(20, 5), (80, 24), (400, 90), (1, 1)])
async def test_any_size_is_survived(imported: Session, size: tuple[int, int]) -> None:
    app = Dashboard.starting_in("overview")(imported.directory.parent, session=imported)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        await pilot.resize_terminal(*size)
        for tab in TABS:
            await pilot.press(tab.key)
            await pilot.pause()
        await pilot.resize_terminal(100, 30)
        await pilot.pause()
        assert app.is_running


async def test_a_damaged_session_is_said(tmp_path: Path) -> None:
    damaged = tmp_path / "20260101-000000-x"
    damaged.mkdir()
    (damaged / "session.json").write_text("{")
    app = Dashboard(tmp_path)
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "damaged" in text_of(app.screen.query_one("#sessions", LineTable))
        await pilot.press("enter")
        await pilot.pause()
        assert app.session is None


async def test_without_a_session_tabs_say_so(tmp_path: Path) -> None:
    app = Dashboard(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("1")
        await pilot.pause()
        assert "No session is open" in text_of(app.screen.query_one("#notice", Notice))


async def test_evidence_leads_to_its_tab(imported: Session) -> None:
    app = Dashboard.starting_in("overview")(imported.directory.parent, session=imported)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.screen.post_message(GoTo("heap", "snapshot=1"))
        await pilot.pause()
        assert app.current_mode == "heap"
        assert isinstance(app.screen, SessionScreen)


def test_ascii_keeps_the_width() -> None:
    text = "╭─ 日本 ▲ ⣿ ▒█ – ✔"
    assert ascii_text(text) == "+- ???? ^ * =# - +"
    assert ascii_text("plain") == "plain"


@pytest.mark.parametrize("mode", [HOME, *(tab.mode for tab in TABS)])
async def test_help_palette_and_mouse_reach_all_of_a_screen(
    mode: str, demo: Session, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        shutil.copytree(demo.directory, tmp_path / name)
    app = Dashboard.starting_in(mode)(tmp_path, session=demo)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause(0.3)
        await app.workers.wait_for_complete()
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, FrameScreen)
        words = {
            binding.description
            for node in (screen, screen.focused, app)
            for binding in Binding.make_bindings(getattr(node, "BINDINGS", ()))
            if binding.description and app.check_action(binding.action, ())
        }
        offered = {command.title for command in app.get_system_commands(screen)}
        tabs = {tab.title for tab in TABS}
        assert words - tabs <= offered
        assert {f"Show {title}" for title in tabs} <= offered
        table = next(
            table
            for table in screen.query(LineTable)
            if table.display and len(table.shown) > 1 and not table.cursor
        )
        await pilot.click(table, offset=(3, 2))
        await pilot.pause()
        assert table.has_focus
        assert table.cursor == 1
        await pilot.press("question_mark")
        await pilot.pause()
        shown = str(app.screen.query_one(Static).content)
        assert screen.help_text.strip() in shown
        assert shown.index("\n0 ") < shown.index("\n↑ ")  # moving about is below
        active = {one.binding.description for one in screen.active_bindings.values()}
        assert [word for word in words & active if word not in shown] == []
