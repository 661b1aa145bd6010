"""Answers of one file: for each address its frames, as columns that a file holds."""

import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profiler.symbols.cache import replace_file

Numbers = NDArray[Any]
# function, source path, line (0: unknown)
Place = tuple[str | None, str | None, int]


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Frames by address, the innermost inlined call first.

    `addresses` (uint64) rises; address i has the frames `starts[i]` to `starts[i + 1]` of the
    columns `function`, `path` (int32, indexing `texts`, -1: unknown) and `line` (int32). An
    address without frames was asked for and is not known. `problem` says what of the file
    could not be used.
    """

    addresses: Numbers
    starts: Numbers
    function: Numbers
    path: Numbers
    line: Numbers
    texts: Sequence[str]
    problem: str | None = None

    def __len__(self) -> int:
        return len(self.addresses)

    def missing(self, addresses: Numbers) -> Numbers:
        """Those of `addresses` (uint64, rising) that were never asked for."""
        if not len(self.addresses):
            return addresses
        places = np.searchsorted(self.addresses, addresses)
        places[places == len(self.addresses)] = 0
        absent: Numbers = addresses[self.addresses[places] != addresses]
        return absent

    def of(self, addresses: Iterable[int]) -> Iterator[tuple[int, tuple[Place, ...]]]:
        """The frames of each address that is known."""
        wanted = np.fromiter(addresses, dtype=np.uint64)
        if not len(self.addresses):
            return
        places = np.searchsorted(self.addresses, wanted)
        places[places == len(self.addresses)] = 0
        hits = self.addresses[places] == wanted
        for address, place in zip(wanted[hits].tolist(), places[hits].tolist(), strict=True):
            rows = range(int(self.starts[place]), int(self.starts[place + 1]))
            yield address, tuple(self._place(row) for row in rows)

    def _place(self, row: int) -> Place:
        function, path = int(self.function[row]), int(self.path[row])
        return (
            None if function < 0 else self.texts[function],
            None if path < 0 else self.texts[path],
            int(self.line[row]),
        )


def empty_answers() -> Answers:
    none = np.zeros(0, dtype=np.int32)
    return Answers(none.astype(np.uint64), np.zeros(1, dtype=np.int64), none, none, none, ())


def made_answers(frames: Mapping[int, Sequence[Place]], problem: str | None = None) -> Answers:
    """Answers from frames by address."""
    texts: dict[str, int] = {}
    starts = [0]
    function: list[int] = []
    path: list[int] = []
    line: list[int] = []
    ordered = sorted(frames)
    for address in ordered:
        for fn, source, number in frames[address]:
            function.append(-1 if fn is None else texts.setdefault(fn, len(texts)))
            path.append(-1 if source is None else texts.setdefault(source, len(texts)))
            line.append(number)
        starts.append(len(line))
    return Answers(
        np.array(ordered, dtype=np.uint64),
        np.array(starts, dtype=np.int64),
        np.array(function, dtype=np.int32),
        np.array(path, dtype=np.int32),
        np.array(line, dtype=np.int32),
        tuple(texts),
        problem,
    )


def merged(first: Answers, second: Answers) -> Answers:
    """Both together; no address is in both."""
    if not len(first):
        return second
    shift = len(first.texts)

    def joined(name: str) -> Any:
        other = getattr(second, name)
        return np.concatenate([getattr(first, name), np.where(other < 0, -1, other + shift)])

    lengths = np.concatenate([np.diff(first.starts), np.diff(second.starts)])
    begins = np.concatenate([first.starts[:-1], second.starts[:-1] + len(first.line)])
    addresses = np.concatenate([first.addresses, second.addresses])
    order = np.argsort(addresses, kind="stable")
    lengths = lengths[order]
    starts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
    rows = np.repeat(begins[order] - starts[:-1], lengths) + np.arange(int(starts[-1]))
    return Answers(
        addresses[order],
        starts,
        joined("function")[rows].astype(np.int32),
        joined("path")[rows].astype(np.int32),
        np.concatenate([first.line, second.line])[rows],
        (*first.texts, *second.texts),
        second.problem or first.problem,
    )


def save_answers(file: Path, answers: Answers) -> None:
    """Write answers, whole or not at all. Raises `OSError`."""
    unfinished = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    texts = [text.encode("utf-8", "surrogatepass") for text in answers.texts]
    problem = (answers.problem or "").encode("utf-8", "surrogatepass")
    with unfinished.open("wb") as stream:
        np.savez(
            stream,
            addresses=answers.addresses,
            starts=answers.starts,
            function=answers.function,
            path=answers.path,
            line=answers.line,
            text_ends=np.cumsum([len(text) for text in texts], dtype=np.int64),
            texts=np.frombuffer(b"".join(texts), dtype=np.uint8),
            problem=np.frombuffer(problem, dtype=np.uint8),
        )
    replace_file(unfinished, file)


def load_answers(file: Path) -> Answers | None:
    """What was saved; None where it is not there or damaged: it can be found out again."""
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            content = stored["texts"].tobytes()
            ends = stored["text_ends"].tolist()
            answers = Answers(
                stored["addresses"],
                stored["starts"],
                stored["function"],
                stored["path"],
                stored["line"],
                tuple(
                    content[start:end].decode("utf-8", "surrogatepass")
                    for start, end in zip([0, *ends], ends, strict=False)
                ),
                stored["problem"].tobytes().decode("utf-8", "surrogatepass") or None,
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return answers if _is_sound(answers) else None


def _is_sound(answers: Answers) -> bool:
    number, rows = len(answers.addresses), len(answers.line)
    if len(answers.starts) != number + 1 or len(answers.path) != rows:
        return False
    if len(answers.function) != rows or (number and int(answers.starts[-1]) != rows):
        return False
    most = max((int(c.max()) for c in (answers.function, answers.path) if rows), default=-1)
    return most < len(answers.texts) and not (np.diff(answers.starts) < 0).any()
