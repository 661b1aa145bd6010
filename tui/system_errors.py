"""What the system refused, in one line, where no part of droidgrind has said it better."""

import errno
import os
from pathlib import Path

from profiler.visible import visible

# What a disk says that takes no more.
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}
_NAME_CELLS = 200


def system_error_text(error: OSError) -> str | None:
    """One sentence with the file and the remedy; None for what only a fault of ours brings."""
    name = error.filename
    file = visible(os.fsdecode(name), _NAME_CELLS) if isinstance(name, str | bytes) else None
    if error.errno in _NO_ROOM:
        what = file or "the output"
        return f"cannot write {what}: {error.strerror}: make room, or write elsewhere"
    if file is not None:
        return f"{file}: {error.strerror} (`droidgrind --debug …` shows where it was needed)"
    if isinstance(error, FileNotFoundError) and _folder_is_gone():
        return "the folder that this is started in was removed: change to another one"
    return None


def _folder_is_gone() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False
