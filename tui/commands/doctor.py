"""droidgrind doctor"""

import argparse
from pathlib import Path

from tui.commands import options


class DoctorCommand:
    """Check all that a recording needs; say what is wrong and the exact remedy.

    Exits with 1 when there is a problem. --fix installs the newest Valgrind where there is
    none that works, and undoes what recordings that were cut off left; then all is checked
    again. --bundle packs what a bug report needs, private names masked.
    """

    name = "doctor"
    example = "droidgrind doctor -s SERIAL --fix"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        options.add_serial(parser)
        parser.add_argument(
            "--app",
            metavar="PACKAGE[/ACTIVITY]",
            help="also what recording this installed app needs",
        )
        parser.add_argument("--fix", action="store_true", help="mend what may be mended")
        parser.add_argument(
            "--bundle",
            type=Path,
            metavar="FILE",
            help="pack a zip file for a bug report: facts, versions, the newest session's logs",
        )
        parser.add_argument(
            "-y", "--yes", action="store_true", help="pack the bundle without asking"
        )
        options.add_sessions(parser)
        options.add_json(parser)

    def run(self, args: argparse.Namespace) -> int:
        from profiler.doctor.check import as_json
        from profiler.doctor.examine import examine, mend
        from tui.text import print_json, warn

        found = examine(args.serial, args.app)
        if args.fix and any(check.fix for check in found.checks):
            for left in mend(found, warn):
                warn(f"not mended: {left}")
            found = examine(args.serial, args.app)
        if args.json:
            print_json(as_json(found.serial, found.checks))
        else:
            from tui.doctor_text import print_examination

            print_examination(found)
        if args.bundle is not None:
            from tui.doctor_text import pack_bundle

            pack_bundle(found, args.bundle, args.sessions, agreed=args.yes, app=args.app)
        return 0 if found.healthy else 1


COMMAND = DoctorCommand()
