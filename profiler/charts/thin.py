"""Long series made as short as a screen can show; what was left out is said."""

from dataclasses import dataclass
from typing import Any

# Twice the columns of a wide screen: a zoom by two still shows all there is to see.
MOST_POINTS = 4000


@dataclass(frozen=True, slots=True)
class Buckets:
    """`count` equal spans of time between `start` and `end` (seconds)."""

    start: float
    end: float
    count: int

    @property
    def width(self) -> float:
        return (self.end - self.start) / self.count

    def index(self, time: Any) -> Any:
        """The bucket of each time, as an integer array."""
        import numpy as np

        if self.end <= self.start:
            return np.zeros(len(time), dtype=np.int64)
        scaled = (np.asarray(time) - self.start) * (self.count / (self.end - self.start))
        return np.clip(scaled.astype(np.int64), 0, self.count - 1)

    def edges(self) -> Any:
        """The begin of each bucket, and the end of the last."""
        import numpy as np

        return self.start + np.arange(self.count + 1) * self.width

    def centres(self) -> Any:
        import numpy as np

        return self.start + (np.arange(self.count) + 0.5) * self.width


def bucket_mean(index: Any, values: Any, count: int) -> Any:
    """The mean of the values in each bucket; NaN where there are none."""
    import numpy as np

    good = ~np.isnan(values)
    sums = np.bincount(index[good], weights=values[good], minlength=count)
    sizes = np.bincount(index[good], minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(sizes > 0, sums / sizes, np.nan)


def bucket_max(index: Any, values: Any, count: int) -> Any:
    """The largest value in each bucket; NaN where there are none."""
    import numpy as np

    result = np.full(count, -np.inf)
    good = ~np.isnan(values)
    np.maximum.at(result, index[good], values[good])
    result[np.isneginf(result)] = np.nan
    return result
