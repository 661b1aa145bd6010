"""Columns mapped from files, looked at piece by piece in little memory."""

import mmap
from collections.abc import Iterable, Iterator

_ROWS = 1 << 19


def release(columns: "Iterable[memoryview[float] | memoryview[int]]") -> None:
    """Let go of the memory of mapped columns; what is looked at again is read again.

    Columns that are not mapped stay as they are.
    """
    files = {id(c.obj): c.obj for c in columns if isinstance(c.obj, mmap.mmap)}
    for mapped in files.values():
        mapped.madvise(mmap.MADV_DONTNEED)


def pieces(
    *columns: "memoryview[float] | memoryview[int]", rows: int = _ROWS
) -> Iterator[slice]:
    """Slices that cover the columns, each let go of before the next.

    What is made of a piece must be a copy that ends with it, or be needed no more.
    """
    for first in range(0, len(columns[0]), rows):
        yield slice(first, first + rows)
        release(columns)
