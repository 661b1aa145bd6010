"""The dashboard's table and plot, in a real Textual application."""

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np
from rich.style import Style
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tui.text import width
from tui.widgets.braille_plot import BraillePlot, Series, levels
from tui.widgets.column_rows import ColumnRows, Names
from tui.widgets.filter_input import FilterInput
from tui.widgets.line_table import LineTable, Row, TableColumn, fit

HOSTILE = ("to_string[abi:cxx11](int)", "x[/]", "a\nb", "日本語.cpp", "operator[]")


class _Shown(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.table = LineTable([TableColumn("n", 6, right=True), TableColumn("name", 30)])
        self.plot = BraillePlot()
        self.filter_line = FilterInput()
        self.opened: list[int] = []

    def compose(self) -> ComposeResult:
        self.table.styles.height = 8
        self.plot.styles.height = 5
        yield self.table
        yield self.plot
        yield self.filter_line

    def on_line_table_row_selected(self, message: LineTable.RowSelected) -> None:
        self.opened.append(message.row)

    def on_filter_input_filtered(self, message: FilterInput.Filtered) -> None:
        self.table.set_filter(message.text)


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


def test_the_first_columns_stay_and_wide_screens_are_used() -> None:
    async def check(app: _Shown, pilot: Pilot[None]) -> None:
        app.table.frozen = 1
        app.table.set_columns(
            [TableColumn("name", 8, grow=True), *(TableColumn(f"c{i}", 9) for i in range(8))]
        )
        app.table.set_rows([("main", *range(8))])
        await pilot.pause()
        assert _lines(app.table)[1].split() == ["main", "0", "1", "2", "3"]
        await pilot.press("right", "right")
        app.table.scroll_to(x=99, animate=False, immediate=True)
        await pilot.pause()
        assert _lines(app.table)[1].split()[0] == "main"
        assert _lines(app.table)[1].split()[-1] == "7"
        app.table.set_columns([TableColumn("n", 4), TableColumn("name", 5, grow=True)])
        app.table.set_rows([(1, "a" * 40)])
        await pilot.pause()
        assert "a" * 40 in _lines(app.table)[1]

    _run(check)


def test_a_cell_has_its_own_style_also_below_the_cursor() -> None:
    async def check(app: _Shown, pilot: Pilot[None]) -> None:
        red = Style(color="red")
        app.table.set_columns(
            [TableColumn("n", 4, style=lambda v: red if v == 2 else None), TableColumn("x", 5)]
        )
        app.table.set_rows([(1, "one"), (2, "two")])
        await pilot.pause()
        drawn = list(app.table.render_line(2))
        assert [s.style.color for s in drawn if s.style and "2" in s.text] == [red.color]
        assert all(s.style and s.style.reverse for s in app.table.render_line(1))

    _run(check)


def test_enter_and_a_second_click_open_a_row() -> None:
    async def check(app: _Shown, pilot: Pilot[None]) -> None:
        app.table.set_rows([(1, "one"), (2, "two")])
        await pilot.press("down", "enter")
        await pilot.click(LineTable, offset=(2, 1))
        await pilot.click(LineTable, offset=(2, 1))
        await pilot.pause()
        assert app.opened == [1, 0]

    _run(check)


def test_rows_as_columns_sort_and_search_as_rows_do() -> None:
    async def check(app: _Shown, pilot: Pilot[None]) -> None:
        rows: list[Row] = [(3.0, "b[x]"), (None, "a\nb"), (7.0, "B[X]y"), (3.0, "日本")]
        names = [name for _, name in rows if isinstance(name, str)]
        counts = np.array([np.nan if n is None else n for n, _ in rows], dtype=float)
        source = ColumnRows([counts, Names(names, range(4))])
        assert [source[i] for i in range(4)] == rows
        for text in ("", "b[x]", "日", "nowhere"):
            for column, descending in ((0, True), (0, False), (1, False), (1, True)):
                found = []
                for given in (rows, source):
                    app.table.filter_text = text
                    app.table.set_rows(given)
                    app.table.sort_by(column, descending=descending)
                    found.append([rows[i] for i in app.table.shown])
                key = [[row[column] for row in one] for one in found]
                if column == 0:
                    assert key[0] == key[1]
                assert sorted(map(str, found[0])) == sorted(map(str, found[1]))

    _run(check)


def test_the_filter_line_shows_only_in_use() -> None:
    async def check(app: _Shown, pilot: Pilot[None]) -> None:
        app.table.set_rows([(1, "one[x]"), (2, "two")])
        assert not app.filter_line.display
        app.filter_line.open(app.table)
        await pilot.press("[", "x")
        assert [app.table.rows[i][1] for i in app.table.shown] == ["one[x]"]
        await pilot.press("enter")
        assert app.focused is app.table
        assert app.filter_line.display
        app.filter_line.open(app.table)
        await pilot.press("escape")
        await pilot.pause()
        assert not app.filter_line.display
        assert len(app.table.shown) == 2
        assert app.table.show_row(1)
        assert app.table.shown[app.table.cursor] == 1

    _run(check)
