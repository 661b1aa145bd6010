"""The places of a file as columns."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any, cast

from collectors.records.heap import AllocPoint, AllocSites

_COLUMNS = {
    "tb": "total_bytes",
    "tbk": "total_blocks",
    "tl": "lifetime",
    "mb": "max_bytes",
    "mbk": "max_blocks",
    "gb": "peak_bytes",
    "gbk": "peak_blocks",
    "eb": "end_bytes",
    "ebk": "end_blocks",
    "rb": "read_bytes",
    "wb": "written_bytes",
}
_MOST_FRAMES = 10_000  # Valgrind writes 500 at most


class Places:
    """Places as they are added; `names` are what their stacks index.

    A place that names what is not there is not whole, but where the list of names is not:
    there its stack ends before the first that is missing.
    """

    def __init__(self, names: Sequence[AllocPoint], *, names_are_whole: bool) -> None:
        self.left_out = 0
        self._points = names
        self._names_are_whole = names_are_whole
        self._columns: dict[str, array[int]] = {}
        self._stack_starts, self._stack_points = array("q", [0]), array("i")
        self._run_starts, self._run_bytes = array("q", [0]), array("q")
        self._run_accesses = array("q")

    def add(self, places: Sequence[object]) -> None:
        """Add those that are whole; the others are counted as left out."""
        for place in places:
            if not isinstance(place, dict) or not self._add(cast("dict[str, Any]", place)):
                self.left_out += 1

    def sites(self) -> AllocSites:
        return AllocSites(
            {name: memoryview(column) for name, column in self._columns.items()},
            self._points,
            memoryview(self._stack_starts),
            memoryview(self._stack_points),
            memoryview(self._run_starts),
            memoryview(self._run_bytes),
            memoryview(self._run_accesses),
        )

    def _add(self, place: Mapping[str, Any]) -> bool:
        try:
            numbers = {name: place[key] for key, name in _COLUMNS.items() if key in place}
            array("q", numbers.values())
            stack, runs = array("i", place["fs"]), list(_runs(place.get("acc", ())))
            lengths = array("q", (length for length, _ in runs))
            accesses = array("q", (count for _, count in runs))
        except (KeyError, TypeError, OverflowError):
            return False
        if "total_bytes" not in numbers or min(numbers.values()) < 0:
            return False
        if len(stack) > _MOST_FRAMES:
            return False
        known = len(self._points)
        if stack and not 0 <= min(stack) <= max(stack) < known:
            if self._names_are_whole:
                return False
            stack = array("i", takewhile(range(known).__contains__, stack))
        before = len(self._stack_starts) - 1
        for name, value in numbers.items():
            column = self._columns.get(name)
            if column is None:
                column = self._columns[name] = array("q", [0]) * before
            column.append(value)
        if len(numbers) < len(self._columns):
            for column in self._columns.values():
                column.extend([0] * (before + 1 - len(column)))
        self._stack_points.extend(stack)
        self._stack_starts.append(len(self._stack_points))
        self._run_bytes.extend(lengths)
        self._run_accesses.extend(accesses)
        self._run_starts.append(len(self._run_bytes))
        return True


def _runs(numbers: Sequence[int]) -> Iterable[tuple[int, int]]:
    """Accesses of the block's bytes: `-8, 3` says 3 accesses for each of 8 bytes."""
    repeat = 1
    for number in numbers:
        if number < 0:
            repeat = -number
        else:
            yield repeat, number
            repeat = 1
