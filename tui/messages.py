"""What screens, workers and the application tell one another."""

from dataclasses import dataclass
from pathlib import Path

from textual.message import Message


class GoTo(Message):
    """Show a tab, and on it the thing that `key` names (a screen knows its own keys).

    Findings lead to their evidence by this; `key` None just shows the tab.
    """

    def __init__(self, tab: str, key: str | None = None) -> None:
        super().__init__()
        self.tab = tab
        self.key = key


class OpenSession(Message):
    """Open a stored session and show its overview."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = directory


class Loaded(Message):
    """A worker has read what a screen asked for; `asked` tells a late answer from a new one."""

    def __init__(self, asked: int, content: object) -> None:
        super().__init__()
        self.asked = asked
        self.content = content


class LoadFailed(Message):
    """A worker could not read it: `reason` is one line for people."""

    def __init__(self, asked: int, reason: str) -> None:
        super().__init__()
        self.asked = asked
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Status:
    """What the header line says: of which device and target, and how live it is.

    `recording` marks that a recording runs, whatever is looked at.
    """

    device: str = ""
    target: str = ""
    state: str = ""
    severity: str = ""
    recording: str = ""
