"""The dashboard's table, in a real Textual application."""

import asyncio
from collections.abc import Awaitable, Callable

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tui.text import width
from tui.widgets.filter_input import FilterInput
from tui.widgets.line_table import LineTable, Row, TableColumn, fit

HOSTILE = ("to_string[abi:cxx11](int)", "x[/]", "a\nb", "日本語.cpp", "operator[]")


class _Shown(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.table = LineTable([TableColumn("n", 6, right=True), TableColumn("name", 30)])
        self.filter_line = FilterInput()
        self.opened: list[int] = []

    def compose(self) -> ComposeResult:
        self.table.styles.height = 8
        yield self.table
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


def test_a_table_may_be_without_columns_for_now() -> None:
    async def check(app: _Shown, pilot: Pilot[None]) -> None:
        app.table.set_columns(())
        await pilot.pause()
        assert "".join(_lines(app.table)).strip() == ""

    _run(check)


def test_no_figure_is_cut_off_at_the_edge() -> None:
    async def check(app: _Shown, pilot: Pilot[None]) -> None:
        figures = [TableColumn(f"n{i}", 12, right=True) for i in range(6)]
        app.table.set_columns([TableColumn("name", 8), *figures])
        app.table.set_rows([("a", *(1_234_567_890 + i for i in range(6)))])
        for left in range(40):
            app.table.scroll_to(x=left, animate=False, immediate=True)
            await pilot.pause()
            last = _lines(app.table)[1].split()[-1]
            assert last in {str(1_234_567_890 + i) for i in range(6)}, left

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
