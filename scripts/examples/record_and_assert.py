"""Record a program and fail when it uses memory wrongly: a test of your own, in ten lines.

usage: record_and_assert.py PROGRAM [ARG …]

    $ python scripts/examples/record_and_assert.py scripts/sample/build/sample
    droidgrind-sessions/20261124-161158-sample
    definitely lost: 1000 bytes in 1 blocks
    InvalidWrite: Invalid write of size 4
    …
"""

import sys

from collectors.records.errors import ErrorProfile
from profiler import record


def main(argv: list[str]) -> int:
    if not argv:
        print(__doc__, file=sys.stderr)
        return 2

    # One run under Memcheck. `tools` takes any of those that `droidgrind record -t` takes.
    session = record(argv, tools=["memcheck"])
    print(session.directory)

    # A profile for each process of the target; forked children have one of their own.
    profiles = [p for p in session.profiles("memcheck") if isinstance(p, ErrorProfile)]
    wrong = [record for p in profiles for record in p.records if not record.is_leak]
    lost = [p.leak_totals()["definitely_lost"] for p in profiles]

    for totals in lost:
        print(f"definitely lost: {totals.bytes} bytes in {totals.blocks} blocks")
    for error in wrong:
        print(f"{error.kind}: {error.what}")
        for frame in error.frames[:3]:
            print(f"    {frame.place}")

    # Still reachable memory is no fault; what is lost for good, or touched wrongly, is.
    return 1 if wrong or any(totals.bytes for totals in lost) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
