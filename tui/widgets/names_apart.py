"""A column of names where equal ones are told apart by what else is known of their rows."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from tui.text import clip, width
from tui.widgets.column_rows import Names

_SIGN = " · "
_MANY_FILES = 64


class NamesApart(Names):
    """Searched and sorted by the names alone; a cell of one that others have, too, says more.

    That is the file's last part, its whole path where that is another's, too, and else the
    module's last part. Both are looked for when a cell of the name is first seen: with hundreds
    of thousands of rows most never are.
    """

    def __init__(
        self, names: Names, files: Names, modules: Names, short: Callable[[str], str]
    ) -> None:
        super().__init__(names.names, names.of)
        self._whole, self._files, self._modules, self._short = names, files, modules, short
        self._rows_of = np.bincount(names.of)  # how many rows a name has
        self._seen: dict[int, _Twins] = {}

    def folded(self) -> list[str]:
        return self._whole.folded()  # made once for both

    def __getitem__(self, place: int) -> str:
        name = self._short(super().__getitem__(place))
        number = int(self.of[place])
        if self._rows_of[number] < 2:
            return name
        twins = self._seen.get(number)
        if twins is None:
            twins = self._seen[number] = _Twins(self._files, np.flatnonzero(self.of == number))
        path = self._files[place]
        if twins.rows_of[int(self._files.of[place])] > 1:
            return f"{name}{_SIGN}{_last(path)}{_SIGN}{_last(self._modules[place])}"
        return f"{name}{_SIGN}{path if twins.share(path) else _last(path)}"


class _Twins:
    """The files that one name is in: `rows_of` says how many of its rows are in each."""

    def __init__(self, files: Names, rows: Any) -> None:
        places, counts = np.unique(files.of[rows], return_counts=True)
        self.rows_of: dict[int, int] = dict(zip(places.tolist(), counts.tolist(), strict=True))
        self._lasts: Counter[str] | None = None
        if len(self.rows_of) <= _MANY_FILES:
            self._lasts = Counter(_last(files.names[place]) for place in self.rows_of)

    def share(self, path: str) -> bool:
        """Whether another path ends as this one, or may: of very many that is not looked at."""
        return self._lasts is None or self._lasts[_last(path)] > 1


def clip_name(text: str, cells: int) -> str:
    """Shorten the name itself: what tells it from others stands behind it."""
    name, sign, rest = text.partition(_SIGN)
    if not sign or width(text) <= cells:
        return text
    return clip(name, max(cells // 3, cells - width(sign + rest))) + sign + rest


def _last(path: str) -> str:
    return path.rpartition("/")[2] or path
