"""Errors of two sessions."""

from hypothesis import given
from hypothesis import strategies as st

from collectors.records.errors import ErrorProfile, ErrorRecord
from collectors.records.shared import Frame
from profiler.diff.errors import Change, error_changes


def record(
    kind: str,
    *functions: str,
    ip: int = 1,
    line: int = 1,
    leaked: int | None = None,
    obj: str = "/bin/app",
) -> ErrorRecord:
    frames = tuple(
        Frame(ip + i, fn, obj, file="a.cpp", line=line) for i, fn in enumerate(functions)
    )
    return ErrorRecord(kind, f"{kind} happened", frames, leaked_bytes=leaked)


def changes(before: list[ErrorRecord], after: list[ErrorRecord]) -> list[tuple[str, str]]:
    found = error_changes([ErrorProfile(before)], [ErrorProfile(after)])
    return [(change.change.value, change.record.kind) for change in found]


def test_errors_are_matched_by_kind_and_functions_not_by_addresses_and_lines() -> None:
    before = [record("InvalidRead", "f", "main"), record("InvalidWrite", "g")]
    after = [
        record("InvalidRead", "f.part.0", "main", ip=99, line=7),
        record("InvalidRead", "h"),
    ]
    assert changes(before, after) == [
        ("new", "InvalidRead"),
        ("fixed", "InvalidWrite"),
        ("unchanged", "InvalidRead"),
    ]


def test_the_program_may_have_another_name() -> None:
    old = [
        record("InvalidRead", "f", obj="/a/app-1"),
        record("InvalidRead", "g", obj="/lib/l.so"),
    ]
    new = [
        record("InvalidRead", "f", obj="/b/app-2"),
        record("InvalidRead", "g", obj="/lib/k.so"),
    ]
    profiles = [ErrorProfile(old)], [ErrorProfile(new)]
    found = [c.change.value for c in error_changes(*profiles, ("app-1", "app-2"))]
    assert found == ["new", "fixed", "unchanged"]  # other files are other files
    assert [c.change.value for c in error_changes(*profiles)].count("unchanged") == 0


def test_a_second_error_of_the_same_place_is_new() -> None:
    one = record("InvalidRead", "f")
    assert sorted(changes([one], [one, one])) == [
        ("new", "InvalidRead"),
        ("unchanged", "InvalidRead"),
    ]


def test_a_leak_that_has_grown_is_in_both_and_says_by_how_much() -> None:
    (change,) = error_changes(
        [ErrorProfile([record("Leak_DefinitelyLost", "f", leaked=100)])],
        [ErrorProfile([record("Leak_DefinitelyLost", "f", leaked=350)])],
    )
    assert (change.change, change.bytes_delta) == (Change.UNCHANGED, 250)


def test_a_leak_that_is_possibly_lost_today_is_the_one_that_was_definitely_lost() -> None:
    definite = record("Leak_DefinitelyLost", "f", leaked=100)
    possible = record("Leak_PossiblyLost", "f", leaked=30)
    for before, after, delta in (
        ([definite], [possible], -70),
        ([definite], [possible, definite], 30),
        ([possible, definite], [definite], -30),
        ([possible], [definite, possible], 100),
    ):
        (change,) = error_changes([ErrorProfile(before)], [ErrorProfile(after)])
        assert (change.change, change.bytes_delta) == (Change.UNCHANGED, delta)
    assert sorted(changes([definite], [definite, definite])) == [
        ("new", "Leak_DefinitelyLost"),
        ("unchanged", "Leak_DefinitelyLost"),
    ]
    reachable = record("Leak_StillReachable", "f", leaked=100)
    assert changes([reachable], [definite])[0] == ("new", "Leak_DefinitelyLost")


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
    counts = {change: sum(c.change is change for c in found) for change in Change}
    assert counts[Change.NEW] + counts[Change.UNCHANGED] == len(after)
    assert counts[Change.FIXED] + counts[Change.UNCHANGED] == len(before)


@given(RECORDS)
def test_a_session_against_itself_has_no_change(records: list[ErrorRecord]) -> None:
    assert {change for change, _ in changes(records, records)} <= {"unchanged"}
