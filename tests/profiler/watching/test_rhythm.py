"""When the watcher looks for samples: seldom, and soon after they are there."""

import math
from collections.abc import Sequence

import pytest

from profiler.watching.rhythm import Rhythm


def follow(
    arrivals: Sequence[tuple[float, float, int]], interval: float
) -> tuple[int, list[float]]:
    """How often was looked, and how late each arrival (when, stamp, samples) was seen."""
    rhythm, now, looks = Rhythm(interval), arrivals[0][0] - 0.3, 0
    late: list[float] = []
    for when, stamp, samples in arrivals:
        while now < when:
            now += rhythm.rest(now)
            looks += 1
        late.append(now - when)
        rhythm.came(now, stamp, samples)
    return looks, late


@pytest.mark.parametrize("interval", [0.1, 1.0, 5.0])
def test_looks_little_more_than_once_a_sample(interval: float) -> None:
    stamps = [1000 + n * interval for n in range(400)]
    # The clocks differ, and one of them runs faster.
    arrivals = [
        (stamp * 1.00005 - 900 + 0.002 + abs(math.sin(stamp)) * 0.002, stamp, 1)
        for stamp in stamps
    ]
    looks, late = follow(arrivals, interval)
    assert looks < 2 * len(arrivals) + 1 / 0.005
    assert max(late[2:]) < 0.012
    assert sum(late[2:]) / len(late[2:]) < 0.006


def test_samples_that_are_sent_ten_at_once_are_awaited_for_as_long() -> None:
    arrivals = [(50 + n + 0.02, 1000 + n, 10) for n in range(100)]
    looks, late = follow(arrivals, 0.1)
    assert looks < 3 * len(arrivals)
    assert max(late[2:]) < 0.012


def test_after_a_sample_that_was_late_the_rhythm_is_found_again() -> None:
    arrivals = [(n / 10 + (0.08 if n == 50 else 0.002), 1000 + n / 10, 1) for n in range(100)]
    _looks, late = follow(arrivals, 0.1)
    assert max(late[51:]) < 0.012


def test_after_a_gap_the_rhythm_is_found_again() -> None:
    before = [(n / 10, 1000 + n / 10, 1) for n in range(50)]
    after = [(60 + n / 10, 1030 + n / 10, 1) for n in range(50)]
    _looks, late = follow(before + after, 0.1)
    assert max(late[52:]) < 0.012
