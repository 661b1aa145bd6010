"""TOML files that a person writes: their keys are known, their values' types checked."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from collectors.errors import InputError, nearest


def read_toml(file: Path) -> dict[str, Any]:
    """The file's top table. Raises `InputError` that says what is wrong with it."""
    import tomllib

    try:
        return tomllib.loads(file.read_bytes().decode())
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not UTF-8 at byte {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{file}: not TOML: {error}") from error


class TomlTable:
    """A table; what reads a key raises `InputError` that names `place` and the key.

    `place` says which file's and which table it is. A key that is not there is None, or empty.
    """

    def __init__(self, values: Mapping[str, Any], place: str, known: Sequence[str]) -> None:
        self._values = values
        self._place = place
        for key in values:
            if key not in known:
                hint = nearest(key, known) or f"; known are {', '.join(known)}"
                raise InputError(f"{place}: there is no key {key!r}{hint}")

    def wrong(self, key: str, wanted: str) -> InputError:
        return InputError(f"{self._place}: {key} must be {wanted}")

    def text(self, key: str) -> str | None:
        value = self._values.get(key)
        if value is not None and not isinstance(value, str):
            raise self.wrong(key, "a text")
        return value

    def needed(self, key: str) -> str:
        value = self.text(key)
        if not value:
            raise self.wrong(key, "given, a text that is not empty")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """One text stands for a list of it."""
        value = self._values.get(key, [])
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, list) or not _are(str, cast("list[object]", value)):
            raise self.wrong(key, "a text or a list of texts")
        return tuple(cast("list[str]", value))

    def text_map(self, key: str) -> dict[str, str]:
        value = self.table(key)
        if not _are(str, value.values()):
            raise self.wrong(key, 'a table of texts, such as { NAME = "value" }')
        return value

    def whole(self, key: str, default: int, *, least: int) -> int:
        value = self._values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.wrong(key, f"a whole number, {least} or more")
        return value

    def seconds(self, key: str) -> float | None:
        value = self._values.get(key)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
            raise self.wrong(key, "a number of seconds above 0")
        return float(value)

    def table(self, key: str) -> dict[str, Any]:
        value = self._values.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, "a table")
        return dict(cast("dict[str, Any]", value))

    def tables(self, key: str, known: Sequence[str]) -> "list[TomlTable]":
        value = self._values.get(key, [])
        if not isinstance(value, list) or not _are(dict, cast("list[object]", value)):
            raise self.wrong(key, f"tables: write [[{key}]]")
        return [
            TomlTable(item, f"{self._place}: [[{key}]] number {number}", known)
            for number, item in enumerate(cast("list[dict[str, Any]]", value), start=1)
        ]


def _are(kind: type, values: Iterable[object]) -> bool:
    return all(isinstance(value, kind) for value in values)
