"""droidgrind trend"""

import argparse
from pathlib import Path

from tui.commands import options


class TrendCommand:
    """Show how a metric moved from build to build, over all stored sessions.

    Sessions are grouped by `--by`: a label (`record --label build=1234`), or session, day,
    device, android, abi, valgrind. Each group shows its median; docs/metrics.md lists the
    metrics. Needs DuckDB (`pip install duckdb`).
    """

    name = "trend"
    example = "droidgrind trend peak_heap --by build"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("metric", metavar="METRIC", help="such as Ir, peak_heap, errors")
        parser.add_argument(
            "--by", default="build", metavar="WHAT", help="what makes a group (default: build)"
        )
        parser.add_argument(
            "--program",
            metavar="NAME",
            help="the program that was recorded (default: that of the newest session)",
        )
        parser.add_argument("--tool", metavar="TOOL", help="the tool that measured it")
        options.add_serial(parser)
        options.add_sessions(parser)
        options.add_json(parser)
        parser.add_argument(
            "-o", "--output", type=Path, metavar="FILE.html", help="write a page instead"
        )
        parser.add_argument("-f", "--force", action="store_true", help="overwrite the page")

    def run(self, args: argparse.Namespace) -> int:
        from profiler.archive.opening import open_archive
        from profiler.store import sessions_root
        from profiler.trend import Question, ask_trend
        from tui.archive_text import tell_progress, warn_of_failures
        from tui.text import print_json, print_line
        from tui.trend_text import trend_json, trend_lines

        question = Question(args.metric, args.by, args.program, args.tool, args.serial)
        with open_archive(sessions_root(args.sessions), tell_progress()) as (database, updated):
            warn_of_failures(updated)
            trend = ask_trend(database, question)
        if args.json:
            print_json(trend_json(trend))
        elif args.output is not None:
            from profiler.report.trend import write_trend

            print_line(str(write_trend(trend, args.output, force=args.force)))
        else:
            for line in trend_lines(trend):
                print_line(line)
        return 0


COMMAND = TrendCommand()
