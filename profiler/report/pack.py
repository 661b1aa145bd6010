"""A part of a page's content as compressed text: JSON with its long columns as bytes beside.

Layout, before zlib and base64: the JSON's length (u32, little-endian), the JSON, then the
columns. In the JSON a column is `{"$": [type, offset, length]}`; types are those of
JavaScript's typed arrays, offsets count from the end of the JSON. A column's bytes lie
shuffled: the first byte of all its numbers, then the second of all and so on, since like
bytes side by side compress better and in half the time. The page unpacks a part when it is
first looked at (assets/parts.js).
"""

import base64
import json
import math
import struct
import zlib
from array import array
from collections.abc import Mapping, Sequence
from typing import Any, cast

_TYPES = {
    "b": "i1", "B": "u1", "h": "i2", "H": "u2", "i": "i4", "I": "u4", "f": "f4", "d": "f8",
}  # fmt: skip


class _Columns:
    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.size = 0
        self._seen: dict[int, tuple[object, dict[str, Any]]] = {}

    def add(self, column: Any) -> dict[str, Any]:
        seen = self._seen.get(id(column))
        if seen is not None:  # an axis that several traces share is stored once
            return seen[1]
        view = memoryview(column)
        kind = _TYPES.get(view.format)
        if kind is None:  # 64-bit integers: JavaScript's numbers are doubles
            view = memoryview(array("d", view.tolist()))
            kind = "f8"
        content = view.tobytes()
        place = {"$": [kind, self.size, len(view)]}
        width = view.itemsize
        self.chunks.extend(content[byte::width] for byte in range(width))
        self.size += len(content)
        self._seen[id(column)] = (column, place)  # held, so that its id stays its own
        return place


_PLAIN = {int, str, bool, type(None)}


def _plain(value: Any, columns: _Columns) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Any]", value)
        return {key: _plain(part, columns) for key, part in fields.items()}
    if isinstance(value, list | tuple):
        items = cast("Sequence[Any]", value)
        if _PLAIN.issuperset(map(type, items)):
            return items  # numbers of frames and the like, by the hundred thousand
        return [_plain(part, columns) for part in items]
    return columns.add(value)


def pack(document: Mapping[str, Any], level: int = 6) -> str:
    """The base64 text of a document; the same document gives the same text."""
    columns = _Columns()
    plain = _plain(document, columns)
    text = json.dumps(plain, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode()
    content = b"".join([struct.pack("<I", len(text)), text, *columns.chunks])
    return base64.b64encode(zlib.compress(content, level)).decode("ascii")


def unpack(text: str) -> dict[str, Any]:
    """The document of a packed text, its columns as lists: for tests and the curious."""
    content = zlib.decompress(base64.b64decode(text))
    (size,) = struct.unpack_from("<I", content)
    start = 4 + size
    codes = {kind: code for code, kind in _TYPES.items()}

    def revive(value: Any) -> Any:
        if isinstance(value, dict):
            fields = cast("dict[str, Any]", value)
            if set(fields) == {"$"}:
                kind, offset, length = fields["$"]
                column: array[Any] = array(codes[kind])
                width, begin = column.itemsize, start + offset
                numbers = bytearray(length * width)
                for byte in range(width):
                    numbers[byte::width] = content[begin + byte * length :][:length]
                column.frombytes(numbers)
                return column.tolist()
            return {key: revive(part) for key, part in fields.items()}
        if isinstance(value, list):
            return [revive(part) for part in value]  # pyright: ignore[reportUnknownVariableType]
        return value

    document: dict[str, Any] = revive(json.loads(content[4 : 4 + size]))
    return document
