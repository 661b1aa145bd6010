"""Costs of two sessions: functions are matched, lines may shift, inlining is told apart."""

from array import array
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from collectors.records.cost import CostProfile, Symbol
from profiler.diff.cost import CostDiff, cost_diff
from profiler.diff.matching import canonical_name
from tests.profiler.report.made_session import cost_profile

# function, file of the function, line, Ir
Row = tuple[str, str, int, int]


def made(rows: Sequence[Row]) -> CostProfile:
    symbols: dict[tuple[str, str], int] = {}
    files: dict[str, int] = {}
    row_symbol, row_line, row_file, counts = array("i"), array("i"), array("i"), array("q")
    for function, file, line, count in rows:
        row_symbol.append(symbols.setdefault((function, file), len(symbols)))
        row_file.append(files.setdefault(file, len(files)))
        row_line.append(line)
        counts.append(count)
    return CostProfile(
        ("Ir",),
        [Symbol(*key) for key in symbols],
        list(files),
        memoryview(row_symbol),
        memoryview(row_line),
        memoryview(row_file),
        (memoryview(counts),),
    )


def diff(before: Sequence[Row], after: Sequence[Row]) -> CostDiff:
    return cost_diff([made(before)], [made(after)])


def test_compilers_copies_have_one_name() -> None:
    assert canonical_name("f(int).isra.0.cold") == "f(int)"
    assert canonical_name("f(int) [clone .constprop.1]") == "f(int)"
    assert canonical_name("std::f(...)") == "std::f(...)"


def test_functions_are_matched_over_renamed_paths_and_copies() -> None:
    before = [("f", "/build/1/a.cpp", 3, 100), ("g.part.0", "/build/1/a.cpp", 9, 50)]
    after = [("f.isra.0", "/build/2/a.cpp", 3, 110), ("g", "/build/2/a.cpp", 9, 50)]
    found = diff(before, after)
    assert (found.changed, found.unchanged, found.new, found.gone) == (1, 1, 0, 0)
    (f,) = found.functions
    assert (f.function, f.was_file, f.file) == ("f", "/build/1/a.cpp", "/build/2/a.cpp")
    assert (f.before, f.after, f.delta) == ((100,), (110,), 10)


def test_files_of_one_name_are_told_apart_by_the_ends_of_their_paths() -> None:
    before = [("init", "/old/x/util.c", 1, 10), ("init", "/old/y/util.c", 1, 20)]
    after = [("init", "/new/y/util.c", 1, 20), ("init", "/new/x/util.c", 1, 10)]
    assert diff(before, after).changed == 0


def test_another_checkout_is_another_folder_for_all_files() -> None:
    # More than are compared by the ends of their paths, and in another order.
    names = [f"lib/1{n:03}/./x/../util.c" for n in range(120)]
    one = [("init", f"/home/a/tree/{name}", 1, 10 + n) for n, name in enumerate(names)]
    other = [("init", f"/ci//job/{name}", 1, 10 + n) for n, name in enumerate(names)]
    found = diff(one, other[::-1])
    assert (found.changed, found.unchanged, found.new, found.gone) == (0, 120, 0, 0)


def test_a_function_in_a_renamed_file_is_the_same() -> None:
    found = diff([("f", "/src/a.c", 1, 10)], [("f", "/src/b.cpp", 1, 12)])
    assert (found.changed, found.new, found.gone) == (1, 0, 0)
    assert found.functions[0].was_file == "/src/a.c"


def test_unknown_functions_are_not_matched_by_their_having_no_name() -> None:
    found = diff([("???", "/src/a.c", 1, 10)], [("???", "/src/b.c", 1, 10)])
    assert (found.new, found.gone) == (1, 1)


def test_a_renamed_function_is_gone_and_new() -> None:
    renamed = cost_profile()
    symbols = [Symbol("conv::tamed(float*)", renamed.symbols[0].file), *renamed.symbols[1:]]
    found = cost_diff([cost_profile()], [replace(renamed, symbols=symbols)])
    assert (found.new, found.gone, found.cycles[0]) == (1, 1, found.cycles[1])
    assert {f.before is None for f in found.functions} == {True, False}


def test_lines_that_shifted_are_the_same_lines() -> None:
    before = [("f", "a.c", 10, 100), ("f", "a.c", 11, 200), ("f", "a.c", 12, 7)]
    after = [("f", "a.c", 15, 100), ("f", "a.c", 16, 260), ("f", "a.c", 17, 7)]
    (f,) = diff(before, after).functions
    (line,) = f.lines
    assert (line.was_line, line.line, line.delta) == (11, 16, 60)


def test_inlining_is_no_change_of_the_program() -> None:
    before = [
        ("small", "a.c", 3, 1000),
        ("small", "a.c", 4, 500),
        ("caller", "a.c", 20, 70),
        ("other", "a.c", 40, 5),
    ]
    after = [  # two lines were added above; the call itself is saved
        ("caller", "a.c", 5, 1000),
        ("caller", "a.c", 6, 500),
        ("caller", "a.c", 22, 40),
        ("other", "a.c", 42, 6),
    ]
    found = {f.function: f for f in diff(before, after).functions}
    assert [(m.function, m.outward, m.cycles) for m in found["small"].moved] == [
        ("caller", True, 1500)
    ]
    assert (found["caller"].delta, found["caller"].own_delta) == (1470, -30)
    assert found["small"].own_delta == 0
    assert not found["other"].moved


def test_a_function_that_takes_anothers_place_in_the_file_did_not_get_its_costs() -> None:
    before = [("gone", "a.c", 3, 900), ("gone", "a.c", 4, 900), ("stays", "a.c", 10, 800)]
    after = [("stays", "a.c", 3, 1700), ("x", "a.c", 30, 5)]
    found = {f.function: f for f in diff(before, after).functions}
    assert found["stays"].own_delta == 900
    assert found["stays"].moved == []


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["f", "g", "h.cold", "???"]),
        st.sampled_from(["/a/x.c", "/b/x.c", "/a/y.c"]),
        st.integers(0, 9),
        st.integers(0, 1 << 40),
    ),
    max_size=12,
)


@given(ROWS, ROWS)
def test_the_sum_of_all_changes_is_the_change_of_the_sum(
    before: list[Row], after: list[Row]
) -> None:
    found = diff(before, after)
    assert sum(f.delta for f in found.functions) == found.cycles[1] - found.cycles[0]
    assert sum(f.own_delta for f in found.functions) == sum(f.delta for f in found.functions)
    assert found.total("Ir") == (sum(r[3] for r in before), sum(r[3] for r in after))


@given(ROWS)
def test_costs_against_themselves_have_no_change(rows: list[Row]) -> None:
    assert diff(rows, rows).changed == 0
