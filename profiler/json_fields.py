"""Typed access to parsed JSON, with errors that name the file and the field."""

import json
from collections.abc import Iterator
from typing import Any, cast

from collectors.errors import InputError


def parse_json(content: bytes | str) -> Any:
    """A document. Raises `ValueError` where it is none, or nested too deeply to be read."""
    try:
        return json.loads(content)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


class Fields:
    """A JSON object whose fields are read with their types checked."""

    def __init__(self, value: object, source: str, path: str = "") -> None:
        if not isinstance(value, dict):
            raise InputError(f"{source}: {path or 'the document'} is not a JSON object")
        self._values = cast("dict[str, object]", value)
        self._source = source
        self._path = path

    def _name(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name

    def _wrong(self, name: str, wanted: str) -> InputError:
        return InputError(f"{self._source}: {self._name(name)} is not {wanted}")

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def text(self, name: str, default: str | None = None) -> str:
        value = self.optional_text(name)
        if value is not None:
            return value
        if default is None:
            raise self._wrong(name, "a string")
        return default

    def optional_text(self, name: str) -> str | None:
        value = self._values.get(name)
        if value is not None and not isinstance(value, str):
            raise self._wrong(name, "a string")
        return value

    def integer(self, name: str) -> int:
        value = self.optional_integer(name)
        if value is None:
            raise self._wrong(name, "a whole number")
        return value

    def optional_integer(self, name: str) -> int | None:
        value = self._values.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise self._wrong(name, "a whole number")
        return value

    def optional_number(self, name: str) -> float | None:
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self._wrong(name, "a number")
        return float(value)

    def flag(self, name: str, *, default: bool) -> bool:
        value = self._values.get(name, default)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._values.get(name, [])
        if not isinstance(value, list) or not all(
            isinstance(item, str) for item in cast("list[object]", value)
        ):
            raise self._wrong(name, "a list of strings")
        return tuple(cast("list[str]", value))

    def text_map(self, name: str) -> dict[str, str]:
        value = self._values.get(name, {})
        if not isinstance(value, dict) or not all(
            isinstance(item, str) for item in cast("dict[str, object]", value).values()
        ):
            raise self._wrong(name, "an object of strings")
        return dict(cast("dict[str, str]", value))

    def object(self, name: str) -> "Fields":
        return Fields(self._values.get(name), self._source, self._name(name))

    def optional_object(self, name: str) -> "Fields | None":
        return self.object(name) if name in self else None

    def objects(self, name: str) -> Iterator["Fields"]:
        value = self._values.get(name, [])
        if not isinstance(value, list):
            raise self._wrong(name, "a list")
        for index, item in enumerate(cast("list[object]", value)):
            yield Fields(item, self._source, f"{self._name(name)}[{index}]")
