"""An error bears one sign wherever it is listed: among errors, findings and tools."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from profiler.importing import import_files
from profiler.project import project_findings
from profiler.store import Session
from tui.app import Dashboard
from tui.screens.errors import ErrorsScreen
from tui.widgets.line_table import LineTable
from tui.widgets.tree_table import TreeTable

Settle = Callable[[Pilot[int]], Awaitable[None]]
LOST_ONCE = """<?xml version="1.0"?>
<valgrindoutput>
<protocolversion>4</protocolversion><protocoltool>memcheck</protocoltool>
<pid>7</pid><ppid>6</ppid><tool>memcheck</tool>
<args><vargv><exe>valgrind</exe></vargv><argv><exe>./app</exe></argv></args>
<status><state>RUNNING</state><time>0</time></status>
<error><unique>0x1</unique><tid>1</tid><kind>Leak_DefinitelyLost</kind>
<xwhat><text>{bytes} bytes in 1 blocks are definitely lost in loss record 1 of 1</text>
<leakedbytes>{bytes}</leakedbytes><leakedblocks>1</leakedblocks></xwhat>
<stack><frame><ip>0x9</ip><obj>/home/me/app</obj><fn>start</fn>
<dir>/home/me</dir><file>app.cpp</file><line>3</line></frame></stack></error>
<status><state>FINISHED</state><time>9</time></status>
</valgrindoutput>
"""


def signs(table: LineTable) -> set[str]:
    """The signs of the rows that name the place."""
    shown = [table.render_line(y).text.strip() for y in range(table.size.height)]
    return {line[0] for line in shown if "app.cpp:3" in line}


@pytest.mark.parametrize(("lost", "sign"), [(16, "●"), (40_000, "▲")])
async def test_a_leak_bears_the_sign_of_its_finding(
    lost: int, sign: str, tmp_path: Path, settle: Settle
) -> None:
    xml = tmp_path / "memcheck.xml"
    xml.write_text(LOST_ONCE.format(bytes=lost))
    session = import_files([xml], tmp_path, directory=tmp_path / "session")
    app = Dashboard.starting_in("errors")(tmp_path, session=session)
    async with app.run_test(size=(160, 40)) as pilot:
        await settle(pilot)
        assert signs(app.screen.query_one(TreeTable)) == {sign}
        await pilot.press("6")
        await settle(pilot)
        assert signs(app.screen.query_one(LineTable)) == {sign}
        await pilot.press("1")
        await settle(pilot)
        found = app.screen.query_one("#tools", LineTable).rows[0]
        assert f"{sign} 1 report" in str(found)
        assert signs(app.screen.query_one("#stands-out", LineTable)) == {sign}


async def test_errors_bear_the_signs_of_the_findings(demo: Session, settle: Settle) -> None:
    app = Dashboard.starting_in("errors")(demo.directory.parent, session=demo)
    async with app.run_test(size=(160, 48)) as pilot:
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, ErrorsScreen)
        assert screen.groups is not None
        shown = {n.record: n.severity for n in screen.groups.nodes if n.record is not None}
    said = {
        int(number): finding.severity.value
        for finding in project_findings(demo)
        if (number := finding.place.get("record")) is not None
    }
    assert {"error", "warning"} <= set(said.values())
    assert {number: shown[number] for number in said} == said
