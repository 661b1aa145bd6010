"""droidgrind cleanup"""

import argparse

from tui.commands import options


class CleanupCommand:
    """Undo what a recording that was cut off left on a device.

    What droidgrind changes on a device (files, running programs, properties, settings, the
    SELinux mode) is written down on this machine before it is changed. This undoes what is
    still written there. A recording that still runs is left alone.
    """

    name = "cleanup"
    example = "droidgrind cleanup -s emulator-5554"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "-s",
            "--serial",
            metavar="SERIAL",
            help="only this device (default: every one that something was left on)",
        )
        options.add_server(parser)
        parser.add_argument(
            "-n", "--dry-run", action="store_true", help="only say what would be undone"
        )
        options.add_json(parser)

    def run(self, args: argparse.Namespace) -> int:
        from dataclasses import asdict

        from profiler.recording.cleanup import cleanup
        from tui.text import print_json, print_line, printable, warn

        cleaned = cleanup(args.serial, pretend=args.dry_run)
        if args.json:
            print_json([asdict(one) for one in cleaned])
        elif not cleaned:
            print_line("nothing was left behind")
        for one in [] if args.json else cleaned:
            if one.in_use:
                print_line(f"{one.serial}: {one.run} is still being recorded: left alone")
                continue
            for change in one.undone:
                print_line(f"{one.serial}: undone: {printable(change)}")
            for left in one.left:
                if args.dry_run:
                    print_line(f"{one.serial}: to undo: {printable(left)}")
                else:
                    warn(f"not undone: {left}")
        rest = any(one.left and not one.in_use for one in cleaned)
        return 4 if rest and not args.dry_run else 0


COMMAND = CleanupCommand()
