"""droidgrind devices"""

import argparse

from tui.commands import options


class DevicesCommand:
    """List what can be recorded on: adb devices in every state, and this machine."""

    name = "devices"
    example = "droidgrind devices"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        options.add_json(parser)
        options.add_server(parser)

    def run(self, args: argparse.Namespace) -> int:
        from collectors.devices.adb_place import adb_place
        from collectors.devices.discover import adb_runs
        from profiler.devices import list_all
        from tui.text import print_json, print_line, print_table, printable, warn

        running = adb_runs()
        entries = list_all()
        if not running and adb_runs():
            host, port = adb_place()
            warn(
                f"started an adb server at {host}:{port}, as `adb devices` does; "
                "`adb kill-server` ends it"
            )
        if args.json:
            print_json([entry.as_json() for entry in entries])
            return 0
        print_table(
            ("serial", "state", "model", "abi", "android", "valgrind"),
            [
                (
                    entry.serial,
                    entry.state,
                    entry.model or "–",
                    entry.abi or "–",
                    entry.android or "–",
                    entry.valgrind or "–",
                )
                for entry in entries
            ],
        )
        for entry in entries:
            if entry.remedy:
                print_line(f"{printable(entry.serial)}: {printable(entry.remedy)}")
        return 0


COMMAND = DevicesCommand()
