"""The columns behind the cost table agree with plain sums, on what the tools wrote."""

from array import array
from pathlib import Path

import numpy as np
import pytest

from collectors import registry
from collectors.records.cost import CostProfile, Symbol
from profiler.aggregate.cost import by_line, sum_by_function
from profiler.aggregate.cost_table import Grouping, cost_table, parse_weights
from profiler.functions import CYCLES, function_costs, miss_rate

DATA = Path("tests/data")


def read(tool: str, file: str) -> CostProfile:
    profile = registry.tool(tool).read(DATA / tool / file)
    assert isinstance(profile, CostProfile)
    return profile


@pytest.fixture(scope="module")
def bugs() -> CostProfile:
    return read("cachegrind", "3.19-x86_64/cachegrind.bugs-cache.out")


def test_every_grouping_sums_to_the_whole(bugs: CostProfile) -> None:
    for grouping in Grouping:
        table = cost_table([bugs, bugs], grouping)
        assert table.totals() == {event: 2 * n for event, n in bugs.totals().items()}
        assert len(table) == len(table.counts[0])


def test_large_counts_are_summed_without_loss() -> None:
    odd = (1 << 60) + 1  # floating point would lose the one
    shared = Symbol("f", "a.c"), Symbol("g", "a.c"), Symbol("h", "b.c")
    profile = CostProfile(
        events=("Ir",),
        symbols=shared,
        files=["a.c", "b.c"],
        row_symbol=memoryview(array("i", [0, 1, 2])),
        row_line=memoryview(array("i", [1, 2, 3])),
        row_file=memoryview(array("i", [0, 0, 1])),
        counts=(memoryview(array("q", [odd, 2, 3])),),
    )
    table = cost_table([profile], Grouping.MODULE)
    assert table.counts[0].tolist() == [odd + 5]


def test_functions_rates_and_cycles_are_those_of_the_report(bugs: CostProfile) -> None:
    table = cost_table([bugs], Grouping.FUNCTION)
    costs = function_costs([bugs])
    order = np.argsort(-table.cycles(CYCLES), kind="stable")
    assert [table.names[0][i] for i in order[:30]] == list(costs.functions[:30])
    assert np.array_equal(table.cycles(CYCLES)[order], costs.cycles)
    rates = {rate.title: values for rate, values in table.rates()}
    misses = miss_rate(costs)
    assert misses is not None
    assert np.array_equal(rates["D1 miss"][order], misses, equal_nan=True)
    assert set(rates) == {"I1 miss", "D1 miss", "LL miss", "mispr."}
    assert not table.cycles({}).any()


def test_weights_are_read_or_the_fault_is_named() -> None:
    assert parse_weights(" Ir=1  D1mr=12 ", ("Ir", "D1mr")) == {"Ir": 1, "D1mr": 12}
    faults = {
        "Ir": "NAME=NUMBER",
        "Ir=x": "Ir=x",
        "D1mw=3": "no event D1mw",
        "": "at least one event",
        "Ir=0": "at least one event",
    }
    for text, fault in faults.items():
        with pytest.raises(ValueError, match=fault):
            parse_weights(text, ("Ir", "D1mr"))


def test_branches_have_a_rate_and_events_a_weight() -> None:
    table = cost_table(
        [read("cachegrind", "3.19-x86_64/cachegrind.sort-branch.out")], Grouping.FUNCTION
    )
    rates = {rate.title: values for rate, values in table.rates()}
    totals = table.totals()
    of_all = np.nansum(rates["mispr."] * (table.counts[1] + table.counts[3]))
    assert list(table.events) == ["Ir", "Bc", "Bcm", "Bi", "Bim"]
    assert [rate.title for rate, _ in table.rates()] == ["mispr."]
    assert round(of_all) == totals["Bcm"] + totals["Bim"]
    assert table.cycles({"Bcm": 7}).sum() == 7 * totals["Bcm"]


def test_callgrind_counts_callees_too() -> None:
    profile = read("callgrind", "3.28-x86_64/callgrind.sort.out")
    table = cost_table([profile], Grouping.FUNCTION)
    assert table.inclusive is not None
    names = [table.names[0][i] for i in range(len(table))]
    whole = sum(table.counts[0].tolist())
    assert table.inclusive.max() <= whole
    assert table.inclusive[names.index("(below main)")] > 0.9 * whole
    assert (table.inclusive >= table.counts[0]).all()
    modules = cost_table([profile], Grouping.MODULE)
    assert any("libc" in modules.names[0][i] for i in range(len(modules)))


def test_lines_sum_to_their_file(bugs: CostProfile) -> None:
    files = cost_table([bugs], Grouping.FILE)
    _, functions = sum_by_function([bugs])
    assert sum(row.counts[0] for row in functions) == bugs.totals()["Ir"]
    for row in range(len(files)):
        lines = by_line([bugs], files.names[0][row])
        assert sum(lines.counts[0]) == files.counts[0][row]
