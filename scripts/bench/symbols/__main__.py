"""Resolve 100,000 addresses, cold and cached, beside two peers; compare every answer.

    python -m scripts.bench.symbols [--addresses N] [--peers addr2line,llvm-symbolizer]

Prints CPU seconds (children included) and how many addresses have the same frames.
"""

import argparse
import os
import posixpath
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from profiler.symbols.answers import Answers, Place
from profiler.symbols.demangle import demangled
from profiler.symbols.elf import Elf
from profiler.symbols.resolver import Resolver
from profiler.symbols.symtab import symbol_table
from scripts.bench.symbols.library import library
from scripts.bench.symbols.peers import COMMANDS, Frame, answers

CACHE = Path(tempfile.gettempdir()) / "droidgrind-bench" / "symbols"
COLD_SECONDS, CACHED_SECONDS = 20.0, 1.0
_T = TypeVar("_T")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--addresses", type=int, default=100_000)
    parser.add_argument("--peers", default=",".join(COMMANDS))
    parser.add_argument("--library", type=Path, help="another one, with DWARF")
    args = parser.parse_args()
    file: Path = args.library or library(CACHE)
    addresses = _addresses(file, args.addresses)
    print(f"{file}: {file.stat().st_size / 1e6:.0f} MB; {len(addresses):,} distinct addresses")
    folder = CACHE / "answers"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)

    def ask() -> Answers:
        return Resolver(folder).resolve(file, None, addresses)

    ours, cold = _measured(ask)
    found, cached = _measured(lambda: dict(ask().of(addresses)))
    _, opened = _measured(ask)
    assert ours.problem is None, ours.problem
    print(f"droidgrind, cold             {cold:7.2f} CPU s   (goal {COLD_SECONDS:g})")
    print(f"droidgrind, from the cache   {opened:7.2f} CPU s   (goal {CACHED_SECONDS:g})")
    print(f"  … and a Python object for each frame {cached:.2f} CPU s")
    for name in filter(None, args.peers.split(",")):
        if shutil.which(name) is None:
            print(f"{name}: not installed")
            continue
        theirs, seconds = _measured(lambda name=name: answers(name, file, addresses))  # type: ignore[misc]
        print(f"{name:28} {seconds:7.2f} CPU s   {seconds / cold:.1f} × ours, cold")
        _compare(name, found, theirs)
    return 0 if cold < COLD_SECONDS and opened < CACHED_SECONDS else 1


def _addresses(file: Path, number: int) -> list[int]:
    """Distinct addresses inside functions, the same ones each time."""
    with file.open("rb") as stream:
        table = symbol_table(Elf(stream, file.stat().st_size))
        starts, sizes = table.ranges()
    random = np.random.default_rng(20261124)
    weights = sizes / sizes.sum()
    picked = random.choice(len(starts), 3 * number, p=weights)
    inside = (random.random(len(picked)) * sizes[picked]).astype(np.uint64)
    distinct = np.unique(starts[picked] + inside)
    return sorted(random.permutation(distinct)[:number].tolist())


def _measured(work: Callable[[], _T]) -> tuple[_T, float]:
    before = _cpu()
    result = work()
    return result, _cpu() - before


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _compare(
    name: str, ours: dict[int, tuple[Place, ...]], theirs: dict[int, list[Frame]]
) -> None:
    """Count the addresses with the same frames, and show the first of each difference."""
    differences: dict[str, list[int]] = {}
    for address, frames in ours.items():
        kind = _difference(frames, theirs.get(address, []))
        differences.setdefault(kind or "the same", []).append(address)
    for kind, places in sorted(differences.items(), key=lambda item: -len(item[1])):
        share = 100 * len(places) / len(ours)
        print(f"  {kind}: {len(places):,} ({share:.2f} %)")
        if kind != "the same":
            first = places[0]
            print(f"    {first:#x}: ours {ours[first]}\n      theirs {theirs.get(first)}")


def _difference(ours: Sequence[Place], theirs: Sequence[Frame]) -> str | None:
    if len(ours) != len(theirs):
        return "another number of inlined calls"
    for (_, path, line), (_, their_path, their_line) in zip(ours, theirs, strict=True):
        if line != their_line:
            return "another line"
        if posixpath.normpath(path or "??") != posixpath.normpath(their_path):
            return "another file"
    names = [fn for fn, _, _ in ours]
    outer = demangled(theirs[-1][0])
    # addr2line takes the name from DWARF, which knows of no clones (.cold, .part.0).
    if outer not in {names[-1], (names[-1] or "").partition(" [clone")[0]}:
        return "another outer function"
    for own, (their, _, _) in zip(names[:-1], theirs, strict=False):
        if (own or "").partition("<")[0] not in demangled(their):
            return "another inlined function"
    return None


if __name__ == "__main__":
    os.environ["LC_ALL"] = "C"
    sys.exit(main())
