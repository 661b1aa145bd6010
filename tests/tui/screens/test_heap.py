"""The heap screen on what Massif wrote, by its keys, in the real application."""

from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Static

from profiler.importing import import_files
from profiler.store import Session
from tui.app import Dashboard
from tui.messages import GoTo
from tui.screens.heap import HeapScreen
from tui.theme import ascii_text
from tui.widgets.flame_graph import FlameGraph
from tui.widgets.frame_lines import Notice
from tui.widgets.heap_timeline import HeapTimeline
from tui.widgets.tree_table import TreeTable

DATA = Path("tests/data/massif")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Two processes: one with stacks and many trees, one of mapped pages."""
    files = [
        DATA / "3.28-x86_64/massif.heap-stacks.out",
        DATA / "3.28-x86_64/massif.heap-pages.out",
    ]
    root = tmp_path_factory.mktemp("heaps")
    return import_files(files, root, directory=root / "two")


def dashboard(session: Session) -> Dashboard:
    return Dashboard.starting_in("heap")(session.directory.parent, session=session)


async def settle(app: App[int], pilot: Pilot[int]) -> HeapScreen:
    for _ in range(3):
        await pilot.pause()
        await app.workers.wait_for_complete()
    await pilot.pause()
    assert isinstance(app.screen, HeapScreen)
    return app.screen


def tree(screen: HeapScreen) -> list[str]:
    table = screen.query_one(TreeTable)
    return [table.render_line(y).text for y in range(table.size.height)]


async def test_every_key_of_the_heap(imported: Session) -> None:
    app = dashboard(imported)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await settle(app, pilot)
        assert "held" in tree(screen)[0]
        assert "everything allocated" in tree(screen)[1]
        assert "100.0 %" in tree(screen)[1]
        assert "bottom-up, my code" in str(screen.query_one("#heap-who").border_title)
        bottom_up = tree(screen)
        await pilot.press("t")
        await settle(app, pilot)
        assert tree(screen) != bottom_up
        assert any("main" in line for line in tree(screen)[2:4])
        await pilot.press("m")
        await settle(app, pilot)
        assert "top-down, all frames" in str(screen.query_one("#heap-who").border_title)
        await pilot.press("f")
        await settle(app, pilot)
        graph = screen.query_one(FlameGraph)
        assert graph.display
        assert graph.has_focus
        assert "everything allocated" in graph.render_line(0).text
        await pilot.press("down")
        await settle(app, pilot)
        node = str(screen.query_one("#heap-node", Static).content)
        assert "of useful heap" in node
        await pilot.press("b", "m")
        await settle(app, pilot)
        assert tree(screen) == bottom_up
        await pilot.press("slash", "m", "a", "i", "n", "enter")
        await settle(app, pilot)
        assert all("▸" not in line for line in tree(screen)[1:3])
        assert any("main" in line for line in tree(screen))
        await pilot.press("p")  # there is one process only
        await settle(app, pilot)
        assert screen.place == 0


async def test_two_snapshots_are_compared(imported: Session) -> None:
    app = dashboard(imported)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await settle(app, pilot)
        first = screen.position
        await pilot.press("c", "left_square_bracket")
        await settle(app, pilot)
        assert screen.base == first
        assert screen.position < first
        assert screen.alloc is not None
        assert screen.alloc.before is not None
        title = str(screen.query_one("#heap-who").border_title)
        assert title.startswith("What changed from snapshot")
        assert "change" in tree(screen)[0]
        assert "−" in tree(screen)[1]
        await pilot.press("f")
        await settle(app, pilot)
        assert "−" in screen.query_one(FlameGraph).render_line(0).text
        await pilot.press("right_square_bracket", "c", "b")
        await settle(app, pilot)
        assert screen.base is None
        assert "change" not in tree(screen)[0]


async def test_a_snapshot_without_a_tree_says_so(imported: Session) -> None:
    app = dashboard(imported)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await settle(app, pilot)
        screen.query_one(HeapTimeline).focus()
        await pilot.press("home")
        await settle(app, pilot)
        notice = screen.query_one("#heap-notice", Notice)
        assert notice.display
        assert "no allocation tree" in notice.text
        await pilot.press("c")
        await settle(app, pilot)
        assert screen.base is None
        await pilot.press("right_square_bracket")
        await settle(app, pilot)
        assert not notice.display


async def test_processes_stacks_and_pages(two: Session) -> None:
    app = dashboard(two)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await settle(app, pilot)
        legends = {str(screen.query_one("#heap-legend", Static).content)}
        assert "(1 of 2, p: next)" in str(screen.query_one("#heap-time").border_subtitle)
        await pilot.press("p")
        await settle(app, pilot)
        legends.add(str(screen.query_one("#heap-legend", Static).content))
        assert any("stacks –" in text and "mapped" in text for text in legends)
        assert any("stacks –" not in text and "useful" in text for text in legends)
        await pilot.press("p")
        await settle(app, pilot)
        assert screen.place == 0


async def test_another_screen_leads_to_a_snapshot(two: Session) -> None:
    app = dashboard(two)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await settle(app, pilot)
        wanted = screen.content[1].profile.snapshots[2] if screen.content else None
        assert wanted is not None
        app.post_message(GoTo("heap", f"process=1&snapshot={wanted.index}"))
        await settle(app, pilot)
        assert (screen.place, screen.position) == (1, 2)


async def test_without_heap_data_it_says_how_to_get_some(
    tmp_path: Path,
) -> None:
    xml = Path("tests/data/memcheck/3.28-x86_64/memcheck-clean.xml")
    session = import_files([xml], tmp_path, directory=tmp_path / "clean")
    app = dashboard(session)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await settle(app, pilot)
        assert "record with -t massif" in screen.query_one("#notice", Notice).text


@pytest.mark.parametrize("file", sorted(DATA.glob("damaged/*")), ids=lambda f: f.name)
async def test_damaged_outputs_show_what_is_left(file: Path, tmp_path: Path) -> None:
    session = import_files([file], tmp_path, directory=tmp_path / "damaged")
    app = dashboard(session)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await settle(app, pilot)
        assert screen.content
        await pilot.press("home", "f", "t", "c", "right_square_bracket")
        await settle(app, pilot)


async def test_narrow_and_ascii(imported: Session) -> None:
    app = Dashboard.starting_in("heap")(
        imported.directory.parent, session=imported, ascii_only=True
    )
    async with app.run_test(size=(40, 12)) as pilot:
        screen = await settle(app, pilot)
        await pilot.press("f", "f")
        await settle(app, pilot)
        line = screen.query_one(HeapTimeline)
        drawn = [ascii_text(line.render_line(y).text) for y in range(line.size.height)]
        assert all(text.isascii() for text in drawn)
        assert "#" in "".join(drawn)
        await pilot.resize_terminal(20, 5)
        await settle(app, pilot)


async def test_keys_typed_faster_than_the_screen_follows(two: Session) -> None:
    app = dashboard(two)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await settle(app, pilot)
        sizes = [len(run.profile.snapshots) for run in screen.content or ()]
        assert len(set(sizes)) == 2  # a place in the longer is none in the shorter
        screen.query_one(HeapTimeline).action_edge(1)
        for _ in range(2):
            screen.action_process()  # what was said of the old one is still in the queue
            screen.action_compare()
            screen.action_show_tree(top_down=True)
            await settle(app, pilot)
            assert screen.position == screen.query_one(HeapTimeline).cursor
