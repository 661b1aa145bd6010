"""What `show` prints of real errors: every warning, and one line for one cause."""

import pytest

from profiler.summary import summarise
from tests.profiler.rules.conftest import Recorded
from tui.summary_text import summary_lines

pytestmark = pytest.mark.valgrind


def test_no_warning_is_left_out_and_one_cause_is_one_entry(recorded: Recorded) -> None:
    session = recorded("errors", "bad", "memcheck")
    summary = summarise(session)
    lines = list(summary_lines(session, summary))
    grave = [f for f in summary["findings"] if f["severity"] != "info"]
    assert len(grave) > 10
    assert sum(line.startswith(("  ✖", "  ▲")) for line in lines) == len(grave)
    start = next(i for i, line in enumerate(lines) if line.startswith("Is memory used"))
    listed = lines[start:]
    assert any("InvalidRead" in line and "3 reports of one cause" in line for line in listed)
    assert sum("UninitCondition" in line for line in listed) == 1
    assert "How the target ended" in lines
    assert "What is missing or damaged" not in lines


def test_all_leaves_nothing_out(recorded: Recorded) -> None:
    session = recorded("errors", "bad", "memcheck")
    summary = summarise(session)
    assert any("--all shows them" in line for line in summary_lines(session, summary))
    whole = list(summary_lines(session, summary, whole=True))
    assert not any("more report" in line or "more finding" in line for line in whole)
    assert sum(line.startswith(("  ✖", "  ▲", "  ●")) for line in whole) == len(
        summary["findings"]
    )
