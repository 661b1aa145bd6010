"""A long sampling of threads: a real one's samples, repeated on a clock that goes on."""

import re
import subprocess
import sys
import tempfile
from itertools import count
from pathlib import Path

THREADS = 64
# Threads that wake, count and sleep: all are there in most samples.
_PROGRAM = f"""
import threading, time
def work():
    for _ in range(12):
        sum(range(60_000))
        time.sleep(0.05)
threads = [threading.Thread(target=work) for _ in range({THREADS})]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
_CUMULATIVE = re.compile(r"^([RV]) (\d+) (\d+) (\d+) (\d+)(.*)$", re.MULTILINE)


def record_samples(file: Path) -> None:
    """The raw file of a recording of `THREADS` threads."""
    with tempfile.TemporaryDirectory() as folder:
        session = Path(folder) / "session"
        record = ("record", "--quiet", "-t", "schedstat", "-o", session, "--")
        subprocess.run(
            [sys.executable, "-m", "tui.cli", *record, sys.executable, "-c", _PROGRAM],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        file.write_bytes((session / "raw/schedstat/schedstat.txt").read_bytes())


def repeat_samples(real: Path, file: Path, size: int) -> None:
    """Its samples of all threads again and again, counters and clock going on."""
    head, *samples = re.split(r"^(?=S )", real.read_text(), flags=re.MULTILINE)
    samples = [one for one in samples if one.count("\nT ") > THREADS and "\nG " not in one]
    times = [float(one.split(maxsplit=2)[1]) for one in samples]
    span = times[-1] - times[0] + 0.1
    last = {m[1] + m[3]: (int(m[4]), int(m[5])) for m in _CUMULATIVE.finditer(samples[-1])}
    with file.open("w") as out:
        written = out.write(head)
        for copy in count():

            def later(m: re.Match[str], copy: int = copy) -> str:
                more = last.get(m[1] + m[3], (0, 0))
                one, other = int(m[4]) + copy * more[0], int(m[5]) + copy * more[1]
                return f"{m[1]} {m[2]} {m[3]} {one} {other}{m[6]}"

            for sample, time in zip(samples, times, strict=True):
                rest = _CUMULATIVE.sub(later, sample.partition("\n")[2])
                written += out.write(f"S {time + copy * span:.6f}\n{rest}")
            if written >= size:
                return
