"""Rows that are kept as columns, against the same rows sorted and searched one by one."""

import random
from itertools import product

import numpy as np
import pytest

from tui.widgets.column_rows import ColumnRows, Names
from tui.widgets.plain_rows import PlainRows

RANDOM = random.Random(5)  # noqa: S311  # rows, not secrets
TEXTS = ["Mat::create", "mat::row", "ncnn::forward", "???", "日本"]
ROWS = [
    (
        RANDOM.choice(TEXTS),
        RANDOM.randrange(9),  # so few that most have equals
        RANDOM.choice([None, 0.0, 0.25, 0.25, 1.5]),
    )
    for _ in range(400)
]


def both() -> tuple[ColumnRows, PlainRows]:
    texts, numbers, rates = zip(*ROWS, strict=True)
    columns = [
        Names(TEXTS, [TEXTS.index(text) for text in texts]),
        np.asarray(numbers, np.int64),
        np.asarray([np.nan if rate is None else rate for rate in rates]),
    ]
    return ColumnRows(columns), PlainRows(ROWS, None)


@pytest.mark.parametrize(
    ("column", "descending", "text"), product((1, 2), (True, False), (None, "mat", "zzz"))
)
def test_equal_rows_stay_in_order_and_unknown_ones_are_last(
    column: int, descending: bool, text: str | None
) -> None:
    ours, plain = both()
    for rows in (ours, ours):  # the second time from what was sorted before
        found = None if text is None else rows.matching(text)
        expected = None if text is None else plain.matching(text)
        if found is not None and expected is not None:
            assert list(found) == expected
        order = list(rows.ordered(found, column, descending=descending))
        assert order == plain.ordered(expected, column, descending=descending)


def test_another_column_is_sorted_anew() -> None:
    ours, plain = both()
    for column, descending in ((1, True), (2, True), (1, True), (1, False)):
        assert list(ours.ordered(None, column, descending=descending)) == plain.ordered(
            None, column, descending=descending
        )


def test_names_are_sorted_by_the_alphabet() -> None:
    ours, _ = both()
    order = ours.ordered(None, 0, descending=False)
    assert [ours[i][0] for i in order] == sorted((row[0] for row in ROWS), key=str.casefold)
