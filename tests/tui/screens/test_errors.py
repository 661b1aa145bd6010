"""The errors screen on what Memcheck wrote, by its keys."""

from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input, Static

from profiler.importing import import_files
from profiler.store import Session
from tui.app import Dashboard
from tui.messages import GoTo
from tui.screens.errors import ErrorsScreen
from tui.screens.stack_pane import StackPane
from tui.widgets.frame_lines import KeyLine, Notice, TabLine
from tui.widgets.line_table import LineTable
from tui.widgets.source_view import CodeView
from tui.widgets.tree_table import TreeTable

DATA = Path("tests/data")
XML = """<?xml version="1.0"?>
<valgrindoutput>
<protocolversion>4</protocolversion><protocoltool>memcheck</protocoltool>
<pid>7</pid><ppid>6</ppid><tool>memcheck</tool>
<args><vargv><exe>valgrind</exe></vargv><argv><exe>./app</exe></argv></args>
<status><state>RUNNING</state><time>0</time></status>
<error><unique>0x0</unique><tid>1</tid><kind>InvalidWrite</kind>
<what>Invalid write of size 4</what>
<stack>
<frame><ip>0x1</ip><obj>/usr/lib/libc.so</obj><fn>memcpy</fn></frame>
<frame><ip>0x2</ip><obj>{dir}/app</obj><fn>put[abi:v1]&lt;int&gt;(日本)</fn>
<dir>{dir}</dir><file>put.cpp</file><line>2</line></frame>
<frame><ip>0x3</ip><obj>/usr/lib/libc.so</obj><fn>x[/]</fn></frame>
</stack>
<auxwhat>Address 0x50 is 0 bytes after a block of size 40 alloc'd</auxwhat>
<stack><frame><ip>0x4</ip><obj>{dir}/app</obj><fn>make</fn>
<dir>/gone</dir><file>gone.cpp</file><line>9</line></frame></stack>
<suppression><sname>insert_a_suppression_name_here</sname><skind>Memcheck:Addr4</skind>
<sframe><fun>memcpy</fun></sframe><rawtext>
{{
   <insert_a_suppression_name_here>
   Memcheck:Addr4
   fun:memcpy
}}
</rawtext></suppression>
</error>
<error><unique>0x1</unique><tid>1</tid><kind>UninitCondition</kind>
<what>Conditional jump</what>
<stack><frame><ip>0x9</ip><obj>/usr/lib/libfoo.so</obj><fn>foo</fn></frame></stack></error>
</valgrindoutput>
"""


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    (tmp_path / "put.cpp").write_text("void put(int *p) {\n\t*p = 1;  // [b]x[/b]\n}\n")
    xml = tmp_path / "memcheck.xml"
    xml.write_text(XML.format(dir=tmp_path))
    made = import_files([xml], tmp_path, directory=tmp_path / "session")
    monkeypatch.chdir(tmp_path)
    return made


def dashboard(session: Session) -> Dashboard:
    return Dashboard.starting_in("errors")(session.directory.parent, session=session)


async def settle(app: App[int], pilot: Pilot[int]) -> ErrorsScreen:
    for _ in range(2):
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
    assert isinstance(app.screen, ErrorsScreen)
    return app.screen


def lines(table: LineTable) -> list[str]:
    return [table.render_line(y).text for y in range(table.size.height)]


def tree(screen: ErrorsScreen) -> list[str]:
    return [line for line in lines(screen.query_one(TreeTable)) if line.strip()]


async def test_every_key_of_the_errors(session: Session, tmp_path: Path) -> None:
    app = dashboard(session)
    async with app.run_test(size=(160, 40)) as pilot:
        screen = await settle(app, pilot)
        assert "5 Errors (2)" in screen.query_one(TabLine).render_line(0).text
        assert "2 errors" in tree(screen)[1]
        assert "put.cpp:2" in tree(screen)[2]
        pane, code = screen.query_one(StackPane), screen.query_one(CodeView)
        frames = pane.frames
        assert "put[abi:v1]" in lines(frames)[2]
        assert "▸" in lines(frames)[2]
        assert frames.cursor == 1
        assert any("*p = 1;  // [b]x[/b]" in line for line in lines(code))
        assert code.cursor == 1
        marked = [line for line in lines(code) if line.startswith("▶")]
        assert [line.split()[1] for line in marked] == ["2"]
        said = str(screen.query_one("#stack-what", Static).content).splitlines()
        assert said[0].startswith("Invalid write of size 4")
        assert said[1] == "Address 0x50 is 0 bytes after a block of size 40 alloc'd"
        await pilot.press("x")
        await settle(app, pilot)
        frames = pane.frames  # beside the first
        assert "make" in lines(frames)[1]
        assert "[allocated]" in str(screen.query_one("#stack-tabs", Static).content)
        notice = screen.query_one("#stack-missing", Notice)
        assert "/gone/gone.cpp:9 is not on this machine" in notice.text
        await pilot.press("x", "m")
        await settle(app, pilot)
        assert "1 error" in tree(screen)[1]
        assert "1 without your code left out" in str(
            screen.query_one("#errors-groups").border_subtitle
        )
        frames = pane.frames
        assert "(1 frame of libraries)" in lines(frames)[3]
        await pilot.press("m", "g")
        await settle(app, pilot)
        assert "by kind" in str(screen.query_one("#errors-groups").border_title)
        await pilot.press("g")
        await settle(app, pilot)
        assert "by module" in str(screen.query_one("#errors-groups").border_title)
        await pilot.press("enter")
        assert frames.has_focus
        await pilot.pause()
        assert "Enter Open" in screen.query_one(KeyLine).render_line(0).text  # in the editor
        await pilot.press("escape")
        assert screen.query_one(TreeTable).has_focus
        await pilot.press("y")
        assert "put[abi:v1]<int>(日本) (put.cpp:2)" in app.clipboard
        await pilot.press("slash", *"uninit", "enter")
        await settle(app, pilot)
        assert len(tree(screen)) == 3
        await pilot.press("o")  # no source of that frame: said, nothing is opened


async def test_an_error_is_marked_as_known(session: Session, tmp_path: Path) -> None:
    app = dashboard(session)
    async with app.run_test(size=(160, 40)) as pilot:
        screen = await settle(app, pilot)
        await pilot.press("k")
        line = screen.query_one("#errors-file", Input)
        assert line.has_focus
        assert line.value == "droidgrind.supp"
        note = str(screen.query_one("#errors-note", Static).content)
        assert "Broad: it hides every Memcheck:Addr4 in memcpy, whichever line it is at" in note
        await pilot.press("escape")
        assert not Path("droidgrind.supp").exists()
        await pilot.press("k", "enter")
        await settle(app, pilot)
        written = Path("droidgrind.supp").read_text()
        assert "Memcheck:Addr4" in written
        assert "InvalidWrite in put" in written
        assert "known: put.cpp:2" in tree(screen)[2]
        assert "✔" in tree(screen)[2]
        said: list[str] = []
        app.notify = lambda text, **_: said.append(text)  # type: ignore[method-assign]
        await pilot.press("k", "enter")
        await settle(app, pilot)
        assert "already there" in said[0]
        assert 'suppressions = ["droidgrind.supp"] into droidgrind.toml' in said[1]
        Path("droidgrind.toml").write_text('suppressions = ["droidgrind.supp"]\n')
        said.clear()
        await pilot.press("k", "enter")
        await settle(app, pilot)
        assert len(said) == 1
        Path("droidgrind.toml").unlink()
        screen.query_one("#errors-file", Input).value = ""
        await pilot.press("k")
        screen.query_one("#errors-file", Input).value = str(tmp_path / "no" / "such")
        await pilot.press("enter")
        await settle(app, pilot)
        assert "there is no folder" in said[-1]
    app = dashboard(session)  # and it is known the next time
    async with app.run_test(size=(160, 40)) as pilot:
        screen = await settle(app, pilot)
        assert "known: put.cpp:2" in tree(screen)[2]
        assert "1 known in droidgrind.supp" in str(
            screen.query_one("#errors-note", Static).content
        )


async def test_another_screen_leads_to_an_error(session: Session) -> None:
    app = dashboard(session)
    async with app.run_test(size=(160, 40)) as pilot:
        screen = await settle(app, pilot)
        app.post_message(GoTo("errors", "record=1"))
        await settle(app, pilot)
        assert "foo" in lines(screen.query_one(StackPane).frames)[1]
        app.post_message(GoTo("errors", "record=99"))
        await settle(app, pilot)


@pytest.mark.parametrize(
    "file",
    [
        "memcheck/3.19-x86_64/memcheck-bugs-segv.xml",
        "memcheck/3.19-x86_64/memcheck-truncated-sigkill.xml",
        "memcheck/damaged/memcheck-ctrlchar.xml",
        "memcheck/3.28-x86_64/memcheck-clean.xml",
    ],
)
async def test_crashed_damaged_and_clean_outputs(file: str, tmp_path: Path) -> None:
    session = import_files([DATA / file], tmp_path, directory=tmp_path / "session")
    app = dashboard(session)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await settle(app, pilot)
        content = screen.content
        assert content is not None
        word = "no error" if not content.records else f"{len(content.records):,} error"
        assert word in tree(screen)[1]
        stacks = screen.query("#stack-columns > LineTable")
        assert sum(bool(stack.display) for stack in stacks) == 1 or content.records
        await pilot.press("x", "g", "m", "m", "down", "enter")
        await settle(app, pilot)
        assert screen.has_class("-zoomed") == screen.query_one(StackPane).frames.has_focus
        if "truncated" in file:
            await pilot.press("escape")
            note = str(screen.query_one("#errors-note", Static).content)
            assert "did not finish" in note


@pytest.mark.parametrize("columns", [100, 110, 120, 132, 160, 240])
async def test_lines_of_stacks_side_by_side_are_whole(
    session: Session, tmp_path: Path, columns: int
) -> None:
    xml = tmp_path / "long.xml"
    text = (tmp_path / "memcheck.xml").read_text()
    long = text.replace("put.cpp", "transposed_convolution.cpp").replace("gone.cpp", "long.cpp")
    xml.write_text(long.replace("<line>2<", "<line>1234<").replace("<line>9<", "<line>5678<"))
    app = dashboard(import_files([xml], tmp_path, directory=tmp_path / "long"))
    async with app.run_test(size=(columns, 40)) as pilot:
        screen = await settle(app, pilot)
        if columns == 100:  # what goes wrong takes it all
            await pilot.press("enter")
            await settle(app, pilot)
        stacks = screen.query("#stack-columns > LineTable").results(LineTable)
        for table, line in zip(stacks, ("1234", "5678"), strict=False):
            if table.display:
                shown = [text.rstrip() for text in lines(table)]
                assert any(text.endswith(f":{line}") for text in shown), shown


async def test_without_memcheck_it_says_how_to_get_it(tmp_path: Path) -> None:
    out = DATA / "massif/3.28-x86_64/massif.heap.out"
    app = dashboard(import_files([out], tmp_path, directory=tmp_path / "session"))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await settle(app, pilot)
        assert "record with -t memcheck" in screen.query_one("#notice", Notice).text
        await pilot.press("g", "m", "x", "k", "y", "o", "slash", "escape")


async def test_a_tiny_terminal(session: Session) -> None:
    app = dashboard(session)
    async with app.run_test(size=(20, 5)) as pilot:
        await settle(app, pilot)
        await pilot.press("enter", "x", "escape", "g")
        await settle(app, pilot)
