"""Lines of numbers are what formatting each number would give."""

import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from profiler.exports.number_lines import lines_below_headers, number_lines

EDGES = [0, 9, 10, 99, 100, 999, 1000, 1001, 999_999, 1_000_000, 10**9, (1 << 32) - 1, 1 << 32]
NUMBERS = [n + d for n in EDGES for d in (0, 1)] + [10**18, (1 << 63) - 1]
COUNTS = [*NUMBERS, *(-n for n in NUMBERS), -(1 << 63)]


def plain(rows: Sequence[tuple[int, ...]]) -> bytes:
    return b"".join(b"\n" + " ".join(map(str, row)).encode() for row in rows)


def columns(rows: Sequence[tuple[int, ...]]) -> list[NDArray[np.int64]]:
    return [np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)]


def test_numbers_of_every_length_and_sign() -> None:
    rows = [(abs(count) % (1 << 31), count, -1, 0) for count in COUNTS]
    (text,) = number_lines(columns(rows), np.zeros(len(rows), dtype=bool))
    assert text == plain(rows)


@given(
    st.lists(st.tuples(st.integers(0, (1 << 31) - 1), st.sampled_from(COUNTS)), min_size=1),
    st.data(),
)
def test_cuts_are_where_they_are_asked_for(
    rows: list[tuple[int, ...]], drawn: st.DataObject
) -> None:
    cuts = drawn.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    first, *pieces = number_lines(columns(rows), np.array(cuts, dtype=bool))
    assert len(pieces) == sum(cuts)
    assert b"\n".join([first, *pieces]) == plain(rows)


@pytest.mark.parametrize("rows", [0, 1, 1 << 14, (1 << 14) + 1, 1 << 15])
def test_headers_are_where_a_key_changes_across_pieces(rows: int) -> None:
    key = np.arange(rows, dtype=np.int32) // 5000
    ones = np.ones(rows, dtype=np.int64)
    text = b"".join(
        lines_below_headers([key], [ones, ones], lambda group: b"\n#%d\n" % group)
    ).decode()
    lines = text.split("\n")[1:]
    assert [line for line in lines if line.startswith("#")] == [
        f"#{group}" for group in range(-(-rows // 5000))
    ]
    assert lines.count("1 1") == rows
    assert len(lines) == rows + len([line for line in lines if "#" in line])


@given(
    st.lists(
        st.tuples(st.integers(0, 9), *[st.sampled_from([0, 0, 0, 7, -1000])] * 4), min_size=1
    )
)
def test_zeros_at_the_end_are_trimmed(rows: list[tuple[int, ...]]) -> None:
    (text,) = number_lines(columns(rows), np.zeros(len(rows), dtype=bool), trim=True)
    expected = [
        re.sub(r"^(\d+ -?\d+.*?)(?: 0)*$", r"\1", line)
        for line in plain(rows).decode().split("\n")
    ]
    assert text.decode().split("\n") == expected
