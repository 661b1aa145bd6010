"""Opening a source line in the editor that a person uses (`$VISUAL`, `$EDITOR`)."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

_GOTO = {"code": "--goto", "codium": "--goto", "code-insiders": "--goto"}
_COLON = frozenset({"subl", "hx", "helix", "zed", "kate"})


def editor_command(editor: str, file: str, line: int) -> list[str]:
    """The editor's command line for a line of a file."""
    words = shlex.split(editor)
    name = Path(words[0]).name if words else ""
    if name in _GOTO:
        return [*words, _GOTO[name], f"{file}:{line}"]
    if name in _COLON:
        return [*words, f"{file}:{line}"]
    return [*words, f"+{line}", file]


def open_in_editor(app: App[Any], file: str | None, line: int | None) -> None:
    """Leave the dashboard for the editor and come back; what hinders is said."""
    reason = _hindrance(file)
    if reason is None and file is not None:
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR", "")
        try:
            with app.suspend():
                done = subprocess.run(editor_command(editor, file, line or 1), check=False)
        except SuspendNotSupported:
            reason = "No editor can be opened in this kind of terminal."
        except OSError as error:
            reason = f"{editor}: {error.strerror}"
        else:
            if done.returncode:
                reason = f"{editor} ended with status {done.returncode}"
    if reason is not None:
        app.notify(reason, severity="warning", markup=False)


def _hindrance(file: str | None) -> str | None:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR", "")
    if not file:
        return "No source file is known here."
    if not Path(file).is_file():
        return f"{file} is not on this machine."
    try:
        words = shlex.split(editor)
    except ValueError as error:
        return f"EDITOR={editor}: {error}"
    if not words:
        return "Which editor? Set EDITOR, for instance EDITOR=nano."
    if shutil.which(words[0]) is None:
        return f"EDITOR={editor}: there is no such program."
    return None
