"""Run a program with one argument varied, and print how heap and cache misses grow.

usage: sweep.py PROGRAM OPTION VALUE [VALUE …]

    $ python scripts/examples/sweep.py scripts/sample/build/sample --size 128 256 512
      --size  peak heap       Ir  D1 misses  D1 miss
         128   …
"""

import sys
from typing import Any

from profiler import record, summarise


def main(argv: list[str]) -> int:
    if len(argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    program, option, *values = argv
    print(f"{option:>10}  peak heap  {'Ir':>14}  {'D1 misses':>12}  D1 miss")
    for value in values:
        session = record([program, option, value], tools=["cachegrind", "massif"])

        # The same figures as `droidgrind show --json` (docs/json.md).
        figures = summarise(session)
        events: dict[str, int] = figures["cachegrind"]["events"]
        peak: dict[str, Any] = figures["massif"]["peak"]

        # A miss rate needs what it is a rate of: D1 misses of all data reads and writes.
        misses = events["D1mr"] + events["D1mw"]
        accesses = events["Dr"] + events["Dw"]
        print(
            f"{value:>10}  {peak['total_bytes'] / 2**20:5.1f} MiB  {events['Ir']:>14,}  "
            f"{misses:>12,}  {100 * misses / accesses:5.1f} %"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
