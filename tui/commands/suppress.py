"""droidgrind suppress"""

import argparse
from pathlib import Path

from tui.commands import options


class SuppressCommand:
    """Write suppressions for errors of a session, or tell which of a file's are unused.

    Entries are printed, or merged into a file: objects are named without their folders, what
    another entry covers is left out. Without --record and --all it is for the errors
    that are likely noise or have no frame of your own code.
    """

    name = "suppress"
    example = "droidgrind suppress latest --record 12 -o known.supp"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        options.add_session(parser)
        options.add_suppressions(parser, "that are known, besides those of droidgrind.toml")
        parser.add_argument(
            "--record",
            action="append",
            type=options.whole_number,
            default=[],
            metavar="N",
            help="the error of this number: #N in `show`, record=N in the report's links",
        )
        parser.add_argument(
            "--all", action="store_true", help="every error and leak of the session"
        )
        parser.add_argument(
            "--unused",
            metavar="FILE",
            help="list the entries of FILE that no error of the session matches",
        )
        options.add_mine(parser)
        parser.add_argument(
            "-o", "--output", type=Path, metavar="FILE", help="merge the entries into FILE"
        )

    def run(self, args: argparse.Namespace) -> int:
        from collectors.errors import UsageError
        from profiler.figures import plural
        from profiler.project import load_project
        from profiler.store import find_session, sessions_root
        from profiler.suppressions.choose import error_records, foreign_records, unused
        from profiler.suppressions.make import add_to_file, merged, suppression_of
        from profiler.suppressions.text import suppression_file, suppressions_text
        from tui.text import print_line, warn

        session = find_session(args.session, sessions_root(args.sessions))
        if args.unused is not None:
            idle, total = unused(session, suppression_file(args.unused, "--unused"))
            for entry in idle:
                print_line(entry.name)
            if not idle:
                of = plural(total, "entry", "entries")
                warn(f"{args.unused}: {of}, each of which hides an error of this session")
            return 0
        project = load_project()
        own = project.own_code(session, options.said_mine(args, session))
        # Numbered as `show` and `report` number them: without what the project knows.
        records = error_records(
            session.with_suppressions(project.suppressing(args.suppressions))
        )
        wrong = next((n for n in args.record if not 0 <= n < len(records)), None)
        if wrong is not None:
            raise UsageError(
                f"--record {wrong}: the session has {plural(len(records), 'error')}, numbered "
                "from 0"
            )
        if args.record:
            chosen = [records[n] for n in args.record]
        else:
            chosen = list(records) if args.all else foreign_records(records, own)
        if not chosen:
            warn(
                f"none of {plural(len(records), 'error')} is likely noise: choose with "
                "--record N (#N in `droidgrind show`), or take --all"
                if records
                else "the session has no errors: there is nothing to suppress"
            )
            return 0
        entries = merged(suppression_of(record, own) for record in chosen)
        if args.output is None:
            for line in suppressions_text(entries).splitlines():
                print_line(line)
        else:
            held = add_to_file(entries, args.output)
            warn(f"{args.output} has {plural(held, 'suppression')} now")
            if not project.lists(args.output):
                warn(project.how_to_list(args.output))
        return 0


COMMAND = SuppressCommand()
