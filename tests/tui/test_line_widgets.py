"""The dashboard's table and plot, in a real Textual application."""

import asyncio
from collections.abc import Awaitable, Callable

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tui.text import width
from tui.widgets.braille_plot import BraillePlot, Series, levels
from tui.widgets.line_table import LineTable, Row, TableColumn, fit

HOSTILE = ("to_string[abi:cxx11](int)", "x[/]", "a\nb", "日本語.cpp", "operator[]")


class _Shown(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.table = LineTable([TableColumn("n", 6, right=True), TableColumn("name", 30)])
        self.plot = BraillePlot()

    def compose(self) -> ComposeResult:
        self.table.styles.height = 8
        self.plot.styles.height = 5
        yield self.table
        yield self.plot


def _run(check: Callable[[_Shown, Pilot[None]], Awaitable[None]]) -> None:
    async def main() -> None:
        app = _Shown()
        async with app.run_test(size=(50, 20)) as pilot:
            app.table.focus()
            await check(app, pilot)

    asyncio.run(main())


def _lines(table: LineTable) -> list[str]:
    return [table.render_line(y).text for y in range(table.size.height)]


def test_names_are_shown_as_they_are() -> None:
    async def check(app: _Shown, pilot: Pilot[None]) -> None:
        app.table.set_rows([(i, name) for i, name in enumerate(HOSTILE)])
        await pilot.pause()
        lines = _lines(app.table)
        assert "to_string[abi:cxx11](int)" in lines[1]
        assert "x[/]" in lines[2]
        assert "a\\nb" in lines[3]
        assert {width(line) for line in lines} == {app.table.size.width}

    _run(check)


def test_sort_filter_and_cursor() -> None:
    async def check(app: _Shown, pilot: Pilot[None]) -> None:
        rows: list[Row] = [(1, "one"), (None, "unknown"), (30, "thirty"), (2, "TWO")]
        app.table.set_rows(rows)
        app.table.sort_by(0)
        assert list(app.table.shown) == [2, 3, 0, 1]
        await pilot.press("S")
        assert list(app.table.shown) == [0, 3, 2, 1]
        await pilot.press("down", "down")
        assert app.table.shown[app.table.cursor] == 2
        app.table.set_filter("two")
        assert list(app.table.shown) == [3]

    _run(check)


def test_the_end_of_a_long_table_is_reached_and_drawn() -> None:
    async def check(app: _Shown, pilot: Pilot[None]) -> None:
        app.table.set_rows([(i, f"function {i}") for i in range(100_000)])
        await pilot.pause()
        await pilot.press("end")
        await pilot.pause()
        assert any("function 99999" in line for line in _lines(app.table))
        app.table.set_filter("function 4242")
        await pilot.pause()
        assert len(app.table.shown) == 11
        assert "function 4242 " in _lines(app.table)[1]

    _run(check)


def test_a_cut_text_says_so_and_fills_its_cells() -> None:
    assert fit("日本語", 4) == "日~ "
    assert fit("7", 3, right=True) == "  7"


def test_levels_keep_the_highest_and_fill_gaps() -> None:
    assert levels([0, 1, 10], [1, 5, 2], 0, 10, 5) == [5, 5, 5, 5, 2]


def test_plot_shows_high_and_low_and_zooms() -> None:
    async def check(app: _Shown, pilot: Pilot[None]) -> None:
        app.plot.set_data([0, 1, 2, 3], [Series("heap", [0, 0, 9, 9], "blue", area=True)])
        await pilot.pause()
        top = app.plot.render_line(1).text
        assert top[:10].strip() == ""
        assert "\u28ff" in top[40:]
        assert "9 at the top" in app.plot.render_line(0).text
        app.plot.zoom(0.5)
        assert app.plot.window == (0.75, 2.25)
        app.plot.ascii_only = True
        app.plot.zoom(10)
        await pilot.pause()
        assert app.plot.window is None
        assert all(app.plot.render_line(y).text.isascii() for y in range(5))

    _run(check)
