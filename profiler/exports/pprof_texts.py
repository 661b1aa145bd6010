"""pprof's string table: texts by number, the empty one first."""

from collections.abc import Iterator

from profiler.exports.protobuf import message
from profiler.visible import visible


class Texts:
    """Numbers for texts; `messages` comes last, when all are known."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {"": 0}

    def number(self, text: str) -> int:
        return self._numbers.setdefault(visible(text), len(self._numbers))

    def messages(self) -> Iterator[bytes]:
        for text in self._numbers:
            yield message(6, text.encode("utf-8", "backslashreplace"))
