"""The overview's boxes and words, on the session that comes with the package."""

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from collectors.records.shared import Shape
from profiler.error_kinds import KINDS, SHORT, kind_counted
from profiler.finding import Finding, Severity, View, place
from profiler.project import project_findings
from profiler.store import Session
from tui.app import Dashboard
from tui.text import width
from tui.verdicts import Verdict, judged
from tui.widgets.line_table import LineTable

Settle = Callable[[Pilot[int]], Awaitable[None]]


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (160, 48), (200, 50)])
async def test_the_boxes_end_at_one_edge(
    demo: Session, size: tuple[int, int], settle: Settle
) -> None:
    app = Dashboard.starting_in("overview")(demo.directory.parent, session=demo)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        boxes = list(app.screen.query(".box"))
        assert len(boxes) == 2
        assert {(box.region.x, box.region.right) for box in boxes} == {(0, size[0])}
        for table in app.screen.query(LineTable):
            assert table.virtual_size.width <= table.size.width
            for y in range(table.size.height):
                assert width(table.render_line(y).text) == table.size.width


async def test_the_costliest_function_has_its_short_name(demo: Session, settle: Settle) -> None:
    """Of a function in a template, what stands before its first bracket is half of a name."""
    app = Dashboard.starting_in("overview")(demo.directory.parent, session=demo)
    async with app.run_test(size=(240, 48)) as pilot:
        await settle(pilot)
        rows = app.screen.query_one("#tools", LineTable).rows
        found = {str(row[0]): str(row[2]) for row in (rows[i] for i in range(len(rows)))}
        assert "; most in lambda in infer (" in found["cachegrind"]


async def test_a_line_has_no_rule_of_its_own(demo: Session, settle: Settle) -> None:
    """No finding says that a thread of the demo starved, one that its caches are missed."""
    said = {finding.rule: finding.severity for finding in project_findings(demo)}
    assert "sched-starved" not in said
    assert said["cache-stride"] == "warning"
    app = Dashboard.starting_in("overview")(demo.directory.parent, session=demo)
    async with app.run_test(size=(240, 48)) as pilot:
        await settle(pilot)
        rows = app.screen.query_one("#tools", LineTable).rows
        found = {str(row[0]): str(row[2]) for row in (rows[i] for i in range(len(rows)))}
        assert found["schedstat"].startswith("● ")
        assert found["cachegrind"].startswith("▲ ")
        assert "1 invalid write, 1 invalid read, 1 unset condition" in found["memcheck"]


STARVED = Finding(
    "sched-starved", Severity.WARNING, "", "", "", place(View.SCHEDULING), "", weight=1
)


@pytest.mark.parametrize(
    ("shape", "sign"),
    [(Shape.SAMPLES, "warning"), (Shape.COST, "info"), (Shape.HEAP, "info")],
)
def test_a_line_is_as_bad_as_the_finding_on_it(shape: Shape, sign: str) -> None:
    assert judged(Verdict("info", ""), shape, [STARVED]).severity == sign


def test_every_kind_of_error_has_words_for_a_narrow_place() -> None:
    assert set(KINDS) - set(SHORT) == {"FatalSignal", "StopSignal"}  # no tool reports them
    assert kind_counted("Leak_StillReachable", 2) == "2 blocks still reachable"
    assert kind_counted("NewerThanThis", 1) == "1 NewerThanThis"
