"""Scheduling rules about clocks: did the CPUs run as fast as they can?"""

from collections.abc import Iterator

from profiler.figures import plural
from profiler.finding import Finding, Severity, View, place
from profiler.fingerprint import fingerprint
from profiler.rules.scheduling_facts import SchedulingFacts
from profiler.thresholds import Thresholds

_HELD_DOWN = 2  # Android's thermal status "moderate"


def capped(facts: SchedulingFacts, limits: Thresholds) -> Iterator[Finding]:
    """Clocks that were held down, by what was measured of them or by what Android says."""
    slow = [
        (cpu, khz, largest)
        for cpu, khz, largest in facts.cpu_khz
        if 100 * khz / largest < limits.capped_percent
    ]
    after = facts.thermal[-1] if facts.thermal else None
    held = after is not None and after.level >= _HELD_DOWN
    heat = "" if after is None else f" Android's thermal status was {after.status} after it."
    if not slow and held:
        yield Finding(
            "sched-capped",
            Severity.WARNING,
            "The device is hot: Android holds its clocks down",
            heat.strip() + " At which clocks the CPUs ran was not measured to be low.",
            "Let the device cool and record again: times of a hot device are no measure.",
            place(View.SCHEDULING),
            fingerprint("sched-capped"),
            weight=12,
        )
    if not slow:
        return
    cpu, khz, largest = min(slow, key=lambda item: item[1] / item[2])
    yield Finding(
        "sched-capped",
        Severity.WARNING,
        f"Busy CPUs run at {100 * khz / largest:.0f} % of their clock: throttled, or capped",
        f"CPU {cpu} ran at {khz / 1e6:.2f} GHz of {largest / 1e6:.2f} GHz while it was more "
        f"than 80 % busy ({plural(len(slow), 'CPU')} so).{heat}",
        "Let the device cool, take it off the charger, and turn off power saving.",
        place(View.SCHEDULING),
        fingerprint("sched-capped"),
        weight=12,
    )
