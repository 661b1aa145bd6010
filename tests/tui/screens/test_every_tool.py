"""The screens over one real recording with every tool that there is."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from collectors import registry
from collectors.records.shared import Shape
from profiler.manifest import State
from profiler.store import Session
from tests.tui.screens.conftest import EVERYTHING
from tui.app import Dashboard
from tui.screens.cache import CacheScreen
from tui.screens.errors import ErrorsScreen
from tui.screens.heap import HeapScreen
from tui.screens.source import SourceScreen
from tui.screens.stack_pane import StackPane
from tui.widgets.heap_timeline import HeapTimeline
from tui.widgets.line_table import LineTable
from tui.widgets.source_view import CodeView
from tui.widgets.tree_table import TreeTable

pytestmark = pytest.mark.valgrind
Settle = Callable[[Pilot[int]], Awaitable[None]]


def lines(table: LineTable | HeapTimeline) -> str:
    return "\n".join(table.render_line(y).text for y in range(table.size.height))


def dashboard(mode: str, session: Session) -> Dashboard:
    return Dashboard.starting_in(mode)(session.directory.parent, session=session)


async def test_overview_has_a_line_for_each_tool(everything: Session, settle: Settle) -> None:
    assert everything.state is State.COMPLETE
    app = dashboard("overview", everything)
    async with app.run_test(size=(160, 48)) as pilot:
        await pilot.pause(0.2)
        await settle(pilot)
        text = lines(app.screen.query_one("#tools", LineTable))
        for name in registry.tool_names():
            assert name in text
        assert "reading" not in text
        assert "complete" in text
        assert lines(app.screen.query_one("#stands-out", LineTable)).strip()


async def test_heap_shows_massif_and_dhat(everything: Session, settle: Settle) -> None:
    app = dashboard("heap", everything)
    async with app.run_test(size=(140, 44)) as pilot:
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, HeapScreen)
        subtitles: list[str] = []  # one of each process
        drawn: list[int] = []
        for _ in range(2):
            subtitles.append(str(screen.query_one("#heap-time").border_subtitle))
            assert "grow" in lines(screen.query_one(TreeTable))
            drawn.append(lines(screen.query_one(HeapTimeline)).count("█"))
            await pilot.press("p")
            await settle(pilot)
        assert "massif" in subtitles[0]
        assert "dhat" in subtitles[1]
        assert "only the peak and the end are known" in subtitles[1]
        height = screen.query_one(HeapTimeline).size.height
        assert drawn[0] > drawn[1] <= 2 * height  # nothing between DHAT's two moments


@pytest.mark.parametrize("mode", ["overview", "heap", "cache", "errors"])
async def test_a_low_terminal_shows_rows_before_words(
    everything: Session, settle: Settle, mode: str
) -> None:
    """The list that the screen is about has a row under its header, at 40 by 12."""
    app = dashboard(mode, everything)
    async with app.run_test(size=(40, 12)) as pilot:
        await settle(pilot)
        shown = [table for table in app.screen.query(LineTable) if table.size.height]
        assert shown
        for table in shown:
            rows = lines(table).splitlines()[1:]
            assert any(row.strip() for row in rows), table.id


async def test_heap_zooms_around_the_cursor(everything: Session, settle: Settle) -> None:
    app = dashboard("heap", everything)
    async with app.run_test(size=(140, 44)) as pilot:
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, HeapScreen)
        timeline = screen.query_one(HeapTimeline)
        whole = [timeline.render_line(y).text for y in range(timeline.size.height)]
        await pilot.press("z", "z")
        await settle(pilot)
        assert timeline.span is not None
        first, last = timeline.span
        assert first <= timeline.snapshots[timeline.cursor].time <= last
        assert "of " in str(screen.query_one("#heap-time").border_subtitle).split(";")[-1]
        assert [timeline.render_line(y).text for y in range(timeline.size.height)] != whole
        timeline.focus()
        await pilot.press("home")  # the shown part follows the cursor
        await settle(pilot)
        assert timeline.span[0] == timeline.snapshots[0].time
        await pilot.press("minus", "minus")
        await settle(pilot)
        assert timeline.span is None
        await pilot.press(*["plus"] * 40)  # ends where nothing is between two snapshots
        await settle(pilot)
        assert timeline.span is not None
        assert timeline.span[1] > timeline.span[0]


async def test_heap_leads_to_the_source(
    everything: Session, settle: Settle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Massif names no directories: another tool's path is taken."""
    app = dashboard("heap", everything)
    async with app.run_test(size=(140, 44)) as pilot:
        await settle(pilot)
        tree = app.screen.query_one(TreeTable)
        row = next(y for y in range(1, 12) if "grow  " in tree.render_line(y).text)
        await pilot.press(*["down"] * (row - 1), "enter")
        await settle(pilot)
        assert isinstance(app.screen, SourceScreen)
        code = app.screen.query_one(CodeView)
        assert "realloc" in str(code.rows[code.cursor][2])
        opened: list[tuple[str, int | None]] = []
        monkeypatch.setattr(
            "tui.screens.source.open_in_editor", lambda _app, *place: opened.append(place)
        )
        await pilot.press("o", "escape")
        await settle(pilot)
        assert opened[0][0].endswith("/everything.c")
        assert opened[0][1] == code.cursor + 1
        assert isinstance(app.screen, HeapScreen)


async def test_cache_shows_cachegrind_and_callgrind(
    everything: Session, settle: Settle
) -> None:
    app = dashboard("cache", everything)
    async with app.run_test(size=(160, 44)) as pilot:
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, CacheScreen)
        seen: list[str] = []
        for _ in range(2):
            seen.append(lines(screen.query_one("#cache-table", LineTable)).splitlines()[0])
            await pilot.press("t")
            await settle(pilot)
        assert sum("Ir incl." in heading for heading in seen) == 1
        await pilot.press("slash", *"grow", "enter", "enter")
        await settle(pilot)
        assert screen.file is not None
        assert screen.file.source is not None
        assert screen.file.path.endswith("everything.c")


@pytest.mark.parametrize(("cells", "beside"), [(160, True), (112, False)])
async def test_stacks_stand_side_by_side_where_there_is_room(
    cells: int, beside: bool, everything: Session, settle: Settle
) -> None:
    app = dashboard("errors", everything)
    async with app.run_test(size=(cells, 48)) as pilot:
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, ErrorsScreen)
        content = screen.content
        assert content is not None
        record = next(i for i, r in enumerate(content.records) if r.kind == "InvalidRead")
        screen.reveal(f"record={record}")
        await settle(pilot)
        pane = screen.query_one(StackPane)
        tables = [t for t in pane.query("#stack-columns LineTable") if t.display]
        assert pane.beside is beside
        assert len(tables) == (3 if beside else 1)  # here, freed, allocated
        code = screen.query_one("#stack-code", CodeView)
        seen: list[int] = []
        for _ in range(3):
            seen.append(code.cursor + 1)
            await pilot.press("x")
            await settle(pilot)
        source = EVERYTHING.splitlines()
        assert ["gone[3]" in source[seen[0] - 1], "free(gone)" in source[seen[1] - 1]] == [1, 1]
        assert "malloc(24)" in source[seen[2] - 1]
        assert pane.place == 0


async def test_errors_are_of_all_tools(everything: Session, settle: Settle) -> None:
    app = dashboard("errors", everything)
    async with app.run_test(size=(160, 48)) as pilot:
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, ErrorsScreen)
        assert screen.content is not None
        kinds = {record.kind for record in screen.content.records}
        assert {"InvalidRead", "Leak_DefinitelyLost", "Race", "LockOrder"} <= kinds
        assert {"memcheck", "helgrind", "drd"} <= set(screen.content.tools)
        assert screen.groups is not None
        text = "\n".join(node.title for node in screen.groups.nodes)
        assert "Threads touch the same memory" in text
        assert "Leaks" in text
        for _ in screen.content.records:  # every one can be looked at
            await pilot.press("down")
        await settle(pilot)
        assert str(screen.query_one("#stack-what", Static).content)


def test_the_tools_have_a_screen() -> None:
    assert {registry.shape(name) for name in registry.tool_names()} == set(Shape)
