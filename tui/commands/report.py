"""droidgrind report"""

import argparse
from pathlib import Path

from tui.commands import options


class ReportCommand:
    """Write an HTML report of a session: one file that needs no network."""

    name = "report"
    example = "droidgrind report latest -o report.html"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        options.add_session(parser)
        options.add_mine(parser)
        options.add_suppressions(parser, "to leave out, besides those of droidgrind.toml")
        parser.add_argument(
            "-o",
            "--output",
            type=Path,
            metavar="FILE",
            help="default: report.html in the session's directory",
        )
        parser.add_argument("-f", "--force", action="store_true", help="overwrite the output")
        parser.add_argument(
            "--no-source", action="store_true", help="leave the target's source code out"
        )
        options.add_source_map(parser)
        parser.add_argument(
            "--assets",
            type=Path,
            metavar="DIR",
            help="put the libraries into DIR, shared by many reports, instead of the page",
        )

    def run(self, args: argparse.Namespace) -> int:
        from profiler.project import load_project
        from profiler.report import write_report
        from profiler.source_map import parse_rules
        from profiler.store import find_session, sessions_root
        from tui.text import print_line

        session = find_session(args.session, sessions_root(args.sessions))
        project = load_project()
        session = session.with_suppressions(project.suppressing(args.suppressions))
        mine = options.said_mine(args, session)
        output: Path = args.output or session.directory / "report.html"
        written = write_report(
            session,
            output,
            force=args.force,
            source=not args.no_source,
            assets=args.assets,
            source_map=parse_rules(args.source_map),
            thresholds=project.thresholds,
            own=project.own_code(session, mine),
        )
        print_line(str(written))
        return 0


COMMAND = ReportCommand()
