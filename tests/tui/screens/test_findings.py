"""The findings screen: what the rules say, and the way to the evidence."""

from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Static

from profiler.finding import Finding, Severity, View, place
from profiler.findings import session_findings
from profiler.importing import import_files
from profiler.store import Session
from tui.app import Dashboard
from tui.screens.errors import ErrorsScreen
from tui.screens.findings import FindingsScreen
from tui.screens.heap import HeapScreen
from tui.widgets.frame_lines import Notice, TabLine
from tui.widgets.line_table import LineTable

DATA = Path("tests/data")


async def settle(app: App[int], pilot: Pilot[int]) -> None:
    for _ in range(3):
        await pilot.pause()
        await app.workers.wait_for_complete()
    await pilot.pause()


def lines(app: App[int]) -> list[str]:
    table = app.screen.query_one("#findings-table", LineTable)
    return [table.render_line(y).text for y in range(table.size.height)]


async def test_the_worst_is_first_and_leads_to_its_evidence(imported: Session) -> None:
    found = session_findings(imported)
    app = Dashboard.starting_in("findings")(imported.directory.parent, session=imported)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        assert f"6 Findings ({len(found)})" in app.screen.query_one(TabLine).render_line(0).text
        for line, finding in zip(lines(app)[1:], found, strict=False):
            assert finding.title[:20] in line
            assert finding.rule[:20] in line
        text = str(app.screen.query_one("#findings-text", Static).content)
        assert found[0].evidence[:40] in text
        assert f"Next: {found[0].advice[:30]}" in text
        await pilot.press("y")
        assert found[0].title in app.clipboard
        wanted = next(
            i for i, f in enumerate(found) if f.place.get("record") not in {None, "0"}
        )
        await pilot.press(*["down"] * wanted, "enter")
        await settle(app, pilot)
        assert app.current_mode == "errors"
        assert isinstance(app.screen, ErrorsScreen)
        tree = app.screen.query_one("#errors-tree", LineTable)
        assert app.screen.groups is not None
        node = app.screen.groups.nodes[tree.row or 0]
        assert str(node.record) == found[wanted].place.get("record")


@pytest.mark.parametrize("view", [View.HEAP, View.CACHE])
async def test_each_kind_of_evidence_has_its_screen(
    imported: Session, view: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = {"snapshot": 3} if view is View.HEAP else {"function": "main"}
    made = Finding("r", Severity.INFO, "t", "e", "a", place(view, **key), "2" * 16)
    monkeypatch.setattr("tui.screens.findings.project_findings", lambda _session: (made,))
    app = Dashboard.starting_in("findings")(imported.directory.parent, session=imported)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press("enter")
        await settle(app, pilot)
        assert app.current_mode == view
        if isinstance(app.screen, HeapScreen):
            assert app.screen.profile.snapshots[app.screen.position].index == 3
        else:
            table = app.screen.query_one("#cache-table", LineTable)
            assert table.rows[table.row or 0][0] == "main"


async def test_names_are_never_markup_and_a_filter_narrows(
    imported: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [
        Finding(
            "memory-write", Severity.ERROR, "Writes in x[/]<b>\n日本", "[bold]e[/bold] x[/]",
            "advice [red]", place(View.ERRORS, record=0), "0" * 16,
        ),
        Finding(
            "heap-owner", Severity.INFO, "Holds", "much", "less", place(View.HEAP), "1" * 16
        ),
    ]  # fmt: skip
    monkeypatch.setattr("tui.screens.findings.project_findings", lambda _session: tuple(made))
    app = Dashboard.starting_in("findings")(imported.directory.parent, session=imported)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        assert "Writes in x[/]<b>\\n日本" in lines(app)[1]
        assert "✖" in lines(app)[1]
        assert "[bold]e[/bold] x[/]" in str(
            app.screen.query_one("#findings-text", Static).content
        )
        await pilot.press("slash", *"holds", "enter")
        await settle(app, pilot)
        assert "Holds" in lines(app)[1]
        await pilot.press("slash", *"zz")
        await settle(app, pilot)
        assert "no finding matches" in lines(app)[1]


async def test_a_clean_session_says_so(tmp_path: Path) -> None:
    xml = DATA / "memcheck/3.28-x86_64/memcheck-clean.xml"
    session = import_files([xml], tmp_path, directory=tmp_path / "clean")
    app = Dashboard.starting_in("findings")(tmp_path, session=session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        assert isinstance(app.screen, FindingsScreen)
        if not session_findings(session):
            notice = app.screen.query_one("#findings-none", Notice)
            assert "Nothing stands out in what was recorded (memcheck)" in notice.text
        await pilot.press("y", "enter")
