from array import array
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.records.cost import Symbol
from collectors.records.errors import ErrorProfile, ErrorRecord
from collectors.records.shared import Frame
from profiler.functions import function_costs
from profiler.report.changes import Change, error_changes, function_changes
from profiler.report.comparison import render_comparison
from profiler.report.content import ReportInput
from tests.profiler.report.made_session import (
    content,
    cost_profile,
    error_profile,
    heap_profile,
)


def record(kind: str, *functions: str, ip: int = 1, line: int = 1) -> ErrorRecord:
    frames = tuple(Frame(ip + i, fn, file="a.cpp", line=line) for i, fn in enumerate(functions))
    return ErrorRecord(kind, f"{kind} happened", frames)


def changes(before: list[ErrorRecord], after: list[ErrorRecord]) -> list[tuple[str, str]]:
    found = error_changes([ErrorProfile(before)], [ErrorProfile(after)])
    return [(change.value, record.kind) for change, record in found]


def test_errors_are_matched_by_kind_and_functions_not_by_addresses_and_lines() -> None:
    before = [record("InvalidRead", "f", "main"), record("InvalidWrite", "g")]
    after = [record("InvalidRead", "f", "main", ip=99, line=7), record("InvalidRead", "h")]
    assert changes(before, after) == [
        ("new", "InvalidRead"),
        ("fixed", "InvalidWrite"),
        ("unchanged", "InvalidRead"),
    ]


def test_a_second_error_of_the_same_place_is_new() -> None:
    one = record("InvalidRead", "f")
    assert changes([one], [one, one]) == [("new", "InvalidRead"), ("unchanged", "InvalidRead")]


RECORDS = st.lists(
    st.builds(
        record, st.sampled_from(["A", "B"]), st.sampled_from("fgh"), st.sampled_from("xy")
    )
)


@given(RECORDS, RECORDS)
def test_every_error_is_counted_once(
    before: list[ErrorRecord], after: list[ErrorRecord]
) -> None:
    found = error_changes([ErrorProfile(before)], [ErrorProfile(after)])
    counts = {change: sum(c is change for c, _ in found) for change in Change}
    assert counts[Change.NEW] + counts[Change.UNCHANGED] == len(after)
    assert counts[Change.FIXED] + counts[Change.UNCHANGED] == len(before)


@given(RECORDS)
def test_a_session_against_itself_has_no_change(records: list[ErrorRecord]) -> None:
    assert {change for change, _ in changes(records, records)} <= {"unchanged"}


def test_functions_are_matched_by_name_and_file_name() -> None:
    moved = cost_profile("/elsewhere/checkout/conv.cpp")
    same = function_changes(function_costs([cost_profile()]), function_costs([moved]))
    assert {change.delta for change in same} == {0.0}
    faster = replace(moved, counts=tuple(_halved(column) for column in moved.counts))
    first = function_changes(function_costs([cost_profile()]), function_costs([faster]))[0]
    assert first.function.startswith("conv::hostile")
    assert first.instructions == (10_000, 5_000)
    assert first.misses == (3210, 1605)


def _halved(column: "memoryview[int]") -> "memoryview[int]":
    return memoryview(array("q", [value // 2 for value in column]))


def test_a_renamed_function_is_gone_and_new() -> None:
    renamed = cost_profile()
    symbols = [Symbol("conv::tamed(float*)", renamed.symbols[0].file), *renamed.symbols[1:]]
    found = function_changes(
        function_costs([cost_profile()]), function_costs([replace(renamed, symbols=symbols)])
    )
    assert {change.cycles[0] == 0 for change in found[:2]} == {True, False}
    assert sum(change.delta for change in found) == 0


def grown() -> ReportInput:
    """Like the made session, with one error less, one more, and twice the heap."""
    records = [*error_profile().records[1:], record("InvalidFree", "late", "main")]
    return content(memcheck=(ErrorProfile(records),), massif=(heap_profile(6),))


def test_the_page_says_what_is_new_and_what_is_fixed() -> None:
    page = render_comparison(content(), grown())
    assert "New: frees what is not allocated: a.cpp:1" in page
    assert "1 memory errors of the baseline are gone" in page
    assert "Peak heap −" in page
    assert render_comparison(content(), grown()) == page


@pytest.mark.parametrize("tool", ["memcheck", "cachegrind", "massif", "schedstat"])
def test_what_only_one_side_has_cannot_be_compared(tool: str) -> None:
    page = render_comparison(content(**{tool: ()}), grown())
    assert f"record both sessions with <code>-t {tool}</code>" in page


def test_equal_sessions_have_no_findings() -> None:
    page = render_comparison(content(), content())
    assert 'class="sign ok">✔ 0 problems' in page
    assert "Nothing stands out" in page
