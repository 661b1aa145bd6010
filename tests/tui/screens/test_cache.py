"""The cache screen on what Cachegrind and Callgrind wrote, by its keys."""

import re
import shutil
import stat
from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input, Static

from profiler import functions
from profiler.aggregate.cost_table import Grouping
from profiler.importing import import_files
from profiler.store import Session
from tui.app import Dashboard
from tui.editor import editor_command
from tui.messages import GoTo
from tui.screens.cache import CacheScreen
from tui.text import width
from tui.widgets.frame_lines import Notice
from tui.widgets.line_table import LineTable
from tui.widgets.names_apart import clip_name
from tui.widgets.source_view import LineCost, SourceView, heat

DATA = Path("tests/data")
SOURCE = """\
// a program
int sum(const int *p, int n) {
\tint total = 0;  // [b]x[/b]
\tfor (int i = 0; i < n; i++) total += p[i];
\treturn total;
}
"""
OUT = """\
desc: I1 cache:         32768 B, 64 B, 8-way associative
cmd: ./app
events: Ir Dr D1mr
fl={source}
fn=sum[abi:v1]<int>(int const*, int)
3 10 2 0
4 900 300 150
9 5 0 0
fl=/nowhere/gone.cpp
fn=x[/]::operator[](日本)
0 7 1 0
12 80 40 1
summary: 1002 343 151
"""


@pytest.fixture
def annotated(tmp_path: Path) -> Session:
    source = tmp_path / "sum.cpp"
    source.write_text(SOURCE)
    out = tmp_path / "cachegrind.out.1"
    out.write_text(OUT.format(source=source))
    return import_files([out], tmp_path, directory=tmp_path / "session")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Session:
    files = [
        DATA / "cachegrind/3.19-x86_64/cachegrind.sort-branch.out",
        DATA / "callgrind/3.28-x86_64/callgrind.sort.out",
    ]
    root = tmp_path_factory.mktemp("costs")
    return import_files(files, root, directory=root / "both")


def dashboard(session: Session) -> Dashboard:
    return Dashboard.starting_in("cache")(session.directory.parent, session=session)


async def settle(app: App[int], pilot: Pilot[int]) -> CacheScreen:
    for _ in range(2):
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause(0.12)
    assert isinstance(app.screen, CacheScreen)
    return app.screen


def lines(table: LineTable) -> list[str]:
    return [table.render_line(y).text for y in range(table.size.height)]


def costs(screen: CacheScreen) -> list[str]:
    return lines(screen.query_one("#cache-table", LineTable))


async def test_every_key_of_the_cache(
    annotated: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = dashboard(annotated)
    async with app.run_test(size=(160, 30)) as pilot:
        screen = await settle(app, pilot)
        head, first, second, *_ = costs(screen)
        assert head.split()[:4] == ["function", "est.", "cycles", "▼"]
        assert first.split()[:5] == ["sum[abi:v1]", "2,415", "96.1", "%", "915"]
        assert "x[/]::operator[]" in second
        view = screen.query_one(SourceView)
        hot = next(line for line in lines(view) if "for (int i" in line)
        assert hot.split()[:4] == ["██", "4", "2,400", "99.4"]
        assert any("[b]x[/b]" in line for line in lines(view))
        assert any("(beyond the file's end)" in line for line in lines(view))
        assert view.line == 4
        await pilot.press("down")
        await settle(app, pilot)
        notice = screen.query_one("#cache-missing", Notice)
        assert "not on this machine" in notice.text
        assert any("(no line known)" in line for line in lines(view))
        await pilot.press("up", "enter")
        await settle(app, pilot)
        assert view.has_focus
        assert {"Ir", "Dr", "D1mr"} <= set(lines(view)[0].split())
        await pilot.press("n")
        assert view.line == 3
        await pilot.press("n", "n", "N")
        assert view.line == 9
        await pilot.press("s", "escape")
        await settle(app, pilot)
        assert screen.query_one("#cache-table").has_focus
        await pilot.press("g")
        await settle(app, pilot)
        assert "gone.cpp" in costs(screen)[2]
        said: list[str] = []
        monkeypatch.setattr(screen, "notify", lambda text, **_: said.append(text))
        await pilot.press("g")
        await settle(app, pilot)
        assert costs(screen)[0].startswith("function")  # Cachegrind tells no modules
        assert "Callgrind does" in said[0]


async def test_the_source_follows_the_sorted_figure(annotated: Session) -> None:
    app = dashboard(annotated)
    async with app.run_test(size=(160, 30)) as pilot:
        screen = await settle(app, pilot)
        await pilot.press("s", "s")  # share, then the D1 misses' rate is not there: Ir
        table = screen.query_one("#cache-table", LineTable)
        assert table.columns[table.sort_column or 0].title == "Ir"
        await settle(app, pilot)
        view = screen.query_one(SourceView)
        assert "Ir" in lines(view)[0]
        assert next(line for line in lines(view) if "for (int i" in line).split()[2] == "900"


async def test_what_a_key_asks_for_is_made_before(annotated: Session) -> None:
    app = dashboard(annotated)
    async with app.run_test(size=(160, 30)) as pilot:
        screen = await settle(app, pilot)
        assert screen.content is not None
        listings = screen.content.listings
        for _ in range(100):
            if all(listings.ready(0, grouping) for grouping in Grouping):
                break
            await pilot.pause(0.05)
        else:
            pytest.fail("files and modules were not summed ahead")
        await pilot.press("g")
        assert screen.table is not None
        assert screen.table.grouping is Grouping.FILE  # no thread was waited for


async def test_weights_change_the_estimate_at_once(annotated: Session) -> None:
    app = dashboard(annotated)
    async with app.run_test(size=(160, 30)) as pilot:
        screen = await settle(app, pilot)
        await pilot.press("w")
        line = screen.query_one("#cache-weights", Input)
        assert line.value == "Ir=1 D1mr=10"
        line.value = "Ir=1 D1mr=0"
        await settle(app, pilot)
        assert costs(screen)[1].split()[1] == "915"
        line.value = "Ir=1 nonsense"
        await settle(app, pilot)
        assert "NAME=NUMBER" in str(screen.query_one("#cache-note", Static).content)
        await pilot.press("enter")
        await settle(app, pilot)
        assert line.display  # it cannot be taken
        await pilot.press("escape")
        await settle(app, pilot)
        assert not line.display
        assert screen.weights == functions.CYCLES
        await pilot.press("w")
        line.value = "Ir=1 D1mr=0"
        await settle(app, pilot)
        await pilot.press("enter")
        await settle(app, pilot)
        assert not line.display
        assert costs(screen)[1].split()[1] == "915"


async def test_filter_and_what_another_screen_leads_to(annotated: Session) -> None:
    app = dashboard(annotated)
    async with app.run_test(size=(160, 30)) as pilot:
        screen = await settle(app, pilot)
        await pilot.press("slash", *"x[/]", "enter")
        await settle(app, pilot)
        assert "x[/]::operator[]" in costs(screen)[1]
        assert costs(screen)[2].strip() == ""
        await pilot.press("slash", *"nowhere")
        await settle(app, pilot)
        await pilot.press(*"zz")
        await settle(app, pilot)
        assert costs(screen)[1].strip() == "nothing matches the filter"
        await pilot.press("escape")
        app.post_message(GoTo("cache", "function=sum%5Babi:v1%5D&file=sum.cpp&line=3"))
        await settle(app, pilot)
        assert screen.query_one(SourceView).line == 3


async def test_callgrind_shows_inclusive_costs_and_modules(both: Session) -> None:
    app = dashboard(both)
    async with app.run_test(size=(200, 40)) as pilot:
        screen = await settle(app, pilot)
        box = screen.query_one("#cache-costs")
        seen = set()
        for _ in range(2):
            seen.add((str(box.border_subtitle).split(":")[0], "Ir incl." in costs(screen)[0]))
            await pilot.press("t")
            await settle(app, pilot)
        assert seen == {("cachegrind", False), ("callgrind", True)}
        while not str(box.border_subtitle).startswith("callgrind"):
            await pilot.press("t")
            await settle(app, pilot)
        for title in ("file", "module", "function"):
            await pilot.press("g")
            await settle(app, pilot)
            assert costs(screen)[0].startswith(title)


TWINS = """\
events: Ir
fl=/a/worker.cpp
fn=worker(int)
3 400
fl=/usr/include/bits/stl_algobase.h
fn=worker(int)
9 300
fl=/b/worker.cpp
fn=worker(int)
3 200
fn=alone(int)
3 100
summary: 1000
"""


async def test_rows_of_one_name_are_told_apart_by_their_files(tmp_path: Path) -> None:
    out = tmp_path / "cachegrind.out.1"
    out.write_text(TWINS)
    app = dashboard(import_files([out], tmp_path, directory=tmp_path / "session"))
    async with app.run_test(size=(160, 30)) as pilot:
        screen = await settle(app, pilot)
        assert [re.split("  +", line)[0] for line in costs(screen)[1:5]] == [
            "worker · /a/worker.cpp",
            "worker · stl_algobase.h",
            "worker · /b/worker.cpp",
            "alone",
        ]
        await pilot.press("slash", *"worker(")
        await settle(app, pilot)
        assert costs(screen)[4].strip() == ""  # the search is by the whole name


def test_a_long_name_is_shortened_before_its_file_is() -> None:
    text = "std::__unguarded_linear_insert · stl_algo.h"
    assert clip_name(text, 60) == text
    short = clip_name(text, 26)
    assert width(short) == 26
    assert short.startswith("std::__un")
    assert short.endswith(" · stl_algo.h")
    assert clip_name("std::__unguarded_linear_insert", 9) == "std::__unguarded_linear_insert"


async def test_rows_of_one_name_and_file_are_told_apart_by_their_modules(
    tmp_path: Path,
) -> None:
    out = tmp_path / "callgrind.out.1"
    modules = "ob=/lib/{0}.so\nfl=/a/x.c\nfn=init\n1 {1}\n"
    text = "version: 1\npositions: line\nevents: Ir\n"
    out.write_text(text + modules.format("libone", 20) + modules.format("libtwo", 10))
    app = dashboard(import_files([out], tmp_path, directory=tmp_path / "session"))
    async with app.run_test(size=(160, 30)) as pilot:
        screen = await settle(app, pilot)
        assert costs(screen)[1].startswith("init · x.c · libone.so ")
        assert costs(screen)[2].startswith("init · x.c · libtwo.so ")
        await pilot.press("g", "g")
        await settle(app, pilot)
        assert "libone.so" in costs(screen)[1]


@pytest.mark.parametrize("size", [(80, 24), (20, 5), (300, 60)])
async def test_any_size(both: Session, size: tuple[int, int]) -> None:
    app = dashboard(both)
    async with app.run_test(size=size) as pilot:
        screen = await settle(app, pilot)
        assert screen.has_class("-narrow") == (size[0] < 140)
        await pilot.press("enter")
        await settle(app, pilot)
        assert screen.query_one(SourceView).has_focus
        await pilot.press("escape")


async def test_nothing_recorded_or_damaged(tmp_path: Path) -> None:
    xml = DATA / "memcheck/3.28-x86_64/memcheck-clean.xml"
    app = dashboard(import_files([xml], tmp_path, directory=tmp_path / "clean"))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await settle(app, pilot)
        assert "record with -t cachegrind" in screen.query_one("#notice", Notice).text
        await pilot.press("g", "w", "o", "t", "enter")
    cut = DATA / "cachegrind/damaged/cachegrind.sort-cache-cut.out"
    app = dashboard(import_files([cut], tmp_path, directory=tmp_path / "cut"))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await settle(app, pilot)
        assert "%" in costs(screen)[1]


def test_editors_are_given_the_line_in_their_own_way() -> None:
    assert editor_command("vim -R", "a b.c", 3) == ["vim", "-R", "+3", "a b.c"]
    assert editor_command("/usr/bin/code -w", "a.c", 3)[-2:] == ["--goto", "a.c:3"]
    assert editor_command("hx", "a.c", 3) == ["hx", "a.c:3"]


async def test_the_editor_is_asked_for_or_what_hinders_is_said(
    annotated: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    app = dashboard(annotated)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "")
    async with app.run_test(size=(160, 30)) as pilot:
        await settle(app, pilot)
        said: list[str] = []
        monkeypatch.setattr(app, "notify", lambda text, **_: said.append(text))
        await pilot.press("o")
        monkeypatch.setenv("EDITOR", "no-such-editor")
        await pilot.press("o")
        script = tmp_path / "editor"
        script.write_text("#!/bin/sh\n")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("EDITOR", str(script))
        await pilot.press("o")  # a headless terminal cannot be left
        monkeypatch.setenv("EDITOR", "'")
        await pilot.press("o")
        await pilot.press("down")
        await settle(app, pilot)
        await pilot.press("o")
        assert [
            any(word in text for word in words)
            for text, words in zip(
                said,
                (
                    ["Set EDITOR"],
                    ["no such program"],
                    ["No editor can be opened"],
                    ["No closing quotation"],
                    ["not on this machine"],
                ),
                strict=True,
            )
        ] == [True] * 5


def test_heat_has_a_sign_for_each_share() -> None:
    assert [heat(share) for share in (0, 0.01, 0.05, 0.2, 0.5, 1)] == [
        "",
        "░░",
        "▒▒",
        "▓▓",
        "██",
        "██",
    ]
    assert LineCost(1.0, (1,)).chosen == 1.0
    assert shutil.which("sh")
