"""A column of names where equal ones are told apart by what else is known of their rows."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tui.text import clip, width
from tui.widgets.column_rows import Names

_SIGN = " · "


class NamesApart(Names):
    """Searched and sorted by the names alone; a cell of one that others have, too, says more.

    That is the file's last part, its whole path where that is another's, too, and else the
    module's last part. Which rows have twins is found once; texts are made for visible cells.
    """

    def __init__(
        self, names: Names, files: Names, modules: Names, short: Callable[[str], str]
    ) -> None:
        super().__init__(names.names, names.of)
        self._whole, self._files, self._modules, self._short = names, files, modules, short
        twice = np.bincount(names.of)[names.of] > 1
        kinds: dict[str, int] = {}
        kind = np.asarray([kinds.setdefault(_last(f), len(kinds)) for f in files.names], int)
        self._by_name = twice
        self._by_last = _twins(twice, names.of, kind[files.of])
        self._by_path = _twins(twice, names.of, files.of)

    def folded(self) -> list[str]:
        return self._whole.folded()  # made once for both

    def __getitem__(self, place: int) -> str:
        name = self._short(super().__getitem__(place))
        if not self._by_name[place]:
            return name
        path = self._files[place]
        if self._by_path[place]:
            return f"{name}{_SIGN}{_last(path)}{_SIGN}{_last(self._modules[place])}"
        return f"{name}{_SIGN}{path if self._by_last[place] else _last(path)}"


def clip_name(text: str, cells: int) -> str:
    """Shorten the name itself: what tells it from others stands behind it."""
    name, sign, rest = text.partition(_SIGN)
    if not sign or width(text) <= cells:
        return text
    return clip(name, max(cells // 3, cells - width(sign + rest))) + sign + rest


def _twins(asked: Any, first: Any, second: Any) -> Any:
    """A flag for each row: whether it is asked for, and another has the same two numbers."""
    found = np.zeros(len(asked), bool)
    rows = np.flatnonzero(asked)
    if len(rows):
        both = first[rows].astype(np.int64) * (int(second.max()) + 1) + second[rows]
        _, of, counts = np.unique(both, return_inverse=True, return_counts=True)
        found[rows] = counts[of] > 1
    return found


def _last(path: str) -> str:
    return path.rpartition("/")[2] or path
