"""Costs as a table of columns: by function, file or module, with rates and estimated cycles.

Columns are numpy arrays and names are interned, so that hundreds of thousands of functions
are summed, sorted and searched without an object for each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from collectors.records.cost import UNKNOWN, CostProfile, SymbolTable
from profiler.aggregate.cost import (
    by_file,
    by_function,
    group_sums_by_numpy,
    lines_in_own_files,
)


class Grouping(StrEnum):
    """What a row of the table is."""

    FUNCTION = "function"
    FILE = "file"
    MODULE = "module"


@dataclass(frozen=True, slots=True)
class Rate:
    """A derived figure: some events for each of others (`meaning` in words)."""

    title: str
    events: tuple[str, ...]
    of: tuple[str, ...]
    meaning: str


RATES = (
    Rate("I1 miss", ("I1mr",), ("Ir",), "instruction fetches that miss the first level"),
    Rate("D1 miss", ("D1mr", "D1mw"), ("Dr", "Dw"), "reads and writes that miss level 1"),
    Rate(
        "LL miss",
        ("ILmr", "DLmr", "DLmw"),
        ("Ir", "Dr", "Dw"),
        "accesses of any kind that go to main memory",
    ),
    Rate("mispr.", ("Bcm", "Bim"), ("Bc", "Bi"), "branches that were predicted wrongly"),
)


@dataclass(frozen=True, slots=True)
class NameColumn:
    """Texts stored once: row i has `names[of[i]]` (`of` an integer array)."""

    title: str
    names: Sequence[str]
    of: Any

    def __getitem__(self, row: int) -> str:
        return self.names[int(self.of[row])]


@dataclass(frozen=True, slots=True)
class CostTable:
    """One row a function, file or module; `counts[e]` is an int64 array of `events[e]`.

    `inclusive` is a row's first event with all that it called (Callgrind; None: unknown).
    """

    grouping: Grouping
    events: tuple[str, ...]
    names: tuple[NameColumn, ...]
    counts: tuple[Any, ...]
    inclusive: Any = None

    def __len__(self) -> int:
        return len(self.names[0].of)

    @property
    def tells_modules(self) -> bool:
        """Whether a function of two modules is two rows."""
        return len(self.names) > 2 and any(name != UNKNOWN for name in self.names[2].names)

    def totals(self) -> dict[str, int]:
        """The exact sum of every event."""
        return {
            event: int(column.sum()) if len(column) else 0
            for event, column in zip(self.events, self.counts, strict=True)
        }

    def cycles(self, weights: Mapping[str, int]) -> Any:
        """Estimated cycles of each row (float64)."""
        import numpy as np

        total = np.zeros(len(self))
        for event, column in zip(self.events, self.counts, strict=True):
            weight = weights.get(event, 0)
            if weight:
                total += weight * np.asarray(column, dtype=np.float64)
        return total

    def rates(self) -> list[tuple[Rate, Any]]:
        """The rates that the events allow, as float64 arrays; NaN where nothing was done."""
        import numpy as np

        columns = dict(zip(self.events, self.counts, strict=True))
        found: list[tuple[Rate, Any]] = []
        for rate in RATES:
            if all(event in columns for event in (*rate.events, *rate.of)):
                part = sum(np.asarray(columns[e], dtype=np.float64) for e in rate.events)
                whole = sum(np.asarray(columns[e], dtype=np.float64) for e in rate.of)
                with np.errstate(invalid="ignore", divide="ignore"):
                    found.append((rate, np.where(whole > 0, part / whole, np.nan)))
        return found


def cost_table(profiles: Sequence[CostProfile], grouping: Grouping) -> CostTable:
    """The sums of all processes."""
    import numpy as np

    if grouping is Grouping.FILE and not _files_are_of_symbols(profiles):
        sums = by_file(profiles)
        own = NameColumn(grouping.value, list(sums.keys), np.arange(len(sums.keys)))
        return CostTable(grouping, sums.events, (own,), _arrays(sums.counts))
    functions = _functions(profiles)
    if grouping is Grouping.FUNCTION:
        return functions
    return _regrouped(functions, 1 if grouping is Grouping.FILE else 2, grouping)


def _functions(profiles: Sequence[CostProfile]) -> CostTable:
    functions = by_function(profiles)
    counts = _arrays(functions.counts)
    if len(profiles) == 1 and isinstance(profiles[0].symbols, SymbolTable):
        names = _interned_symbols(profiles[0].symbols)
    else:
        symbols = list(functions.keys)
        names = (
            _interned("function", [symbol.fn for symbol in symbols]),
            _interned("file", [symbol.file for symbol in symbols]),
            _interned("module", [symbol.obj or UNKNOWN for symbol in symbols]),
        )
    inclusive = _inclusive(profiles[0], counts) if len(profiles) == 1 else None
    return CostTable(Grouping.FUNCTION, functions.events, names, counts, inclusive)


def _files_are_of_symbols(profiles: Sequence[CostProfile]) -> bool:
    """Whether each line is in the file of its function: then functions' sums are enough."""
    if len(profiles) != 1 or not isinstance(profiles[0].symbols, SymbolTable):
        return False
    profile, symbols = profiles[0], profiles[0].symbols
    if symbols.files is not profile.files:
        return False
    if profile.index is not None and profile.index.own_files is not None:
        return profile.index.own_files
    return lines_in_own_files(profile, symbols)


def _regrouped(table: CostTable, column: int, grouping: Grouping) -> CostTable:
    """The functions' sums by one of their names; names without a function are left out."""
    import numpy as np

    names = table.names[column]
    present = np.zeros(len(names.names), dtype=bool)
    present[names.of] = True
    used = np.flatnonzero(present)
    of = (np.cumsum(present) - 1)[names.of]
    own = NameColumn(grouping.value, names.names, used)
    sums = _arrays(group_sums_by_numpy(of, table.counts, len(used)))
    return CostTable(grouping, table.events, (own,), sums)


def parse_weights(text: str, events: Sequence[str]) -> dict[str, int]:
    """`Ir=1 D1mr=10`: what each event is estimated to cost, in cycles.

    Raises `ValueError` that names the part at fault.
    """
    weights: dict[str, int] = {}
    for part in text.split():
        name, equals, number = part.partition("=")
        if not equals:
            raise ValueError(f"{part}: write NAME=NUMBER")
        if name not in events:
            raise ValueError(f"there is no event {name}: {' '.join(events)}")
        if not (number.isascii() and number.isdigit() and len(number) < 7):
            raise ValueError(f"{part}: the weight is a number of cycles")
        weights[name] = int(number)
    if not any(weights.values()):
        raise ValueError("name at least one event with a weight above 0, as in Ir=1")
    return weights


def _arrays(sums: Sequence[Sequence[int]]) -> tuple[Any, ...]:
    import numpy as np

    return tuple(np.asarray(column, dtype=np.int64) for column in sums)


def _interned(title: str, texts: Sequence[str]) -> NameColumn:
    import numpy as np

    known: dict[str, int] = {}
    of = np.fromiter(
        (known.setdefault(text, len(known)) for text in texts), np.int64, len(texts)
    )
    return NameColumn(title, list(known), of)


def _interned_symbols(symbols: SymbolTable) -> tuple[NameColumn, ...]:
    import numpy as np

    functions = NameColumn("function", symbols.functions, np.asarray(symbols.function_of))
    files = NameColumn("file", symbols.files, np.asarray(symbols.file_of))
    objects = [*symbols.objects, UNKNOWN]
    if symbols.object_of is None:
        of: Any = np.zeros(len(symbols), dtype=np.int64) + len(objects) - 1
    else:
        of = np.asarray(symbols.object_of)
        of = np.where(of < 0, len(objects) - 1, of)
    return functions, files, NameColumn("module", objects, of)


def _inclusive(profile: CostProfile, counts: Sequence[Any]) -> Any:
    """The first event with callees: self, and every call to another function.

    Calls in a circle count more than once; no function costs more than the whole.
    """
    edges = profile.edges
    if edges is None or not counts:
        return None
    import numpy as np

    total = np.array(counts[0], dtype=np.float64)
    caller, callee = np.asarray(edges.caller), np.asarray(edges.callee)
    calls = np.asarray(edges.counts[0], dtype=np.float64)
    others = caller != callee
    called = np.bincount(caller[others], weights=calls[others], minlength=len(total))
    return np.minimum(total + called, float(total.sum()))
