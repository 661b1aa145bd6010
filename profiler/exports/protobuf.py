"""Protobuf's wire format: what pprof's few messages need, one by one and in columns.

Format: protobuf.dev/programming-guides/encoding. A library would be a dependency for this.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WORD = (1 << 64) - 1


def varint(value: int) -> bytes:
    value &= _WORD  # negative numbers as their two's complement
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value) if value else b""


def message(field: int, value: bytes) -> bytes:
    """A field that is bytes: a text, a message, a packed list."""
    return varint(field << 3 | 2) + varint(len(value)) + value


def packed(field: int, values: Sequence[int]) -> bytes:
    return message(field, b"".join(map(varint, values)))


class Columns:
    """Messages of the same fields, one a row, made of int64 columns at once.

    A row is a list of varints: tags and lengths are varints, too.
    """

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._cells: list[NDArray[np.uint64]] = []

    def number(self, field: int, values: "NDArray[np.int64]") -> None:
        self._constant(field << 3)
        self._cells.append(values.astype("u8"))

    def packed(self, field: int, columns: "Sequence[NDArray[np.int64]]") -> None:
        """One packed list a row, its n-th value from the n-th column."""
        values = Columns(self._rows)
        values._cells = [column.astype("u8") for column in columns]
        self.message(field, values)

    def message(self, field: int, body: "Columns") -> None:
        self._constant(field << 3 | 2)
        self._cells.append(body._row_sizes().astype("u8"))
        self._cells += body._cells

    def encoded(self) -> bytes:
        """All rows, one behind another."""
        import numpy as np

        row_sizes = self._row_sizes()
        out = np.empty(int(row_sizes.sum()), dtype=np.uint8)
        start = np.cumsum(row_sizes) - row_sizes
        for cells in self._cells:
            size = _sizes(cells)
            for place in range(int(size.max(initial=0))):
                here = np.flatnonzero(size > place)
                more = (size[here] > place + 1).astype(np.uint8) << 7
                low = (cells[here] >> np.uint64(7 * place)).astype(np.uint8) & 0x7F
                out[start[here] + place] = low | more
            start += size
        return out.tobytes()

    def _row_sizes(self) -> "NDArray[np.int64]":
        import numpy as np

        total = np.zeros(self._rows, dtype=np.int64)
        for cells in self._cells:
            total += _sizes(cells)
        return total

    def _constant(self, value: int) -> None:
        import numpy as np

        self._cells.append(np.full(self._rows, value, dtype=np.uint64))


def _sizes(cells: "NDArray[np.uint64]") -> "NDArray[np.int64]":
    """How many bytes each varint takes: 1 to 10."""
    import numpy as np

    sizes = np.ones(len(cells), dtype=np.int64)
    for bits in range(7, 64, 7):
        more = cells >= np.uint64(1 << bits)
        if not more.any():
            break
        sizes += more
    return sizes
