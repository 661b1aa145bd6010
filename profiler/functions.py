"""What functions cost: the rows of a CostProfile summed by file and function."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import Any

from collectors.records.cost import UNKNOWN, CostProfile, symbol_names
from collectors.records.shared import Frame
from profiler.aggregate.cost import by_function

# A session asks for the same few thousand names again and again.
_REMEMBERED = 1 << 14

# KCachegrind's estimate: an instruction 1 cycle, a first-level miss 10, a last-level 100,
# a mispredicted branch 10. A rule of thumb to rank by, not a time.
TERMS = (
    (1, "instructions", ("Ir",)),
    (10, "first-level misses", ("I1mr", "D1mr", "D1mw")),
    (100, "last-level misses", ("ILmr", "DLmr", "DLmw")),
    (10, "mispredicted branches", ("Bcm", "Bim")),
)
CYCLES = {event: weight for weight, _, events in TERMS for event in events}
ESTIMATE = "estimated cycles"


def weights_of(events: Sequence[str]) -> dict[str, int]:
    """What each event counts for; the first event alone where none of them takes cycles.

    Such are the bytes and blocks of `--xtree-memory` and `--xtree-leak`.
    """
    known = any(event in CYCLES for event in events)
    return dict(CYCLES) if known else dict.fromkeys(events[:1], 1)


def estimate_formula(events: Sequence[str]) -> str:
    """How the estimate is made of what was counted: `Ir + 10 × (I1mr + D1mr + D1mw) + …`."""
    terms: list[str] = []
    for weight, _, wanted in TERMS:
        counted = [event for event in wanted if event in events]
        if counted:
            total = " + ".join(counted)
            total = f"({total})" if len(counted) > 1 and weight != 1 else total
            terms.append(total if weight == 1 else f"{weight} × {total}")
    return " + ".join(terms)


@dataclass(frozen=True, slots=True)
class FunctionCosts:
    """Self costs: `counts[e]` is a float64 array (exact below 2^53), one entry a function.

    Functions are in order of falling estimated cycles. `measured` says which of `events`
    were counted at all.
    """

    events: tuple[str, ...]
    functions: Sequence[str]
    files: Sequence[str]
    objects: Sequence[str | None]
    counts: Any
    cycles: Any

    def __len__(self) -> int:
        return len(self.functions)

    def event(self, name: str) -> Any:
        """One event's column. Raises `ValueError` where it was not measured: ask `has`."""
        return self.counts[self.events.index(name)]

    @property
    def ranked_by(self) -> str:
        """What `cycles` holds: an estimate, or the first event where none takes cycles."""
        return ESTIMATE if any(event in CYCLES for event in self.events) else self.events[0]

    def has(self, *names: str) -> bool:
        return all(name in self.events for name in names)


def function_costs(profiles: Sequence[CostProfile]) -> FunctionCosts:
    """The sums of all processes, functions in order of falling estimated cycles."""
    import numpy as np

    sums = by_function(profiles)
    counts = np.array(sums.counts, dtype=np.float64).reshape(len(sums.events), len(sums.keys))
    cycles = np.zeros(len(sums.keys))
    weights = weights_of(sums.events)
    for row, name in zip(counts, sums.events, strict=True):
        cycles += weights.get(name, 0) * row
    order: Any = np.lexsort((np.arange(len(sums.keys)), -cycles))
    places: list[int] = order.tolist()
    functions, files, objects = symbol_names(sums.keys)
    return FunctionCosts(
        sums.events,
        [functions[place] for place in places],
        [files[place] for place in places],
        [objects[place] for place in places],
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


# What calls a lambda, and holds its code where the compiler has inlined it.
_LAMBDA_CALL = re.compile(r"\}.*?(operator\(\)|::_M_invoke|::__invoke)")
# The type of a lambda as linkers, GCC's and Clang's debug information name it.
_LAMBDA = re.compile(r"::\{lambda\(|::<lambda\(|\((lambda) at ")
_CALL = "operator()"
_CALL_IN = f"{_CALL} in "


def _lambda_owner(function: str) -> str | None:
    """The function that a lambda stands in, if `function` is one (or std::function's call)."""
    end = function.rfind("::{lambda(")
    if end < 0 or _LAMBDA_CALL.search(function, end) is None:
        return None
    return _function_before(function, end)


def _function_before(function: str, end: int) -> str | None:
    """The last part of the name of the function that ends at `end`."""
    owner = function[:end].removesuffix(" const")
    if owner.endswith(")"):
        depth = 0
        for place in range(len(owner) - 1, -1, -1):
            depth += (owner[place] == ")") - (owner[place] == "(")
            if not depth:
                owner = owner[:place]
                break
    found = re.search(r"[\w~$]+$", owner)
    return found[0] if found else None


def distinct_names(functions: Sequence[str], files: Sequence[str]) -> list[str]:
    """Short names; those that several share say their file as well."""
    names = [short_name(function) for function in functions]
    counts = Counter(names)
    return [
        f"{name} · {file.rpartition('/')[2]}" if counts[name] > 1 and file != UNKNOWN else name
        for name, file in zip(names, files, strict=True)
    ]


def listed_names(functions: Sequence[str], files: Sequence[str]) -> list[str]:
    """Short names for a list that has the files beside them; overloads keep all of theirs."""
    names = [short_name(function) for function in functions]
    counts = Counter(zip(names, files, strict=True))
    return [
        function if counts[name, file] > 1 else name
        for name, function, file in zip(names, functions, files, strict=True)
    ]


# What may begin or end something that a short name leaves out.
_MARKS = re.compile(r"operator|[<>()]")
_ANONYMOUS = "(anonymous namespace)"


@lru_cache(_REMEMBERED)
def short_name(function: str) -> str:
    """A C++ function without its parameters and template arguments, for narrow places.

    `ncnn::Mat::create(int, int)` is `ncnn::Mat::create`; operators keep their name.
    """
    if function == UNKNOWN or function.startswith(_CALL_IN):
        return function
    owner = _lambda_owner(function)
    if owner is not None:
        return f"lambda in {owner}"
    result: list[str] = []
    depth = 0
    done = 0  # up to here
    for mark in _MARKS.finditer(function):
        start, sign = mark.start(), mark[0]
        if start < done:
            continue
        if depth <= 0:
            result.append(function[done:start])
        done = mark.end()
        if sign == "operator":
            if depth == 0:
                call = function.startswith(_CALL, start)
                end = function.find("(", start + (10 if call else 8))
                if call and function.startswith("<", start + 10):  # a generic one's arguments
                    end = start + 10
                done = len(function)
                result.append(function[start:] if end < 0 else function[start:end])
                break
            if depth < 0:
                result.append(sign)
        elif depth == 0 and function.startswith(_ANONYMOUS, start):
            result.append("(anon)")
            done = start + len(_ANONYMOUS)
        elif sign == "(" and depth == 0 and "".join(result).strip():
            done = len(function)
            break
        else:
            depth += 1 if sign in "<(" else -1
    if depth <= 0:
        result.append(function[done:])
    text = "".join(result).strip()
    words = text.split(" ")
    return (words[-1] if len(words) > 1 and "operator" not in text else text) or function


def is_bare_call(function: str) -> bool:
    """Whether it is a call operator that does not say of what."""
    return _CALL in function and short_name(function) == _CALL


def name_in_stack(frames: Sequence[Frame], place: int) -> str | None:
    """The function of a stack's frame; of a bare call operator, with what it is in.

    Debug information names an inlined lambda `operator()` and no more. The frames that hold
    its code, which have the same address, tell which one it is; a function object's looks the
    same, and is a lambda only where a frame says so.
    """
    frame = frames[place]
    if frame.fn is None or not is_bare_call(frame.fn):
        return frame.fn
    around = [
        outer
        for outer in takewhile(lambda f: f.ip == frame.ip is not None, frames[place + 1 :])
        if outer.fn is not None and not is_bare_call(outer.fn)
    ]
    if not around:
        return frame.fn
    beside = next((f for f in around if f.file == frame.file is not None), around[-1])
    owner = short_name(beside.fn or UNKNOWN)
    for outer in around:
        found = _LAMBDA.search(outer.fn or "")
        if found is not None:
            named = None if found[1] else _function_before(outer.fn or "", found.start())
            return f"{named or owner}::{{lambda()#1}}::{_CALL}"
    return f"{_CALL_IN}{owner}"
