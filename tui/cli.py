"""The command `droidgrind`: finds the subcommand, runs it, turns errors into one line.

Exit codes: 0 done; 1 a check failed; 2 usage; 3 a file or session that cannot be read or
written; 4 device trouble; 5 tool trouble; 130 interrupted. See docs/commands/index.md.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn, Protocol, cast

from collectors.errors import DroidgrindError, InputError

# In the order of a person's work. A module is imported when its command (or the list of all
# of them) is asked for.
COMMANDS = {
    "devices": "tui.commands.devices",
    "doctor": "tui.commands.doctor",
    "install": "tui.commands.install",
    "record": "tui.commands.record",
    "cleanup": "tui.commands.cleanup",
    "wrap-sh": "tui.commands.wrap_sh",
    "import": "tui.commands.import_files",
    "watch": "tui.commands.watch",
    "open": "tui.commands.open",
    "demo": "tui.commands.demo",
    "sessions": "tui.commands.sessions",
    "show": "tui.commands.show",
    "symbolize": "tui.commands.symbolize",
    "explain": "tui.commands.explain",
    "suppress": "tui.commands.suppress",
    "baseline": "tui.commands.baseline",
    "report": "tui.commands.report",
    "fleet": "tui.commands.fleet",
    "fleet-worker": "tui.commands.fleet_worker",
    "export": "tui.commands.export",
    "check": "tui.commands.check",
    "diff": "tui.commands.diff",
    "query": "tui.commands.query",
    "trend": "tui.commands.trend",
    "completion": "tui.commands.completion",
}
INTERRUPTED = 130


class OneLineParser(argparse.ArgumentParser):
    """Answers a mistake in one line, as all of droidgrind does; its help has the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"droidgrind: {message} (`{self.prog} --help` explains)\n")


class CommandParser(OneLineParser):
    """A command's parser, which itself refuses the options that it does not know.

    argparse would hand them up, and the list of all commands would be named for them.
    """

    def parse_known_args(  # type: ignore[override]
        self,
        args: Sequence[str] | None = None,
        namespace: argparse.Namespace | None = None,
    ) -> tuple[argparse.Namespace, list[str]]:
        known, unknown = super().parse_known_args(args, namespace or argparse.Namespace())
        if unknown:
            from collectors.errors import nearest

            options = [name for name in self._option_string_actions if name.startswith("--")]
            word = unknown[0].partition("=")[0]
            hint = nearest(word, options, 0.7) if word.startswith("-") else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        return known, unknown


class Command(Protocol):
    """A subcommand; the first line of its docstring is its help, the rest its description."""

    @property
    def name(self) -> str: ...

    @property
    def example(self) -> str:
        """Command lines to try, shown at the end of the help."""
        ...

    def configure(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace) -> int:
        """Do the work; return the exit code."""
        ...


def load_command(name: str) -> Command:
    return cast("Command", import_module(COMMANDS[name]).COMMAND)


def build_parser(names: Sequence[str]) -> argparse.ArgumentParser:
    """The parser for some of the commands: one of them is parsed without loading the rest."""
    parser = OneLineParser(
        prog="droidgrind",
        description="Profile native code on Android and Linux with Valgrind and vmstat.",
        epilog="`droidgrind COMMAND --help` explains a command and gives an example.",
    )
    parser.add_argument("--version", action="version", version=_VersionText())
    parser.add_argument("--debug", action="store_true", help="show where an error arose")
    commands = parser.add_subparsers(
        title="commands", dest="command", metavar="COMMAND", parser_class=CommandParser
    )
    for name in names:
        command = load_command(name)
        text = (type(command).__doc__ or "").strip()
        sub = commands.add_parser(
            name,
            help=text.split("\n", 1)[0],
            description=_unindented(text),
            epilog=f"example:\n  {command.example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.configure(sub)
    return parser


class _VersionText(str):
    """The version, looked up when it is printed: the look-up costs more than --help."""

    __slots__ = ()

    def __mod__(self, _values: object) -> str:
        from profiler.version import installed_version

        return f"droidgrind {installed_version()}"

    def __contains__(self, _text: object) -> bool:
        return True


def _unindented(text: str) -> str:
    return "\n".join(line.strip() for line in text.splitlines())


def main(argv: Sequence[str] | None = None) -> int:
    _open_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    asked = next((word for word in words if not word.startswith("-")), None)
    if asked is not None and asked not in COMMANDS:
        from collectors.errors import nearest

        build_parser([]).error(f"there is no command {asked!r}{nearest(asked, COMMANDS)}")
    parser = build_parser(list(COMMANDS) if asked is None else [asked])
    args = parser.parse_args(words)
    if args.command is None:
        parser.print_help()
        return 0
    try:
        return _run(load_command(args.command), args)
    except DroidgrindError as error:
        if args.debug:
            raise
        from tui.text import warn

        warn(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        print("droidgrind: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output is gone; without this Python would complain at exit.
        _abandon_output()
        return 0
    except OSError as error:
        from tui.system_errors import system_error_text
        from tui.text import warn

        said = system_error_text(error)
        if args.debug or said is None:
            raise
        try:
            sys.stdout.flush()
        except OSError:
            _abandon_output()
        warn(said)
        return InputError.exit_code


def _run(command: Command, args: argparse.Namespace) -> int:
    status = command.run(args)
    sys.stdout.flush()  # else a full disk would be noticed when nobody can say it
    return status


def _open_streams() -> None:
    """Give the standard streams that are closed (`>&-`) a place that takes everything.

    Else the next file to be opened would be standard output for the programs that we start.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115


def _abandon_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
