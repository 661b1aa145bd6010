"""As much of Thrift's compact protocol as Parquet's footer and page headers need.

A struct is a dict from field number to value: bool is not used by what is written here,
int is an integer of `INT32` or `INT64` width, bytes a string, list a list, dict a struct.
Format: Apache Thrift, "Thrift compact protocol".
"""

from dataclasses import dataclass
from typing import Any

INT32, INT64, BINARY, LIST, STRUCT = 5, 6, 8, 9, 12
_TRUE = 1
_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class Long:
    """An integer that its field declares as 64 bits wide."""

    value: int


Value = int | Long | bytes | list[Any] | dict[int, Any]


def encode(struct: dict[int, Any]) -> bytes:
    out = bytearray()
    _write_struct(out, struct)
    return bytes(out)


def _kind(value: Value) -> int:
    match value:
        case Long():
            return INT64
        case int():
            return INT32
        case bytes():
            return BINARY
        case list():
            return LIST
        case dict():
            return STRUCT


def _write_varint(out: bytearray, number: int) -> None:
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def _write_struct(out: bytearray, struct: dict[int, Any]) -> None:
    last = 0
    for field, value in struct.items():
        out.append((field - last) << 4 | _kind(value))
        last = field
        _write_value(out, value)
    out.append(0)


def _write_value(out: bytearray, value: Value) -> None:
    match value:
        case Long(value=number) | int(number):
            _write_varint(out, (number << 1) ^ (number >> 63))
        case bytes():
            _write_varint(out, len(value))
            out += value
        case list():
            kind = _kind(value[0]) if value else STRUCT
            if len(value) < 15:
                out.append(len(value) << 4 | kind)
            else:
                out.append(0xF0 | kind)
                _write_varint(out, len(value))
            for item in value:
                _write_value(out, item)
        case dict():
            _write_struct(out, value)


class Decoder:
    """Reads structs. Raises `ValueError` for what is none, `IndexError` where it is cut."""

    def __init__(self, raw: bytes | memoryview, position: int = 0) -> None:
        self._raw = raw
        self.position = position

    def struct(self, depth: int = 0) -> dict[int, Any]:
        if depth > _DEEPEST:
            raise ValueError("structs are nested too deeply")
        found: dict[int, Any] = {}
        field = 0
        while head := self._byte():
            field = field + (head >> 4) if head >> 4 else self._zigzag()
            found[field] = self._value(head & 15, depth)
        return found

    def _byte(self) -> int:
        value = self._raw[self.position]
        self.position += 1
        return value

    def _varint(self) -> int:
        number = shift = 0
        while True:
            byte = self._byte()
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7
            if shift > 63:
                raise ValueError("an integer is too long")

    def _zigzag(self) -> int:
        number = self._varint()
        return (number >> 1) ^ -(number & 1)

    def _value(self, kind: int, depth: int) -> Any:
        match kind:
            case 1 | 2:
                return kind == _TRUE
            case 3:
                return self._byte()
            case 4 | 5 | 6:
                return self._zigzag()
            case 7:
                return self._take(8)
            case 8:
                return self._take(self._varint())
            case 9 | 10:
                return self._list(depth)
            case 12:
                return self.struct(depth + 1)
            case _:
                raise ValueError(f"type {kind} is not known")

    def _list(self, depth: int) -> list[Any]:
        head = self._byte()
        size = self._varint() if head >> 4 == 15 else head >> 4
        if size > len(self._raw) - self.position:
            raise ValueError("a list is longer than the file")
        return [self._value(head & 15, depth + 1) for _ in range(size)]

    def _take(self, size: int) -> bytes:
        if size > len(self._raw) - self.position:
            raise ValueError("a string is longer than the file")
        start = self.position
        self.position += size
        return bytes(self._raw[start : self.position])
