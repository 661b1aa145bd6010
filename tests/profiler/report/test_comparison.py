"""The page of a comparison."""

import re
from array import array
from dataclasses import replace

import pytest

from collectors.records.errors import ErrorProfile, ErrorRecord
from collectors.records.samples import SampleProfile
from collectors.records.shared import Frame
from profiler.diff.compared import Compared
from profiler.diff.sessions import SessionDiff, compare
from profiler.manifest import State
from profiler.repeats import NativeRunOf
from profiler.report.comparison import render_comparison
from profiler.report.content import ReportInput
from tests.profiler.report.made_session import (
    content,
    cost_profile,
    error_profile,
    heap_profile,
)
from tests.profiler.report.test_page import parts


def side(made: ReportInput) -> Compared:
    """A session that was made by hand as a side of a comparison."""

    def runs() -> list[NativeRunOf]:
        samples = tuple(
            profile
            for capture in made.captures
            for profile in made.load(capture.tool).profiles
            if isinstance(profile, SampleProfile)
        )
        return [NativeRunOf(made.manifest.native, samples)] if samples else []

    return Compared(made.manifest, made.captures, lambda tool: made.load(tool).profiles, runs)


def difference(baseline: ReportInput, session: ReportInput) -> SessionDiff:
    return compare(side(baseline), side(session))


def grown() -> ReportInput:
    """Like the made session, with one error less, one more, and twice the heap."""
    frames = tuple(Frame(i, fn, file="a.cpp", line=1) for i, fn in enumerate(("late", "main")))
    late = ErrorRecord("InvalidFree", "InvalidFree happened", frames)
    return content(
        memcheck=(ErrorProfile([*error_profile().records[1:], late]),),
        massif=(heap_profile(6),),
    )


def test_the_page_says_what_is_new_and_what_is_fixed() -> None:
    page = render_comparison(difference(content(), grown()))
    assert "New: frees what is not allocated: a.cpp:1" in page
    assert "1 memory error of the baseline is gone" in page
    assert "Peak heap −" in page
    assert render_comparison(difference(content(), grown())) == page


@pytest.mark.parametrize("tool", ["memcheck", "cachegrind", "massif"])
def test_what_only_one_side_has_cannot_be_compared(tool: str) -> None:
    page = render_comparison(difference(content(**{tool: ()}), grown()))
    assert f"record both sessions with <code>-t {tool}</code>" in page


def test_without_native_runs_scheduling_cannot_be_compared() -> None:
    page = render_comparison(difference(content(vmstat=(), schedstat=()), grown()))
    assert "record both sessions with <code>-t schedstat</code>" in page


def test_equal_sessions_have_no_findings() -> None:
    page = render_comparison(difference(content(), content()))
    assert 'class="sign ok">✔ 0 new errors' in page
    assert "Nothing got worse in what was compared." in page
    assert "memory errors are in both." in page  # which is no praise
    assert "both are the same session" in page


def test_equal_sessions_are_told_to_be_so() -> None:
    page = render_comparison(difference(content(), content()))
    verdict = page.partition('<section id="errors"')[0]
    assert '<p class="finding ok"><span class="sign ok">✔</span> Nothing got worse' in verdict
    assert "No function costs more or less: 4 are the same." in page
    assert 'id="function-changes"' not in page.partition("</style>")[2]
    assert "(±0 %)" in page  # as the text has it
    errors = parts(page)["errors"]
    assert errors["opened"] is False
    assert not any("process" in record for record in errors["records"])
    assert parts(render_comparison(difference(content(), grown())))["errors"]["opened"]


def test_large_changes_are_told_as_the_text_does() -> None:
    made = heap_profile(2)
    little = [replace(s, heap_bytes=10, extra_bytes=0) for s in made.snapshots]
    small = content(massif=(replace(made, snapshots=little),))
    assert "Peak heap ×10246" in render_comparison(difference(small, content(massif=(made,))))


@pytest.mark.parametrize(("more", "noise"), [(100, True), (1000, False)])
def test_changes_as_small_as_those_of_equal_runs_are_called_so(more: int, noise: bool) -> None:
    made = cost_profile()
    ir = array("q", made.counts[0])
    ir[0] += more  # of some 120,000 estimated cycles
    other = replace(made, counts=(memoryview(ir), *made.counts[1:]))
    page = render_comparison(difference(content(), content(cachegrind=(other,))))
    assert "Which functions changed the most?" in page
    assert ("None is above 0.1 % of all cycles" in page) is noise


def test_the_tools_that_looked_are_named() -> None:
    clean = content(memcheck=(), helgrind=(ErrorProfile([]),), drd=(ErrorProfile([]),))
    page = render_comparison(difference(clean, clean))
    assert "Helgrind, DRD found no error in either" in page
    assert "Memcheck" not in page.partition('<section id="heap"')[0]


def test_a_new_leak_weighs_as_in_the_sessions_own_page() -> None:
    own = Frame(1, "start", "/home/me/app", "/home/me", "app.cpp", 3)
    lost = ErrorRecord(
        "Leak_DefinitelyLost", "16 bytes lost", (own,), leaked_bytes=16, leaked_blocks=1
    )
    written = ErrorRecord("InvalidWrite", "Invalid write of size 4", (own,))
    made = content(memcheck=(ErrorProfile([lost, written]),))
    clean = content(memcheck=(ErrorProfile([]),))
    findings = render_comparison(difference(clean, made)).partition('<section id="errors"')[0]
    first, second = re.findall(r'<li class="finding (\w+)"', findings)[:2]
    assert (first, second) == ("error", "info")
    assert findings.index("New: writes to") < findings.index("New: leaks 16 B: app.cpp:3")
    leak = content(memcheck=(ErrorProfile([lost]),))
    assert 'data-kind="new" data-severity="info"' in render_comparison(difference(clean, leak))


def test_a_tool_that_was_cut_short_has_not_found_nothing() -> None:
    clean = content(memcheck=(ErrorProfile([]),))
    captures = tuple(replace(c, state=State.PARTIAL) for c in clean.captures)
    page = render_comparison(difference(clean, replace(clean, captures=captures)))
    assert "found no error" not in page
    assert "Not whole: Memcheck." in page
    assert "✔" not in page.partition('<section id="errors"')[0]


def test_no_news_of_what_was_not_compared_is_no_good_news() -> None:
    page = render_comparison(difference(content(memcheck=()), content(memcheck=())))
    verdict = page.partition('<section id="errors"')[0]
    assert "✔" not in verdict
    assert "not compared: memory errors" in verdict
