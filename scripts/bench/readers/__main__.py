"""Print how the readers compare with their peers, all on the same files in the same run.

Usage: python -m scripts.bench.readers [--runs N] [WORD…]

Each figure is the median of N runs in fresh processes, start-up included: CPU seconds and
peak memory. WORDs choose the rows whose name holds one of them. Rows are in the modules
`rows_*` of this package, each with a function `rows()`. Exit status 1: a goal is not met.
"""

import argparse
import pkgutil
from importlib import import_module
from pathlib import Path

from scripts.bench.readers.harness import Row, report


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.bench.readers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--runs", type=int, default=5, metavar="N")
    parser.add_argument("words", nargs="*", metavar="WORD")
    arguments = parser.parse_args()
    rows: list[Row] = []
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if module.name.startswith("rows_"):
            rows += import_module(f"scripts.bench.readers.{module.name}").rows()
    words = [word.lower() for word in arguments.words]
    chosen = [row for row in rows if not words or any(w in row.work.lower() for w in words)]
    met = [report(row, arguments.runs) for row in chosen]
    return 0 if all(met) else 1


if __name__ == "__main__":
    raise SystemExit(main())
