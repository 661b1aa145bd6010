"""Costs summed by function, file, module and line: exact, in order, the same by either way."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.records.cost import CostProfile, Symbol
from profiler.aggregate import cost
from profiler.aggregate.cost import by_file, by_function, by_line, by_module, group_sums

BIG = 9223372036854775807


def profile(events: tuple[str, ...], *rows: tuple[Symbol, int, tuple[int, ...]]) -> CostProfile:
    symbols = list(dict.fromkeys(row[0] for row in rows))
    files = list(dict.fromkeys(symbol.file for symbol in symbols))
    return CostProfile(
        events=events,
        symbols=symbols,
        files=files,
        row_symbol=memoryview(array("i", [symbols.index(row[0]) for row in rows])),
        row_line=memoryview(array("i", [row[1] for row in rows])),
        row_file=memoryview(array("i", [files.index(row[0].file) for row in rows])),
        counts=tuple(
            memoryview(array("q", [row[2][e] for row in rows])) for e in range(len(events))
        ),
    )


F = Symbol("f", "a.c", "/lib/a.so")
G = Symbol("g", "a.c", "/lib/a.so")
H = Symbol("f", "b.c")
ONE = profile(
    ("Ir", "Dr"), (F, 1, (5, 1)), (G, 9, (7, 0)), (F, 2, (4, 2)), (H, 1, (9, 3)), (F, 1, (1, 1))
)
TWO = profile(("Ir", "Bc"), (G, 9, (100, 50)))


def test_functions_of_one_profile_are_ranked_by_the_event_asked_for() -> None:
    sums = by_function([ONE])
    assert sums.top(2) == [(F, (10, 4)), (H, (9, 3))]
    assert sums.top(2, "Dr") == [(F, (10, 4)), (H, (9, 3))]
    assert sums.top(9)[-1] == (G, (7, 0))


def test_functions_of_several_profiles_are_summed_over_the_union_of_events() -> None:
    sums = by_function([ONE, TWO])
    assert sums.events == ("Ir", "Dr", "Bc")
    assert sums.top(1) == [(G, (107, 0, 50))]


def test_files_modules_and_lines() -> None:
    assert by_file([ONE]).top(9) == [("a.c", (17, 4)), ("b.c", (9, 3))]
    assert by_module([ONE]).top(9) == [("/lib/a.so", (17, 4)), ("???", (9, 3))]
    assert by_line([ONE], "a.c").top(9) == [(9, (7, 0)), (1, (6, 2)), (2, (4, 2))]


def test_no_profile_costs_nothing() -> None:
    assert by_function([]).top(5) == []


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(-BIG, BIG) | st.integers(-9, 9)), min_size=1
    )
)
def test_sums_by_numpy_are_the_exact_ones(rows: list[tuple[int, int]]) -> None:
    groups = memoryview(array("i", [group for group, _ in rows]))
    column = memoryview(array("q", [value for _, value in rows]))
    expected = group_sums(groups, [column], 5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cost, "_MANY_ROWS", 1)
        (sums,) = group_sums(groups, [column], 5)
    assert list(sums) == expected[0]


@given(
    st.lists(
        st.tuples(st.sampled_from("FGH"), st.integers(0, 3), st.integers(0, BIG)),
        min_size=1,
    )
)
def test_lines_summed_by_numpy_are_the_same(rows: list[tuple[str, int, int]]) -> None:
    symbols = {"F": F, "G": G, "H": H}
    made = profile(("Ir", "Dr"), *((symbols[s], line, (n, 1)) for s, line, n in rows))
    expected = by_line([made, TWO], "a.c")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cost, "_MANY_ROWS", 1)
        found = by_line([made, TWO], "a.c")
    assert (found.events, list(found.keys), list(found.counts)) == (
        expected.events,
        list(expected.keys),
        list(expected.counts),
    )
