"""The first and the last of many values: by columns as by a plain loop."""

import math
from array import array
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.records.samples import Column, Entity, SampleTable, Scope
from profiler.aggregate import samples
from profiler.tables.mapped import pieces

ENTITIES = 4
ROWS = st.lists(
    st.tuples(
        st.integers(0, ENTITIES - 1),
        st.just(math.nan) | st.integers(0, 9).map(float),
        st.integers(0, 9).map(float),
    )
)


def words(ends: dict[str, tuple[list[float], list[float]]]) -> str:
    return repr(ends)  # where NaN is like NaN


@given(ROWS)
def test_ends_of_many_rows_are_those_of_a_loop(rows: list[tuple[int, float, float]]) -> None:
    table = SampleTable(
        Scope.THREAD,
        (Column("gaps", "", ""), Column("whole", "", "")),
        [Entity(number) for number in range(ENTITIES)],
        memoryview(array("d", range(len(rows)))),
        memoryview(array("i", [entity for entity, _, _ in rows])),
        (
            memoryview(array("d", [value for _, value, _ in rows])),
            memoryview(array("d", [value for _, _, value in rows])),
        ),
    )
    plain = samples.first_and_last(table, ("gaps", "whole"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(samples, "_MANY_ROWS", 0)
        patch.setattr(samples, "pieces", partial(pieces, rows=3))
        assert words(samples.first_and_last(table, ("gaps", "whole"))) == words(plain)
