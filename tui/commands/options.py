"""Options that several commands share, worded once."""

import argparse
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collectors.errors import InputError, UsageError

if TYPE_CHECKING:
    from profiler.store import Session


def number(text: str) -> float:
    """A number on the command line, said in a person's words where it is none."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return value


def whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from error


class CommaList(argparse.Action):
    """An option with a comma list; given again, it adds to the list."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        before = getattr(namespace, self.dest)
        setattr(namespace, self.dest, str(values) if before is None else f"{before},{values}")


def add_sessions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--sessions",
        type=Path,
        metavar="DIR",
        help="where sessions live (default: $DROIDGRIND_SESSIONS, else ./droidgrind-sessions)",
    )


def add_session(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "session",
        nargs="?",
        default="latest",
        metavar="SESSION",
        help="a session's directory, its id, or `latest` (default)",
    )
    add_sessions(parser)


def add_mine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--mine",
        action="append",
        default=[],
        metavar="GLOB",
        help="what is your own code: objects, source files or functions, such as libapp.so or "
        "'engine::*' (may be repeated; remembered with the session, '' forgets; default: "
        "droidgrind.toml, else guessed)",
    )


def said_mine(args: argparse.Namespace, session: "Session") -> tuple[str, ...]:
    """What `--mine` says, remembered with the session so that all commands agree on it."""
    if not args.mine:
        return ()
    from profiler.own_code_stored import store_globs
    from tui.text import warn

    try:
        store_globs(session, args.mine)
    except InputError as error:
        warn(f"--mine holds for this command only: {error}")
    return tuple(glob for glob in args.mine if glob)


def add_suppressions(parser: argparse.ArgumentParser, when: str) -> None:
    parser.add_argument(
        "--suppressions",
        action="append",
        default=[],
        metavar="FILE",
        help=f"errors {when}: a Valgrind suppression file, or bionic, art or gpu for the packs "
        "that come along (may be repeated)",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON (docs/json.md)")


def add_label(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--label",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="kept in the session, such as build=1234 (may be repeated)",
    )


def parse_labels(words: Sequence[str]) -> dict[str, str]:
    """`NAME=VALUE` words as a mapping. Raises `UsageError` for any other form."""
    import re

    labels: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
            raise UsageError(
                f"--label {word}: write NAME=VALUE, such as build=1234; a name has letters, "
                "digits and _"
            )
        labels[name] = value
    return labels


def add_serial(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-s",
        "--serial",
        metavar="SERIAL",
        help="an adb serial, HOST:PORT of a wireless device, or `local` for this machine "
        "(default: $ANDROID_SERIAL, else the only device of an adb server that runs already, "
        "else local)",
    )
    add_server(parser)


def add_server(parser: argparse.ArgumentParser) -> None:
    """`-H` and `-P`, as adb has them."""
    parser.add_argument(
        "-H",
        dest="adb_host",
        action=_ServerPart,
        metavar="HOST",
        help="the machine of the adb server (default: $ANDROID_ADB_SERVER_ADDRESS, else this)",
    )
    parser.add_argument(
        "-P",
        dest="adb_port",
        action=_ServerPart,
        metavar="PORT",
        help="the port of the adb server (default: $ANDROID_ADB_SERVER_PORT, else 5037)",
    )


class _ServerPart(argparse.Action):
    """Puts the choice where adb itself looks for it, also for the adb programs we start."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        name = "ADDRESS" if option_string == "-H" else "PORT"
        if name == "PORT":
            port = str(values)
            if not (port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16):
                raise argparse.ArgumentError(self, f"{port!r} is not a port: 1 to 65535")
        os.environ[f"ANDROID_ADB_SERVER_{name}"] = str(values)
        os.environ.pop("ADB_SERVER_SOCKET", None)  # it would win over these two


def add_appearance(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--theme",
        choices=("dark", "light", "contrast"),
        help="colours (default: $DROIDGRIND_THEME, else dark)",
    )
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII characters only")


def add_symbols(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--symbols",
        action="append",
        type=Path,
        default=[],
        metavar="DIR",
        help="where unstripped files are: a directory, a Gradle project, a zip file, an ELF "
        "file (may be repeated)",
    )


def check_symbols(roots: list[Path]) -> None:
    """Refuse a directory that is not there before any work. Raises `UsageError`."""
    for root in roots:
        if not root.exists():
            raise UsageError(f"--symbols {root}: there is no such file or directory")


def add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--serve",
        nargs="?",
        const="127.0.0.1:8477",
        metavar="HOST:PORT",
        help="show the same in a browser (default 127.0.0.1:8477; other hosts need --token)",
    )
    parser.add_argument(
        "--token", metavar="WORD", help="who opens the page must know this (with --serve)"
    )


def add_source_map(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--source-map",
        action="append",
        default=[],
        metavar="FROM=TO",
        help="sources that the build had below FROM are below TO here (may be repeated)",
    )


def count_findings(session: "Session") -> None:
    """Judge a session that was just stored, so that lists say at once what is in it."""
    from profiler.project import judge_stored
    from tui.text import warn

    reason = judge_stored(session)
    if reason is not None:
        warn(f"{session.id} is stored, but its findings are not counted: {reason}")
