"""What the commands over the archive say on standard error."""

import sys
from collections.abc import Callable

from profiler.archive.update import Updated
from tui.text import printable, warn


def tell_progress() -> Callable[[int, int, str], None]:
    """Says on a terminal which session is being added, on one line that it rewrites."""
    if not sys.stderr.isatty():
        return lambda _done, _of, _name: None

    def tell(done: int, of: int, name: str) -> None:
        text = f"adding session {done + 1} of {of}: {printable(name)}"[:78]
        sys.stderr.write(f"\r{text:<78}" + ("\n" if done + 1 == of else ""))
        sys.stderr.flush()

    return tell


def warn_of_failures(updated: Updated) -> None:
    for directory, reason in updated.failed:
        warn(f"{directory} is left out: {reason}")
