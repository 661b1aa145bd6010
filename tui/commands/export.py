"""droidgrind export"""

import argparse
from pathlib import Path

from tui.commands import options


class ExportCommand:
    """Write a session in another tool's format.

    junit, sarif, gitlab, valgrind-xml: memory errors. cachegrind, callgrind: costs.
    folded, speedscope, pprof: stacks. chrome-trace: what happened over time. csv, parquet:
    tables, in a folder. Without -o the file goes to standard output.
    """

    name = "export"
    example = "droidgrind export latest --format sarif -o errors.sarif"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        options.add_session(parser)
        parser.add_argument("--format", metavar="FORMAT", help="one of those named above")
        parser.add_argument(
            "-o", "--output", type=Path, metavar="FILE", help="a folder for csv and parquet"
        )
        parser.add_argument("-f", "--force", action="store_true", help="overwrite the output")

    def run(self, args: argparse.Namespace) -> int:
        import sys

        from collectors.errors import UsageError
        from profiler.exports.formats import FORMATS, export_to, export_to_stream, find_format
        from profiler.store import find_session, sessions_root
        from tui.text import print_line

        if args.format is None:
            raise UsageError(f"say what to write with --format: {', '.join(FORMATS)}")
        chosen = find_format(args.format)
        session = find_session(args.session, sessions_root(args.sessions))
        if args.output is not None:
            output = export_to(session, args.format, args.output, force=args.force)
            print_line(str(output))
            return 0
        if chosen.folder:
            raise UsageError(f"{args.format} is several files: name a folder with -o")
        if chosen.binary and sys.stdout.isatty():
            raise UsageError(
                f"{args.format} is no text for a terminal: name a file with -o FILE, or pipe it"
            )
        export_to_stream(session, args.format, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return 0


COMMAND = ExportCommand()
