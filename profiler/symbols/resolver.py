"""Addresses of one file → frames, through the cache, else through the worker."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from profiler.symbols.answers import Answers, empty_answers, load_answers, merged, save_answers
from profiler.symbols.cache import key_of
from profiler.symbols.worker import CPU_SECONDS

_WALL_SECONDS = 4 * CPU_SECONDS


class Resolver:
    """Answers for files of this machine; `folder` is where answers are kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def resolve(self, file: Path, build_id: str | None, addresses: Iterable[int]) -> Answers:
        """The frames of addresses of `file` (as it stands in the file, not in a run).

        Raises `OSError` where the file is gone. A file that cannot be understood has
        answers with a `problem` and without frames.
        """
        facts = file.stat()
        own = build_id or key_of(file.resolve())
        folder = self._folder / own[:2]
        name = f"{own}-{key_of(facts.st_size, facts.st_mtime_ns)[:12]}"
        stored = folder / f"{name}.npz"
        known = load_answers(stored) or empty_answers()
        wanted = np.unique(np.fromiter(addresses, dtype=np.uint64))
        missing = known.missing(wanted)
        if not len(missing):
            return known
        folder.mkdir(parents=True, exist_ok=True)
        fresh = self._ask_worker(file, folder / f"{name}.table", missing)
        if fresh.problem is not None and not len(fresh):
            return merged(known, fresh) if len(known) else fresh
        answers = merged(known, fresh)
        save_answers(stored, answers)
        return answers

    def _ask_worker(
        self, file: Path, table: Path, addresses: "np.ndarray[tuple[int], np.dtype[np.uint64]]"
    ) -> Answers:
        output = table.with_name(f".{table.name}.{os.getpid()}.answers")
        home = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")]))
        command = [sys.executable, "-m", "profiler.symbols.worker", str(file), str(table)]
        try:
            done = subprocess.run(
                [*command, str(output)],
                input=addresses.astype("<u8").tobytes(),
                capture_output=True,
                check=False,
                timeout=_WALL_SECONDS,
                env={**os.environ, "PYTHONPATH": path},
            )
            answers = load_answers(output) if done.returncode == 0 else None
            if answers is not None:
                return answers
            problem = _end(done.returncode, done.stderr)
        except subprocess.TimeoutExpired:
            problem = "reading it took too long"
        finally:
            output.unlink(missing_ok=True)
        empty = empty_answers()
        return Answers(
            empty.addresses, empty.starts, empty.function, empty.path, empty.line, (), problem
        )


def _end(status: int, stderr: bytes) -> str:
    """Why the worker left no answers."""
    if status == -signal.SIGXCPU or status == -signal.SIGKILL:
        return "reading it took too much time or memory"
    if status < 0:
        return f"reading it failed (signal {-status}): it is damaged"
    last = stderr.decode("utf-8", "replace").strip().rsplit("\n", 1)[-1]
    return f"it cannot be read ({last.rpartition('BadElf: ')[2] or 'no reason given'})"
