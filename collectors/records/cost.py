"""CostProfile: event counts per file, function and line, as columns.

Columns are typed memoryviews, so that a plain loop may fill them from `array.array` and a
large file from numpy, and whoever reads them need not know which. Names are interned: a
row holds indices. The words are Cachegrind's: events Ir I1mr ILmr Dr D1mr DLmr Dw D1mw
DLmw Bc Bcm Bi Bim; `fl` (file), `fn` (function); self cost only, unless said.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast, overload

from collectors.records.shared import Damage

UNKNOWN = "???"
_MANY_ROWS = 100_000  # above, numpy's import is cheaper than a plain sum of 13 columns


@dataclass(frozen=True, slots=True)
class Symbol:
    """A function in a file: the key that costs are summed by. `???` is an unknown name."""

    fn: str
    file: str
    obj: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SymbolTable(Sequence[Symbol]):
    """Symbols as columns: symbol i is `functions[function_of[i]]` in `files[file_of[i]]`.

    A large profile has hundreds of thousands of symbols, of which few are looked at: they
    are made when they are asked for. An index of -1 in `object_of` is an unknown object.
    """

    functions: Sequence[str]
    files: Sequence[str]
    function_of: "memoryview[int]"
    file_of: "memoryview[int]"
    objects: Sequence[str] = ()
    object_of: "memoryview[int] | None" = None

    def __len__(self) -> int:
        return len(self.function_of)

    @overload
    def __getitem__(self, index: int) -> Symbol: ...
    @overload
    def __getitem__(self, index: slice) -> list[Symbol]: ...
    def __getitem__(self, index: int | slice) -> Symbol | list[Symbol]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        obj = None if self.object_of is None else self.object_of[index]
        return Symbol(
            self.functions[self.function_of[index]],
            self.files[self.file_of[index]],
            None if obj is None or obj < 0 else self.objects[obj],
        )

    def __iter__(self) -> Iterator[Symbol]:
        return map(Symbol, *self.names())

    def names(self) -> tuple[list[str], list[str], list[str | None]]:
        """Function, file and object of every symbol: what is cheaper to have than symbols."""
        functions, files = list(self.functions), list(self.files)
        objects: list[str | None] = [*self.objects, None]
        return (
            [functions[i] for i in self.function_of],
            [files[i] for i in self.file_of],
            [None] * len(self)
            if self.object_of is None or not self.objects
            else [objects[max(i, -1)] for i in self.object_of],
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return list(self) == list(cast("Sequence[object]", other))

    __hash__ = None  # type: ignore[assignment]


def symbol_names(
    symbols: Sequence[Symbol],
) -> tuple[Sequence[str], Sequence[str], Sequence[str | None]]:
    """Function, file and object of every symbol."""
    if isinstance(symbols, SymbolTable):
        return symbols.names()
    return (
        [symbol.fn for symbol in symbols],
        [symbol.file for symbol in symbols],
        [symbol.obj for symbol in symbols],
    )


@dataclass(frozen=True, slots=True)
class CallEdges:
    """Who called whom at what inclusive cost (Callgrind); one entry a call site.

    `caller` and `callee` index `CostProfile.symbols`; `counts` is one int64 column an event.
    """

    caller: "memoryview[int]"
    callee: "memoryview[int]"
    line: "memoryview[int]"
    calls: "memoryview[int]"
    counts: "tuple[memoryview[int], ...]"


@dataclass(frozen=True, slots=True)
class CostProcess:
    """What one output file says of itself."""

    pid: int | None = None
    command: str | None = None
    description: tuple[str, ...] = ()
    summary: tuple[int, ...] | None = None
    thread: int | None = None
    part: int | None = None


@dataclass(frozen=True, slots=True)
class CostIndex:
    """Sums that a stored profile brings along, so that few questions need its rows.

    `totals` and `symbol_counts` have one entry an event; `symbol_counts[e][i]` is the self
    cost of symbol i. `leading` are the symbols with the most of the first event, in order.
    `own_files` says whether each line is in the file of its symbol (None: not looked at).
    """

    totals: tuple[int, ...]
    symbol_counts: "tuple[memoryview[int], ...]"
    leading: tuple[int, ...]
    own_files: bool | None = None


@dataclass(frozen=True, slots=True)
class CostProfile:
    """Rows of costs: row i costs `counts[e][i]` events of `events[e]`.

    `row_symbol` indexes `symbols` (int32), `row_line` is the source line, 0 where unknown
    (int32), `row_file` indexes `files` (int32): the file of the line, which differs from
    the symbol's file where another function was inlined (Callgrind). Counts are int64, in
    events, and may be negative in the output of cg_diff.
    """

    events: tuple[str, ...]
    symbols: Sequence[Symbol]
    files: Sequence[str]
    row_symbol: "memoryview[int]"
    row_line: "memoryview[int]"
    row_file: "memoryview[int]"
    counts: "tuple[memoryview[int], ...]"
    processes: tuple[CostProcess, ...] = ()
    edges: CallEdges | None = None
    damage: tuple[Damage, ...] = field(default=())
    index: CostIndex | None = field(default=None, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.row_line)

    def totals(self) -> dict[str, int]:
        """The sum of every event over all rows."""
        if self.index is not None:
            return dict(zip(self.events, self.index.totals, strict=True))
        return {
            name: column_sum(column)
            for name, column in zip(self.events, self.counts, strict=True)
        }


def column_sum(column: "memoryview[int]") -> int:
    """The exact sum of an int64 column, however large."""
    if len(column) < _MANY_ROWS:
        return sum(column)
    import numpy as np

    values = np.asarray(column)
    if max(abs(int(values.max())), abs(int(values.min()))) < (1 << 62) // len(column):
        return int(values.sum())
    high = int((values >> 32).sum())
    return (high << 32) + int((values & 0xFFFFFFFF).sum())
