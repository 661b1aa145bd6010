"""droidgrind export"""

import argparse
import sys
from pathlib import Path

from tui.commands import options


class ExportCommand:
    """Write a session's profiles in the format of another program."""

    name = "export"
    example = "droidgrind export latest --format junit -o errors.xml"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        options.add_session(parser)
        parser.add_argument(
            "--format",
            required=True,
            metavar="F",
            help="one of junit, valgrind-xml, cachegrind, folded, csv",
        )
        parser.add_argument(
            "--tool", metavar="TOOL", help="whose profile; default: the first that fits"
        )
        parser.add_argument(
            "-o", "--output", type=Path, metavar="FILE", help="default: standard output"
        )

    def run(self, args: argparse.Namespace) -> int:
        from collectors.errors import InputError
        from profiler.exports import export
        from profiler.store import find_session, sessions_root

        session = find_session(args.session, sessions_root(args.sessions))
        output: Path | None = args.output
        if output is None:
            export(session, args.format, sys.stdout, tool=args.tool)
            return 0
        unfinished = output.with_name(f".{output.name}.tmp")
        try:
            # newline="": the formats say themselves how their lines end
            with unfinished.open(
                "w", encoding="utf-8", errors="backslashreplace", newline=""
            ) as out:
                export(session, args.format, out, tool=args.tool)
            unfinished.replace(output)
        except OSError as error:
            raise InputError(f"cannot write {output}: {error.strerror}") from error
        finally:
            unfinished.unlink(missing_ok=True)
        return 0


COMMAND = ExportCommand()
