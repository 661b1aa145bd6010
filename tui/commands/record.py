"""droidgrind record"""

import argparse
from pathlib import Path

from tui.commands import options


class RecordCommand:
    """Record a program with Valgrind and vmstat; prints the session's directory.

    The program runs once as it is, watched by vmstat and schedstat, and then once inside
    each Valgrind tool. Ctrl-C ends the recording and keeps its results; a second Ctrl-C
    does not wait for them.
    """

    name = "record"
    example = "droidgrind record -t memcheck,massif -- ./bench --loops 4"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "-t",
            "--tools",
            action=options.CommaList,
            metavar="TOOLS",
            help="comma list (default: vmstat,schedstat,memcheck,cachegrind,massif); also "
            "callgrind (who calls what costs), dhat (how long blocks live, how they are used), "
            "helgrind and drd (threads: races, order of locks)",
        )
        options.add_serial(parser)
        options.add_sessions(parser)
        parser.add_argument(
            "-o", "--output", type=Path, metavar="DIR", help="the session's own directory"
        )
        parser.add_argument(
            "--timeout",
            type=options.number,
            metavar="SECONDS",
            help="end each run after this time; what was measured by then is kept (also with "
            "--resume, for the runs that are left)",
        )
        parser.add_argument(
            "--repeat",
            type=options.whole_number,
            default=1,
            metavar="N",
            help="run natively N times: `diff` then tells a difference of times from chance",
        )
        options.add_label(parser)
        parser.add_argument(
            "--tool-arg",
            action="append",
            default=[],
            metavar="TOOL=ARG",
            help="an argument for one tool, such as massif=--depth=60 (may be repeated)",
        )
        parser.add_argument(
            "--trace-children",
            action="store_true",
            help="Valgrind follows the programs that the target starts, too: for scripts",
        )
        parser.add_argument(
            "--time-unit",
            choices=("i", "ms", "B"),
            default="i",
            help="Massif's time: instructions (default), milliseconds, or bytes allocated",
        )
        parser.add_argument(
            "--rate",
            type=options.number,
            metavar="HZ",
            help="schedstat samples a second (default 10)",
        )
        options.add_symbols(parser)
        options.add_suppressions(parser, "that Valgrind does not report (show hides them too)")
        parser.add_argument(
            "--cwd",
            type=Path,
            metavar="DIR",
            help="the target's directory; on a device, below its working folder or absolute",
        )
        parser.add_argument(
            "--push",
            action="append",
            default=[],
            metavar="FILE[=DEVICE_PATH]",
            help="a file or folder that the target needs on the device (may be repeated)",
        )
        parser.add_argument(
            "--resume",
            metavar="SESSION",
            help="go on with a recording that was cut off, with what it was begun with",
        )
        parser.add_argument(
            "--env", action="append", default=[], metavar="NAME=VALUE", help="may be repeated"
        )
        parser.add_argument(
            "--valgrind",
            metavar="PATH",
            help="a valgrind program, or a folder with its tools (default: "
            "$DROIDGRIND_VALGRIND, else the one on PATH)",
        )
        parser.add_argument(
            "--app",
            metavar="PACKAGE[/ACTIVITY]",
            help="record an installed app of the device",
        )
        parser.add_argument(
            "--name",
            metavar="NAME",
            help="only sample processes of this name, also those that begin later",
        )
        parser.add_argument(
            "--pid",
            type=options.whole_number,
            metavar="PID",
            help="only sample a process that runs already",
        )
        parser.add_argument(
            "--system", action="store_true", help="only sample the whole system"
        )
        parser.add_argument(
            "-q", "--quiet", action="store_true", help="keep the target's output to its files"
        )
        parser.add_argument(
            "--check-exit",
            action="store_true",
            help="exit with 1 when the target fails or crashes",
        )
        parser.add_argument(
            "program",
            nargs=argparse.REMAINDER,
            metavar="-- PROGRAM ARGS…",
            help="the program and its arguments, or a target that droidgrind.toml names",
        )

    def run(self, args: argparse.Namespace) -> int:
        import os

        from collectors.devices.discover import choose_device
        from collectors.devices.toolchain import VALGRIND_VARIABLE
        from profiler.manifest import State
        from profiler.session import resume, run_plan
        from profiler.store import find_session, sessions_root
        from tui.piped import input_waits
        from tui.recording_plan import plan_from
        from tui.recording_text import TextObserver
        from tui.text import print_line, warn

        options.check_symbols(args.symbols)
        observer = TextObserver(show_output=not args.quiet)
        if args.resume is not None:
            _refuse_what_was_begun(args)
            session = find_session(args.resume, sessions_root(args.sessions))
            device = choose_device(args.serial) if args.serial else None
            recorded = resume(session, device, timeout=args.timeout, observer=observer)
        else:
            plan = plan_from(args)
            device = choose_device(args.serial)
            if not args.serial:
                observer.note_first(f"recording on {device.serial} (-s SERIAL chooses)")
            if plan.target is not None and input_waits():
                observer.note_first(
                    "the program's input is empty: what waits at standard input is not passed "
                    "on to its runs (--trace-children -- sh -c 'PROGRAM < FILE' reads a file)"
                )
            recorded = run_plan(
                plan,
                device,
                sessions_root(args.sessions),
                directory=args.output,
                valgrind=args.valgrind or os.environ.get(VALGRIND_VARIABLE),
                observer=observer,
            )
        if args.symbols:
            from profiler.symbols.symbolize import symbolize
            from tui.symbols_text import symbols_lines

            for line in symbols_lines(symbolize(recorded.session, args.symbols)):
                if line:
                    warn(line.strip())
        print_line(str(recorded.session.directory))
        options.count_findings(recorded.session)
        captures = recorded.session.captures
        if captures and all(entry.state is State.FAILED for entry in captures):
            warn(
                "nothing was measured; `latest` means this session all the same, so that no "
                "check passes on an older one"
            )
        if recorded.interrupted:
            return 130
        if recorded.failed_tools:
            return 5
        if args.check_exit and observer.target_failed:
            return 1
        return 0


# What `--resume` goes by, and what it obeys; the rest is as the recording was begun with.
_FIND_IT = ("resume", "serial", "adb_host", "adb_port", "sessions")
_ANEW = ("timeout", "symbols", "quiet", "check_exit")


def _refuse_what_was_begun(args: argparse.Namespace) -> None:
    """What `--resume` would not obey must not look as if it did."""
    from collectors.errors import UsageError

    if args.program:
        raise UsageError("--resume goes on with the program that was begun: give none")
    parser = argparse.ArgumentParser()
    COMMAND.configure(parser)
    for name, default in vars(parser.parse_args([])).items():
        if name not in (*_FIND_IT, *_ANEW) and getattr(args, name) != default:
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"--resume goes on with what was begun: give no {option}")


COMMAND = RecordCommand()
