"""droidgrind baseline"""

import argparse
from pathlib import Path

from tui.commands import options


class BaselineCommand:
    """Learn what a device reports by itself, and write it as suppressions.

    Records an empty program (`true`, or the one after `--`) with Memcheck on the device and
    suppresses every error that it shows: none of them is of the code to be tested. With
    --session nothing is recorded: the errors of that session are learned.
    """

    name = "baseline"
    example = "droidgrind baseline -s 1A2B3C -o pixel7.supp"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        options.add_serial(parser)
        options.add_sessions(parser)
        parser.add_argument(
            "--session", metavar="SESSION", help="learn from this session, record nothing"
        )
        parser.add_argument(
            "--valgrind", metavar="PATH", help="as for `droidgrind record --valgrind`"
        )
        parser.add_argument(
            "-o",
            "--output",
            type=Path,
            default=Path("baseline.supp"),
            metavar="FILE",
            help="merge the entries into FILE (default: baseline.supp)",
        )
        parser.add_argument(
            "program",
            nargs=argparse.REMAINDER,
            metavar="-- PROGRAM ARGS…",
            help="default: true",
        )

    def run(self, args: argparse.Namespace) -> int:
        import os

        from collectors.devices.toolchain import VALGRIND_VARIABLE
        from profiler.figures import plural
        from profiler.store import find_session, sessions_root
        from profiler.suppressions.choose import error_records
        from profiler.suppressions.learn import record_empty
        from profiler.suppressions.make import add_to_file, check_file, merged, suppression_of
        from tui.recording_text import TextObserver
        from tui.text import print_line, warn

        check_file(args.output)
        root = sessions_root(args.sessions)
        if args.session is not None:
            session = find_session(args.session, root)
        else:
            session = record_empty(
                args.program[1:] if args.program[:1] == ["--"] else args.program,
                root,
                serial=args.serial,
                valgrind=args.valgrind or os.environ.get(VALGRIND_VARIABLE),
                observer=TextObserver(show_output=False),
            )
        entries = merged(suppression_of(record) for record in error_records(session))
        held = add_to_file(entries, args.output)
        learned, now = plural(len(entries), "suppression"), plural(held, "entry", "entries")
        warn(f"learned {learned} from {session.id}; {args.output} has {now}")
        print_line(str(args.output))
        return 0


COMMAND = BaselineCommand()
