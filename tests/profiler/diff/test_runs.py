"""Figures of repeated runs."""

import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.diff.runs import Verdict, rank_sum_p, runs_delta

VALUES = st.lists(st.integers(0, 6).map(float), min_size=1, max_size=5)


@given(VALUES, VALUES)
def test_the_rank_sum_test_is_exact(before: list[float], after: list[float]) -> None:
    """Against every way to deal the values out to the two sides."""
    both = sorted([*before, *after])
    rank = {v: 2 * both.index(v) + both.count(v) + 1 for v in both}
    mean = len(after) * (len(both) + 1)
    far = abs(sum(rank[v] for v in after) - mean)
    sums = [sum(c) for c in combinations([rank[v] for v in both], len(after))]
    expected = sum(abs(s - mean) >= far for s in sums) / len(sums)
    assert rank_sum_p(before, after) == pytest.approx(expected)


def test_many_runs_give_nearly_the_same_p_as_few() -> None:
    chance = random.Random(5)  # noqa: S311
    for shift in (0.0, 0.5, 1.0):
        ten = (
            [chance.gauss(0, 1) for _ in range(10)],
            [chance.gauss(shift, 1) for _ in range(10)],
        )
        exact = rank_sum_p(*ten)
        # One run more on one side takes the other way to compute it.
        assert rank_sum_p([*ten[0], 0.0], ten[1]) == pytest.approx(exact, abs=0.15)


def test_a_clear_difference_is_shown_with_its_sign() -> None:
    before, after = [1.0, 1.1, 1.05, 0.98, 1.02], [1.5, 1.6, 1.55, 1.48, 1.52]
    assert runs_delta("wall time", "s", before, after).verdict is Verdict.MORE
    back = runs_delta("wall time", "s", after, before)
    assert back.verdict is Verdict.LESS
    assert back.interval is not None
    assert back.interval[1] < -0.3


def test_few_runs_say_nothing_however_far_apart() -> None:
    found = runs_delta("wall time", "s", [1.0, 1.0, 1.0, 1.0], [9.0, 9.0, 9.0, 9.0])
    assert found.verdict is Verdict.TOO_FEW
    assert runs_delta("wall time", "s", [1.0], [2.0]).interval is None


def test_identical_runs_are_hardly_ever_told_apart() -> None:
    """Of 300 comparisons of the same distribution about 1 % may err; 3 % would be a fault."""
    chance = random.Random(7)  # noqa: S311
    wrong = 0
    for _ in range(300):
        before = [chance.lognormvariate(0, 0.2) for _ in range(8)]
        after = [chance.lognormvariate(0, 0.2) for _ in range(8)]
        wrong += runs_delta("x", "s", before, after).verdict is not Verdict.NONE_SHOWN
    assert wrong <= 9
