"""droidgrind demo"""

import argparse

from tui.commands import options


class DemoCommand:
    """Look at a recorded session that comes with droidgrind: no phone, no Valgrind needed.

    The sample target with its planted problems: four workers on two CPUs, a convolution
    that misses the cache, a leak, and errors of memory.
    """

    name = "demo"
    example = "droidgrind demo"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--print-path", action="store_true", help="print where a copy of it is, no more"
        )
        options.add_appearance(parser)

    def run(self, args: argparse.Namespace) -> int:
        from profiler.demo import demo_session
        from tui.text import print_line

        if args.print_path:
            print_line(str(demo_session().directory))
            return 0
        from tui.terminal import require_terminal

        require_terminal(
            "`droidgrind demo --print-path`, then `droidgrind show` or `report` it"
        )
        from tui.app import Dashboard
        from tui.terminal import appearance, run_application

        session = demo_session()
        application = Dashboard.starting_in("overview")
        root = session.directory.parent
        return run_application(application(root, session=session, **appearance(args)))


COMMAND = DemoCommand()
