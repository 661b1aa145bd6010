"""Options that several commands share, worded once."""

import argparse
from pathlib import Path


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


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON (docs/json.md)")


def add_serial(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-s",
        "--serial",
        metavar="SERIAL",
        help="an adb serial, or `local` for this machine (default: $ANDROID_SERIAL)",
    )


def add_appearance(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--theme",
        choices=("dark", "light", "contrast"),
        help="colours (default: $DROIDGRIND_THEME, else dark)",
    )
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII characters only")
