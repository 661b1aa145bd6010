"""Where answers and tables are kept between runs: `$XDG_CACHE_HOME/droidgrind/symbols/`.

Everything in it can be deleted at any time. Files are written whole or not at all, and a
folder that cannot be written to is done without.
"""

import hashlib
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

VERSION = "1"
VARIABLE = "DROIDGRIND_CACHE"
_MOST_BYTES = 4 << 30


def cache_folder() -> Path:
    """The folder of this version's cache; it need not be there yet."""
    chosen = os.environ.get(VARIABLE)
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    root = Path(chosen) if chosen else base / "droidgrind"
    return root / "symbols" / f"v{VERSION}"


@contextmanager
def usable_folder(chosen: Path | None = None) -> Generator[Path]:
    """The cache's folder, or a temporary one where it cannot be written to."""
    folder = cache_folder() if chosen is None else chosen
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".{os.getpid()}.probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError:
        with tempfile.TemporaryDirectory(prefix="droidgrind-symbols-") as temporary:
            yield Path(temporary)
        return
    yield folder
    _prune(folder)


def key_of(*parts: object) -> str:
    """A file name that stands for these values."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:32]


def replace_file(unfinished: Path, file: Path) -> None:
    """Let a finished file take its name. Raises `OSError`."""
    try:
        with unfinished.open("rb+") as stream:
            os.fsync(stream.fileno())
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def _prune(folder: Path) -> None:
    """Remove what was not used for longest, where there is too much."""
    found: list[tuple[float, int, Path]] = []
    for file in folder.rglob("*"):
        with suppress(OSError):
            facts = file.stat()
            if file.is_file():
                found.append((facts.st_mtime, facts.st_size, file))
    total = sum(size for _, size, _ in found)
    for _, size, file in sorted(found):
        if total <= _MOST_BYTES:
            return
        with suppress(OSError):
            file.unlink()
            total -= size
