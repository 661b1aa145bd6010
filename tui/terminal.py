"""What the terminal can do, and how the dashboard is to look on it."""

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

from collectors.errors import UsageError

if TYPE_CHECKING:
    from textual.app import App


def require_terminal(instead: str) -> None:
    """Raise `UsageError` where no dashboard can be drawn; `instead` names what can be used."""
    if os.environ.get("TEXTUAL_DRIVER"):
        return  # `--serve`: a browser is the terminal
    if not (sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()):
        raise UsageError(f"the dashboard needs a terminal: {instead}")
    kind = os.environ.get("TERM", "")
    if kind in {"", "dumb", "unknown"}:
        raise UsageError(
            f"the dashboard cannot be drawn on TERM={kind or '(unset)'}: {instead}"
        )


def appearance(args: argparse.Namespace) -> dict[str, Any]:
    """The application's arguments from `--theme` and `--ascii`."""
    from tui.theme import DEFAULT_THEME, SHORT_NAMES, wants_ascii

    said = os.environ.get("DROIDGRIND_THEME", "")
    chosen = args.theme or said
    if chosen and chosen not in SHORT_NAMES:
        raise UsageError(f"DROIDGRIND_THEME={said}: choose from {', '.join(SHORT_NAMES)}")
    return {
        "theme": SHORT_NAMES.get(chosen, DEFAULT_THEME),
        "ascii_only": bool(args.ascii) or wants_ascii(),
    }


def run_application(application: "App[int]") -> int:
    """Show it until it ends; the exit code, not 0 where it ended by a fault of its own."""
    status = application.run()
    return status or application.return_code or 0
