"""droidgrind wrap-sh"""

import argparse
from pathlib import Path

from tui.commands import options


class WrapShCommand:
    """Write what an app's APK needs to be recorded without root: wrap.sh and Valgrind.

    Copies into the app's module: `src/main/resources/lib/ABI/` with wrap.sh and Valgrind's
    files, and a Gradle snippet to merge. Then build the debug variant, install it, and use
    `droidgrind record --app`.
    """

    name = "wrap-sh"
    example = "droidgrind wrap-sh com.example.app --abi arm64-v8a -o app"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("package", metavar="PACKAGE", help="the app's package name")
        parser.add_argument(
            "--abi", metavar="ABI", help="the device's ABI (default: the chosen device's)"
        )
        parser.add_argument(
            "-o",
            "--output",
            type=Path,
            default=Path("droidgrind-wrap"),
            metavar="DIR",
            help="where to write: the app's module (default: droidgrind-wrap)",
        )
        parser.add_argument(
            "--valgrind",
            type=Path,
            metavar="DIR",
            help="take Valgrind from a folder of this machine, not from the device's toolchain",
        )
        options.add_serial(parser)

    def run(self, args: argparse.Namespace) -> int:
        from collectors.devices.apps import parse_app
        from collectors.devices.discover import choose_device
        from collectors.errors import UsageError
        from profiler.recording.wrap_sh import write_wrap_sh
        from tui.text import print_line, printable

        package, activity = parse_app(args.package, "")
        if activity is not None:
            raise UsageError(f"{args.package}: a package name is enough")
        device = None if args.valgrind and args.abi else choose_device(args.serial)
        abi = args.abi or (device.facts().abi if device else None)
        written = write_wrap_sh(
            package,
            abi or "unknown",
            args.output,
            valgrind=args.valgrind,
            device=None if args.valgrind else device,
        )
        for name in written.files:
            print_line(printable(str(written.folder / name)))
        print_line(
            f"the APK grows by {written.apk_bytes / 1e6:.1f} MB; merge one of the Gradle "
            f"snippets, build the debug variant, install it, then: droidgrind record --app "
            f"{package} --timeout 60"
        )
        return 0


COMMAND = WrapShCommand()
