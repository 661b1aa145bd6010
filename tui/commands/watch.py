"""droidgrind watch"""

import argparse

from tui.commands import options


class WatchCommand:
    """Watch live which threads run, wait for a CPU and migrate.

    Without --pid or --app it shows the whole machine and the threads of its busiest
    processes, once a second; `p` chooses one process. Nothing is changed on the device. `k`
    keeps what was seen as a session.
    """

    name = "watch"
    example = "droidgrind watch --app com.example.camera --hz 10"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        options.add_serial(parser)
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--pid",
            type=options.whole_number,
            metavar="PID",
            help="a process that runs already",
        )
        which.add_argument(
            "--app",
            metavar="NAME",
            help="an app's package, or a program's name; may start later",
        )
        parser.add_argument(
            "--hz",
            type=options.number,
            default=10.0,
            metavar="HZ",
            help="samples a second (default 10)",
        )
        options.add_sessions(parser)
        options.add_appearance(parser)
        options.add_serve(parser)

    def run(self, args: argparse.Namespace) -> int:
        from collectors.errors import UsageError

        if not 0.1 <= args.hz <= 50:
            raise UsageError(f"--hz {args.hz:g}: from 0.1 to 50")
        if args.serve is not None:
            from tui.serving import serve

            return serve(args.serve, args.token)
        from profiler.store import sessions_root
        from tui.terminal import require_terminal

        require_terminal("`droidgrind record --system` or `--pid PID` samples without one")
        from profiler.watching.live import WatchRequest
        from tui.app import WATCH, Dashboard
        from tui.terminal import appearance, run_application

        request = WatchRequest(args.serial, args.pid, args.app, args.hz)
        application = Dashboard.starting_in(WATCH)
        root = sessions_root(args.sessions)
        return run_application(application(root, watching=request, **appearance(args)))


COMMAND = WatchCommand()
