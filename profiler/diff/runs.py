"""Figures of repeated runs: is there a difference, or is it chance?

Times and switches vary from run to run, so that a difference is said to be one only when
two tests agree: the 95 % bootstrap interval of the difference of medians leaves out 0, and
the exact rank-sum test gives p <= 0.01. The latter takes five runs on each side.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

FEWEST_RUNS = 5
_RESAMPLES = 2000
_MOST_P = 0.01
_MOST_EXACT = 10  # above, the normal approximation is as good and far cheaper


class Verdict(StrEnum):
    """What can be said of two sets of runs."""

    MORE = "more"
    LESS = "less"
    NONE_SHOWN = "no difference shown"
    TOO_FEW = "too few runs to say"


@dataclass(frozen=True, slots=True)
class RunsDelta:
    """One figure of all runs of both sides.

    `interval` is the 95 % bootstrap interval of the difference of medians; None below two
    runs a side.
    """

    name: str
    unit: str
    before: tuple[float, ...]
    after: tuple[float, ...]
    interval: tuple[float, float] | None
    p: float | None
    verdict: Verdict

    @property
    def medians(self) -> tuple[float, float]:
        return median(self.before), median(self.after)


def runs_delta(
    name: str, unit: str, before: Sequence[float], after: Sequence[float]
) -> RunsDelta:
    """Compare one figure; each side has at least one value."""
    old, new = tuple(before), tuple(after)
    fewest = min(len(old), len(new))
    interval = _bootstrap(old, new) if fewest > 1 else None
    if fewest < FEWEST_RUNS or interval is None:
        return RunsDelta(name, unit, old, new, interval, None, Verdict.TOO_FEW)
    p = rank_sum_p(old, new)
    verdict = Verdict.NONE_SHOWN
    if p <= _MOST_P and (interval[0] > 0 or interval[1] < 0):
        verdict = Verdict.MORE if interval[0] > 0 else Verdict.LESS
    return RunsDelta(name, unit, old, new, interval, p, verdict)


def _bootstrap(before: tuple[float, ...], after: tuple[float, ...]) -> tuple[float, float]:
    chance = random.Random(1)  # noqa: S311  # the same sessions give the same answer
    differences = sorted(
        median(chance.choices(after, k=len(after)))
        - median(chance.choices(before, k=len(before)))
        for _ in range(_RESAMPLES)
    )
    return differences[_RESAMPLES // 40], differences[-_RESAMPLES // 40 - 1]


def rank_sum_p(before: Sequence[float], after: Sequence[float]) -> float:
    """The two-sided p of the rank-sum test: exact, ties included, for up to ten runs a side."""
    both = sorted((*before, *after))
    # Twice the mean rank of equal values, so that ranks stay whole numbers.
    first = {value: place for place, value in reversed(list(enumerate(both)))}
    last = {value: place for place, value in enumerate(both)}
    ranks = [first[value] + last[value] + 2 for value in both]
    observed = sum(first[value] + last[value] + 2 for value in after)
    size, whole = len(after), len(both)
    mean = size * (whole + 1)
    if max(len(before), size) > _MOST_EXACT:
        return _normal_p(ranks, observed, size)
    ways: list[dict[int, int]] = [{0: 1}, *({} for _ in range(size))]
    for rank in ranks:
        for count in range(size - 1, -1, -1):
            above = ways[count + 1]
            for total, number in ways[count].items():
                above[total + rank] = above.get(total + rank, 0) + number
    far = abs(observed - mean)
    extreme = sum(n for total, n in ways[size].items() if abs(total - mean) >= far)
    return extreme / sum(ways[size].values())


def _normal_p(ranks: Sequence[int], observed: int, size: int) -> float:
    from math import erfc, sqrt

    whole = len(ranks)
    mean = sum(ranks) / whole
    spread = sum((rank - mean) ** 2 for rank in ranks) / (whole - 1)
    deviation = sqrt(size * (whole - size) / whole * spread)
    return erfc(abs(observed - size * mean) / deviation / sqrt(2)) if deviation else 1.0
