"""When a sampler's next output is due, so that nobody looks for it all the time.

Each look wakes a thread: a hundred looks a second cost as much as what they are for.
"""

_EARLIER_SECONDS = 0.0005  # each time that the output was there at the first look
_LATER_SECONDS = 0.005  # at most, each time that it was not
_NAP_SECONDS = 0.005  # between looks once it is due
_LONGEST_SECONDS = 1.0


class Rhythm:
    """Learns how long after their own time samples are here.

    They come one by one, or several at once where a link is slower than they: then as many
    are awaited as came last.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._longest = max(interval, _LONGEST_SECONDS)
        self._behind: float | None = None  # this machine's clock, against the samples'
        self._due = 0.0
        self._looks = 0

    def came(self, now: float, stamp: float, samples: int) -> None:
        """At `now` so many new samples were there, the last of them of the time `stamp`."""
        behind, before = now - stamp, self._behind
        far = before is None or abs(behind - before) > self._longest
        if self._looks > 1:  # it came since the look before
            if not (before is None or far):
                behind = min(behind, before + _LATER_SECONDS)
            self._behind = behind
        elif before is None or far:  # it was there: nobody knows since when
            self._behind = None
        else:
            self._behind = min(behind, before - _EARLIER_SECONDS)
        self._looks = 0
        self._due = now
        if self._behind is not None:
            self._due = stamp + self._behind + min(samples * self._interval, self._longest)

    def rest(self, now: float) -> float:
        """How long to sleep before the next look."""
        self._looks += 1
        return max(_NAP_SECONDS, min(self._due - now, self._longest))
