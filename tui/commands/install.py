"""droidgrind install"""

import argparse

from tui.commands import options


class InstallCommand:
    """Put a current Valgrind on an Android device: no root, no NDK.

    SOURCE is a Debian or Ubuntu package of Valgrind (.deb), an NDK build (.zip, .tar.*, or
    its folder), or the http address of one with its --sha256. --from-apt fetches the newest
    package for the device's architecture, or that of a RELEASE, without touching this
    machine's packages. Each tool is tried on the device before it takes the place of what
    was there.
    """

    name = "install"
    example = "droidgrind install --from-apt -s SERIAL"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "source",
            nargs="*",
            metavar="SOURCE",
            help="a .deb, .zip, .tar.*, folder or address; one for each ABI where they differ",
        )
        parser.add_argument(
            "--from-apt",
            nargs="?",
            const="newest",
            metavar="RELEASE",
            help="fetch the package from this machine's distribution (default: the newest)",
        )
        parser.add_argument(
            "--sha256", metavar="HASH", help="of the package whose address is given"
        )
        options.add_serial(parser)
        parser.add_argument(
            "--abi",
            action="append",
            default=[],
            help="such as armeabi-v7a, for 32-bit targets on a 64-bit device (may be repeated; "
            "default: the device's own)",
        )
        parser.add_argument(
            "--tools",
            action=options.CommaList,
            metavar="TOOLS",
            help="comma list of Valgrind's tools (default: all that `record` knows)",
        )
        parser.add_argument(
            "--remove", action="store_true", help="take the installed Valgrind away"
        )
        options.add_json(parser)

    def run(self, args: argparse.Namespace) -> int:
        from collectors.devices.discover import choose_plugged_device
        from collectors.errors import UsageError
        from profiler import installing
        from tui.text import print_json, print_line, printable, warn

        if args.remove:
            if args.source or args.from_apt or args.abi:
                raise UsageError("--remove takes all of it away: give nothing else with it")
            removed = installing.remove(choose_plugged_device(args.serial))
            if args.json:
                print_json(removed)
                return 0
            if not removed:
                print_line("there was no Valgrind installed by droidgrind")
            for gone in removed:
                print_line(f"removed Valgrind {gone['version']} for {gone['abi']}")
            return 0
        request = installing.InstallRequest(
            tuple(args.source),
            args.from_apt,
            args.sha256,
            tuple(args.abi),
            tuple(filter(None, (args.tools or "").split(","))),
        )
        device = choose_plugged_device(args.serial)
        done = installing.install(request, device, warn)
        if args.json:
            print_json([installing.as_json(one) for one in done])
            return 0
        for one in done:
            part = one.part
            what = "installed" if one.changed else "is installed already:"
            print_line(
                f"Valgrind {printable(part.version)} {what} for {part.abi} on "
                f"{printable(device.serial)} ({', '.join(part.tools)})"
            )
        return 0


COMMAND = InstallCommand()
