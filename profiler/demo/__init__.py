"""The recorded session that comes with the package, copied where it may be written to."""

import os
import shutil
from importlib.resources import as_file, files
from pathlib import Path

from collectors.errors import InputError
from profiler.json_fields import Fields, parse_json
from profiler.store import Session, open_session
from profiler.symbols.stored import SYMBOLS_FILE, SymbolsEntry, symbols_document

NAME = "demo-sample"
BUILT_IN = "/opt/sample"  # the folder that the program's debug information names
SOURCE = "sample.cpp"
SOURCE_SHA256 = "b42f4dba705bfbb72d7260bcadeb9877ba63ed45bdf82b8944dcf141101dd4f3"


def demo_session(folder: Path | None = None) -> Session:
    """A copy of the demo's session below `folder` (default: the user's cache)."""
    if folder is None:
        base = os.environ.get("XDG_CACHE_HOME")
        folder = (Path(base) if base else Path.home() / ".cache") / "droidgrind"
    directory = folder / NAME
    try:
        with as_file(files("profiler.demo") / "session") as packed:
            if _created(directory) != _created(packed):  # none yet, or an older version's
                _copy(packed, directory)
    except OSError as error:
        raise InputError(f"cannot copy the demo to {folder}: {error.strerror}") from error
    return open_session(directory)


def _created(session: Path) -> str | None:
    try:
        document: object = parse_json((session / "session.json").read_bytes())
    except (OSError, ValueError):
        return None  # none there, or one cut off while it was copied
    return Fields(document, str(session)).optional_text("created")


def _copy(packed: Path, directory: Path) -> None:
    """The session with its program's source beside it."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    temporary = directory.with_name(f".{NAME}.{os.getpid()}")
    shutil.copytree(packed, temporary)
    source = temporary / "sources" / SOURCE
    source.parent.mkdir()
    shutil.copyfile(_sample_source(packed), source)
    entry = SymbolsEntry(
        source_map={BUILT_IN: str(directory.resolve() / "sources")},
        sources={f"{BUILT_IN}/{SOURCE}": SOURCE_SHA256},
    )
    (temporary / SYMBOLS_FILE).write_bytes(symbols_document(entry))
    if directory.exists():
        shutil.rmtree(directory)
    temporary.rename(directory)


def _sample_source(packed: Path) -> Path:
    """Installed beside the session; in a checkout, where the sample is built."""
    installed = packed.parent / SOURCE
    if installed.is_file():
        return installed
    return Path(__file__).parents[2] / "scripts" / "sample" / SOURCE
