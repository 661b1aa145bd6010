"""Print what each export format costs for inputs of about 100 MB. From the repository's root:

    python -m scripts.bench.exports [--runs 1] [--tools cachegrind,callgrind,…]

The inputs are made from real runs: Cachegrind, Callgrind and schedstat of 100 MB, Memcheck of
90 MB, Massif of 85 MB, each imported as a session. Its first opening writes its tables and has
a line of its own; the exports read those. CPU time (user and system) and peak memory are of the
whole command. Peers are `gzip -6` of the raw file, a program that reads it once, and Valgrind's
`cg_merge`, in C, which reads and writes cachegrind.out. Exit status 1: a format took more than
300 MB.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from scripts.bench.readers import inputs, rows_calls, rows_cost
from scripts.bench.readers.harness import Measure, cached, measure

GOAL_BYTES = 300_000_000
FOLDERS = ("csv", "parquet")
FORMATS = {
    "cachegrind": ("cachegrind", "callgrind", "speedscope", "pprof", *FOLDERS),
    "callgrind": ("callgrind", "speedscope", "pprof"),
    "memcheck": (
        *("junit", "sarif", "gitlab", "valgrind-xml", "folded", "speedscope", "pprof"),
        *FOLDERS,
    ),
    "massif": ("folded", "speedscope", "pprof", "chrome-trace", *FOLDERS),
    "schedstat": ("chrome-trace", *FOLDERS),
}


def raw_file(tool: str) -> Path:
    match tool:
        case "memcheck":
            return inputs.memcheck()
        case "callgrind":
            return rows_calls.large(100_000_000)
        case "massif":
            return inputs.massif()
        case "schedstat":
            return inputs.schedstat()
        case _:
            return cached(
                "cachegrind-100mb.out",
                lambda file: rows_cost.scale(rows_cost.REAL, file, 100_000_000),
            )


def droidgrind(*words: str | Path) -> tuple[str, ...]:
    return (sys.executable, "-m", "tui.cli", *map(str, words))


def line(what: str, ours: Measure, peer: Measure) -> str:
    return (
        f"{what:<32} {ours.seconds:6.2f} s CPU {ours.rss_bytes / 1e6:5.0f} MB   "
        f"{ours.seconds / peer.seconds:5.2f} of gzip -6"
    )


def exports(tool: str, runs: int, folder: Path) -> bool:
    """Print the formats of one tool's session; whether none took too much memory."""
    raw = raw_file(tool)
    peer = measure(("gzip", "-6", "-c", str(raw)), 1)
    print(f"{tool}, {raw.stat().st_size / 1e6:.0f} MB; gzip -6: {peer.seconds:.2f} s CPU")
    if tool == "cachegrind":
        merged = measure(("cg_merge", "-o", str(folder / "merged"), str(raw)), runs)
        print(line("cg_merge", merged, peer))
    session = folder / tool
    measure(droidgrind("import", raw, "-o", session), 1)
    print(line(f"{tool}: first opening (show)", measure(droidgrind("show", session), 1), peer))
    met = True
    for name in FORMATS[tool]:
        out = folder / f"{tool}.{name}"
        ours = measure(
            droidgrind("export", session, "--format", name, "--force", "-o", out), runs
        )
        files = out.iterdir() if name in FOLDERS else [out]
        size = sum(file.stat().st_size for file in files)
        good = ours.rss_bytes <= GOAL_BYTES
        met = met and good
        said = line(f"{tool}: {name}", ours, peer)
        print(
            f"{said}   {size / 1e6:6.1f} MB written{'' if good else '   NOT MET'}", flush=True
        )
    return met


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=1, metavar="N")
    parser.add_argument("--tools", default=",".join(FORMATS))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="droidgrind-bench-") as folder:
        met = [
            exports(tool, arguments.runs, Path(folder)) for tool in arguments.tools.split(",")
        ]
    print(f"goal: under {GOAL_BYTES / 1e6:.0f} MB each: {'met' if all(met) else 'NOT MET'}")
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
