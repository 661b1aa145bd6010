"""The part of a track that is on the screen, and its slots, kept from tick to tick."""

import math
from dataclasses import dataclass

from profiler.watching.track import Track
from profiler.watching.window import Slots

NOW_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ShownTime:
    """From `start` to `end` on the track's clock.

    `live`: samples still come. `follows`: and the newest is what is looked at.
    """

    track: Track
    start: float
    end: float
    live: bool
    follows: bool

    @property
    def now(self) -> tuple[float, float]:
        """The time that a heading's figures are of: the last second, or what is shown."""
        if self.follows:
            return max(self.start, self.end - NOW_SECONDS), self.end
        return self.start, self.end


class KeptSlots:
    """The slots of each plot, by its name."""

    def __init__(self) -> None:
        self._kept: dict[str, Slots] = {}
        self._drawn: dict[str, Slots] = {}

    def of(self, name: str, shown: ShownTime, count: int, *, of_cell: int = 1) -> Slots:
        """The slots of one plot, which take over what stays from those a tick before.

        While following, a plot changes when all slots of a cell are over, not with every
        sample: how many there are in one is `of_cell`.
        """
        before = self._kept.get(name)
        track, start, end = shown.track, shown.start, shown.end
        if shown.follows:
            seconds = end - start
            width = max(1e-6, round(seconds / count, 9))
            end = math.floor(end / width / of_cell) * of_cell * width
            start = end - seconds
            if (
                before is not None
                and before.track is track
                and before.count == count
                and before.thinnings == track.thinnings
                and abs(before.end - end) < width / 2
                and abs(before.width - width) < 1e-6
            ):
                return before
        slots = self._kept[name] = Slots(track, start, end, count, before)
        return slots

    def stale(self, name: str, slots: Slots) -> bool:
        """Whether a plot shows other slots than these; from now on it shows them."""
        stale = self._drawn.get(name) is not slots
        self._drawn[name] = slots
        return stale
