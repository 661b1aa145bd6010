"""Which function of one build is which of another: over renamed paths and compilers' copies."""

import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from collectors.records.cost import UNKNOWN, CostProfile, SymbolTable
from profiler.aggregate.cost import by_function

# GCC and LLVM number the copies of a function that they make: `f.isra.0`, `f.part.1.cold`.
_CLONE = re.compile(
    r"(\.(isra|part|constprop|cold|lto_priv|llvm|localalias|clone)(\.\d+)*)+$"
    r"|( \[clone [^\]]*\])+$"
)


def canonical_name(function: str) -> str:
    """The name without what only tells a compiler's copies apart."""
    if "." in function or " [clone " in function:
        return _CLONE.sub("", function) or function
    return function


@dataclass(slots=True)
class Side:
    """One session's functions, summed: `counts[e, i]` (int64) of function i.

    `name` and `file` index the names that both sides share; `of_symbol[p][s]` is the function
    that symbol s of profile p belongs to.
    """

    profiles: Sequence[CostProfile]
    events: tuple[str, ...]
    name: Any
    file: Any
    counts: Any
    of_symbol: list[Any]


class Names:
    """Functions and files of both sides by number. `plain_of[f]` numbers the name of file f."""

    def __init__(self) -> None:
        self.functions: list[str] = []
        self.files: list[str] = []
        self.plain_of: list[int] = []
        self._function: dict[str, int] = {}
        self._file: dict[str, int] = {}
        self._plain: dict[str, int] = {}

    def function(self, name: str) -> int:
        name = canonical_name(name)
        number = self._function.setdefault(name, len(self.functions))
        if number == len(self.functions):
            self.functions.append(name)
        return number

    def file(self, name: str) -> int:
        number = self._file.setdefault(name, len(self.files))
        if number == len(self.files):
            self.files.append(name)
            plain = name.rpartition("/")[2]
            self.plain_of.append(self._plain.setdefault(plain, len(self._plain)))
        return number

    @property
    def unknown(self) -> int:
        """The number of the unknown function; -1 where all are known."""
        return self._function.get(UNKNOWN, -1)


def side(profiles: Sequence[CostProfile], events: Sequence[str], names: Names) -> Side:
    """The functions of one session; events that a profile lacks count 0."""
    import numpy as np

    keys: list[Any] = []
    columns: list[Any] = []
    for profile in profiles:
        function, file = _numbers(profile, names)
        keys.append(np.stack([function, file]))
        sums = by_function([profile])
        zero = np.zeros(len(profile.symbols), dtype=np.int64)
        columns.append(
            np.stack(
                [
                    np.asarray(sums.counts[sums.events.index(event)], dtype=np.int64)
                    if event in sums.events
                    else zero
                    for event in events
                ]
            )
        )
    both: Any = np.concatenate(keys, axis=1)
    counts: Any = np.concatenate(columns, axis=1)
    packed = both[0].astype(np.int64) << 32 | both[1]
    unique, place = np.unique(packed, return_inverse=True)
    order: Any = np.argsort(place, kind="stable")
    summed = counts[:, order]
    if len(unique) < len(order):  # compilers' copies of one function, or several processes
        starts = np.searchsorted(place[order], np.arange(len(unique)))
        summed = np.add.reduceat(summed, starts, axis=1)
    ends = np.cumsum([len(profile.symbols) for profile in profiles])[:-1]
    return Side(
        profiles,
        tuple(events),
        unique >> 32,
        unique & 0xFFFFFFFF,
        summed,
        list(np.split(place, ends)),
    )


def _numbers(profile: CostProfile, names: Names) -> tuple[Any, Any]:
    """The numbers of each symbol's function and file."""
    import numpy as np

    symbols = profile.symbols
    if isinstance(symbols, SymbolTable):
        function = np.array([names.function(n) for n in symbols.functions], dtype=np.int64)
        file = np.array([names.file(n) for n in symbols.files], dtype=np.int64)
        return function[np.asarray(symbols.function_of)], file[np.asarray(symbols.file_of)]
    return (
        np.array([names.function(s.fn) for s in symbols], dtype=np.int64),
        np.array([names.file(s.file) for s in symbols], dtype=np.int64),
    )


def pairs(before: Side, after: Side, names: Names) -> tuple[Any, Any]:
    """Indices of the functions that are the same in both, as two arrays of equal length.

    First those of one name and path; of the rest those of one name and file name, those of
    one name and path below the folder that holds all of a side, then by the ends of paths;
    last those whose name is the only one of its kind on each side, whatever their file.
    """
    import numpy as np

    paths, unknown = names.files, names.unknown
    file_name = np.array(names.plain_of or [0], dtype=np.int64)
    left = [np.arange(len(before.name)), np.arange(len(after.name))]
    found: list[tuple[Any, Any]] = []

    def take(key: Callable[[Side, Any], Any]) -> None:
        keys = [key(s, indices) for s, indices in zip((before, after), left, strict=True)]
        alone = [_alone(k) for k in keys]
        one, other = (
            (k[mask], indices[mask]) for k, mask, indices in zip(keys, alone, left, strict=True)
        )
        _, i, j = np.intersect1d(one[0], other[0], assume_unique=True, return_indices=True)
        found.append((one[1][i], other[1][j]))
        _take_away(left, found[-1])

    def by_path(s: Side, indices: Any) -> Any:
        return s.name[indices] << 32 | s.file[indices]

    def by_file_name(s: Side, indices: Any) -> Any:
        return s.name[indices] << 32 | file_name[s.file[indices]]

    def by_name(s: Side, indices: Any) -> Any:
        # A name that is not known says nothing: such are told apart by the sign.
        name: Any = s.name[indices]
        key: Any = name.copy()
        unnamed: Any = name == unknown
        key[unnamed] = -1 - s.file[indices][unnamed]
        return key

    take(by_path)
    take(by_file_name)
    below = _below_common_folder((before, after), left, paths)
    take(lambda s, indices: s.name[indices] << 32 | below[s is after][s.file[indices]])
    _by_path_ends(before, after, left, found, file_name, paths)
    take(by_name)
    return np.concatenate([p[0] for p in found]), np.concatenate([p[1] for p in found])


def _below_common_folder(
    sides: tuple[Side, Side], left: Sequence[Any], paths: Sequence[str]
) -> list[Any]:
    """File → a number that two files share whose paths are the same below their side's folder.

    Another checkout is another folder for all files at once: what is below it tells them
    apart as well as their whole paths did.
    """
    import numpy as np

    numbers: dict[str, int] = {}
    found: list[Any] = []
    for s, indices in zip(sides, left, strict=True):
        files: list[int] = np.unique(s.file[indices]).tolist()
        names = [_plain_path(paths[file]) for file in files]
        skipped = len(_common_folder([name for name in names if name.startswith("/")]))
        column: Any = np.full(max(1, len(paths)), -1, dtype=np.int64)
        column[files] = [
            numbers.setdefault(name[skipped:] if name.startswith("/") else name, len(numbers))
            for name in names
        ]
        found.append(column)
    return found


def _plain_path(path: str) -> str:
    """The path without `.`, `..` and `//`. (Few have any, and looking is cheap.)"""
    return posixpath.normpath(path) if "/." in path or "//" in path else path


def _common_folder(paths: Sequence[str]) -> str:
    """The folder that holds all of these absolute paths, with its last `/`.

    What the first and the last of them in order share, all share.
    """
    if not paths:
        return ""
    start = posixpath.commonprefix((min(paths), max(paths)))
    return start[: start.rfind("/") + 1]


def _take_away(left: list[Any], pair: tuple[Any, Any]) -> None:

    for which in (0, 1):
        left[which] = without(left[which], pair[which])


def without(indices: Any, taken: Any) -> Any:
    """The indices that are not in `taken`, in their order. (numpy's setdiff1d is slower.)"""
    import numpy as np

    if not len(taken):
        return indices
    there = np.zeros(max(int(indices.max(initial=0)), int(taken.max())) + 1, dtype=bool)
    there[taken] = True
    return indices[~there[indices]]


def _alone(keys: Any) -> Any:
    """Which keys occur just once."""
    import numpy as np

    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return counts[inverse] == 1


def _by_path_ends(
    before: Side,
    after: Side,
    left: list[Any],
    found: list[tuple[Any, Any]],
    file_name: Any,
    paths: Sequence[str],
) -> None:
    """Pair what shares name and file name with others by the longest common end of its path."""
    import numpy as np

    groups: dict[tuple[int, int], tuple[list[int], list[int]]] = {}
    for which, (s, indices) in enumerate(zip((before, after), left, strict=True)):
        for i in indices.tolist():
            key = int(s.name[i]), int(file_name[s.file[i]])
            groups.setdefault(key, ([], []))[which].append(i)
    one: list[int] = []
    other: list[int] = []
    for olds, news in groups.values():
        ranked = sorted(
            (-_common_end(paths[int(before.file[i])], paths[int(after.file[j])]), i, j)
            for i in olds[:50]
            for j in news[:50]
        )
        taken: set[tuple[str, int]] = set()
        for _, i, j in ranked:
            if ("old", i) not in taken and ("new", j) not in taken:
                taken |= {("old", i), ("new", j)}
                one.append(i)
                other.append(j)
    found.append((np.array(one, dtype=np.int64), np.array(other, dtype=np.int64)))
    _take_away(left, found[-1])


def _common_end(one: str, other: str) -> int:
    """How many folders, from the end, two paths share."""
    count = 0
    for a, b in zip(reversed(one.split("/")), reversed(other.split("/")), strict=False):
        if a != b:
            break
        count += 1
    return count
