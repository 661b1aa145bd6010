"""What functions cost: the rows of a CostProfile summed by file and function."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from collectors.records.cost import UNKNOWN, CostProfile

# KCachegrind's estimate: an instruction 1 cycle, a first-level miss 10, a last-level 100,
# a mispredicted branch 10. A rule of thumb to rank by, not a time.
CYCLES = {
    "Ir": 1,
    "I1mr": 10,
    "D1mr": 10,
    "D1mw": 10,
    "ILmr": 100,
    "DLmr": 100,
    "DLmw": 100,
    "Bcm": 10,
    "Bim": 10,
}


@dataclass(frozen=True, slots=True)
class FunctionCosts:
    """Self costs: `counts[e]` is a float64 array (exact below 2^53), one entry a function.

    Functions are in order of falling estimated cycles. `measured` says which of `events`
    were counted at all.
    """

    events: tuple[str, ...]
    functions: Sequence[str]
    files: Sequence[str]
    counts: Any
    cycles: Any

    def __len__(self) -> int:
        return len(self.functions)

    def event(self, name: str) -> Any:
        """One event's column. Raises `ValueError` where it was not measured: ask `has`."""
        return self.counts[self.events.index(name)]

    def has(self, *names: str) -> bool:
        return all(name in self.events for name in names)


def function_costs(profiles: Sequence[CostProfile]) -> FunctionCosts:
    """Sum rows by (file, function) over all processes; the union of their events."""
    import numpy as np

    events = tuple(dict.fromkeys(event for profile in profiles for event in profile.events))
    keys: dict[tuple[str, str], int] = {}
    tables: list[tuple[Any, Any]] = []
    for profile in profiles:
        place = np.array(
            [keys.setdefault((s.file, s.fn), len(keys)) for s in profile.symbols],
            dtype=np.int64,
        )
        symbol = np.asarray(profile.row_symbol)
        sums = np.zeros((len(events), len(profile.symbols)))
        for name, column in zip(profile.events, profile.counts, strict=True):
            sums[events.index(name)] = np.bincount(
                symbol, weights=np.asarray(column), minlength=len(profile.symbols)
            )
        tables.append((place, sums))
    counts = np.zeros((len(events), len(keys)))
    for place, sums in tables:
        for row, values in zip(counts, sums, strict=True):
            np.add.at(row, place, values)
    cycles = np.zeros(len(keys))
    for row, name in zip(counts, events, strict=True):
        cycles += CYCLES.get(name, 0) * row
    if not cycles.any() and events:
        cycles = counts[0].copy()
    names = list(keys)
    order: Any = np.lexsort((np.arange(len(names)), -cycles))
    places: list[int] = order.tolist()
    return FunctionCosts(
        events,
        [names[i][1] for i in places],
        [names[i][0] for i in places],
        counts[:, order],
        cycles[order],
    )


def miss_rate(costs: FunctionCosts) -> Any | None:
    """D1 misses per data access of each function (NaN without accesses); None if unmeasured."""
    if not costs.has("Dr", "Dw", "D1mr", "D1mw"):
        return None
    import numpy as np

    accesses = costs.event("Dr") + costs.event("Dw")
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(
            accesses > 0, (costs.event("D1mr") + costs.event("D1mw")) / accesses, np.nan
        )


def short_name(function: str) -> str:
    """A C++ function without its parameters and template arguments, for narrow places.

    `ncnn::Mat::create(int, int)` is `ncnn::Mat::create`; operators keep their name.
    """
    if function == UNKNOWN:
        return function
    result: list[str] = []
    depth = 0
    index = 0
    while index < len(function):
        rest = function[index:]
        if depth == 0 and rest.startswith("operator"):
            end = rest.find("(", 10 if rest.startswith("operator()") else 8)
            result.append(rest if end < 0 else rest[:end])
            break
        letter = function[index]
        if depth == 0 and rest.startswith("(anonymous namespace)"):
            result.append("(anon)")
            index += len("(anonymous namespace)")
            continue
        if letter in "<(":
            if letter == "(" and depth == 0 and result and "".join(result).strip():
                break
            depth += 1
        elif letter in ">)":
            depth -= 1
        elif depth <= 0:
            result.append(letter)
        index += 1
    text = "".join(result).strip()
    words = text.split(" ")
    return (words[-1] if len(words) > 1 and "operator" not in text else text) or function
