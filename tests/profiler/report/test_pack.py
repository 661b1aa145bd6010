import math
from array import array

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from profiler.report.pack import pack, unpack

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text().filter(lambda k: k != "$"), inner)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text().filter(lambda key: key != "$"), JSON))
def test_documents_come_back(document: dict[str, object]) -> None:
    assert unpack(pack(document)) == document


@given(st.lists(st.floats(allow_nan=False)), st.lists(st.integers(-(2**31), 2**31 - 1)))
def test_columns_come_back(floats: list[float], integers: list[int]) -> None:
    document = {"a": array("d", floats), "b": [array("i", integers), "text"]}
    assert unpack(pack(document)) == {"a": floats, "b": [integers, "text"]}


def test_columns_of_64_bits_become_doubles() -> None:
    packed = pack(
        {"q": np.array([1, -(2**52)], dtype=np.int64), "m": memoryview(array("q", [7]))}
    )
    assert unpack(packed) == {"q": [1.0, -(2.0**52)], "m": [7.0]}


def test_a_shared_column_is_stored_once() -> None:
    column = array("d", (math.sin(i) for i in range(5000)))
    once, twice = pack({"x": column}), pack({"x": column, "y": column})
    assert len(twice) < len(once) * 1.01


def test_numbers_that_json_lacks_become_null() -> None:
    assert unpack(pack({"x": [math.nan, math.inf, 1.5]})) == {"x": [None, None, 1.5]}


def test_the_text_cannot_end_a_script_element() -> None:
    assert "<" not in pack({"name": "</script><script>alert(1)</script>"})


def test_lone_surrogates_survive() -> None:
    assert unpack(pack({"name": "\ud800"})) == {"name": "\ud800"}
