"""droidgrind import"""

import argparse
from pathlib import Path

from tui.commands import options


class ImportCommand:
    """Make a session from outputs that somebody else's run wrote.

    The files' kinds are detected by their content; any mix is welcome. They are copied.
    """

    name = "import"
    example = "droidgrind import memcheck.xml massif.out.1234"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        options.add_sessions(parser)
        options.add_label(parser)
        parser.add_argument(
            "-o", "--output", type=Path, metavar="DIR", help="the session's own directory"
        )

    def run(self, args: argparse.Namespace) -> int:
        from profiler.importing import import_files
        from profiler.store import sessions_root
        from tui.text import print_line, warn

        session = import_files(
            args.files,
            sessions_root(args.sessions),
            directory=args.output,
            labels=options.parse_labels(args.label),
        )
        for tool in session.tools:
            for damage in session.reading(tool).all_damage():
                warn(f"{tool}: {damage}")
        print_line(str(session.directory))
        options.count_findings(session)
        return 0


COMMAND = ImportCommand()
