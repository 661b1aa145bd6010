"""droidgrind diff"""

import argparse
from pathlib import Path

from tui.commands import options


class DiffCommand:
    """Say what changed from a baseline to another session."""

    name = "diff"
    example = "droidgrind diff before after -o changes.html"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "baseline", metavar="BASELINE", help="a session: directory, id, latest"
        )
        parser.add_argument(
            "session", metavar="SESSION", help="the session that may have changed"
        )
        options.add_sessions(parser)
        options.add_json(parser)
        parser.add_argument(
            "-o", "--output", type=Path, metavar="FILE", help="write an HTML page as well"
        )
        parser.add_argument("-f", "--force", action="store_true", help="overwrite FILE")
        parser.add_argument(
            "--no-source", action="store_true", help="leave source code out of the page"
        )
        options.add_source_map(parser)

    def run(self, args: argparse.Namespace) -> int:
        from profiler.diff.compared import compared
        from profiler.diff.sessions import compare
        from profiler.source_map import parse_rules
        from profiler.store import find_session, sessions_root
        from tui.text import print_folded, print_json, screen_cells, warn

        root = sessions_root(args.sessions)
        baseline = find_session(args.baseline, root)
        session = find_session(args.session, root)
        source_map = parse_rules(args.source_map)
        if args.output is not None:
            from profiler.report.page import check_output

            check_output(args.output, force=args.force)  # before the work, not after it
        diff = compare(compared(baseline), compared(session))
        if args.json:
            from profiler.diff.as_json import diff_json

            print_json(diff_json(diff))
        else:
            from tui.diff_text import diff_lines

            print_folded(diff_lines(diff, screen_cells()))
        if args.output is not None:
            from profiler.report.comparison import write_comparison

            written = write_comparison(
                diff,
                args.output,
                force=args.force,
                source=not args.no_source,
                source_map=source_map,
            )
            warn(f"wrote {written}")
        return 0


COMMAND = DiffCommand()
