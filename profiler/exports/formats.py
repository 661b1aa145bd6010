"""The formats by name. A new one is a module with `write` and a line here."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, cast

from collectors.errors import InputError, UsageError, nearest
from profiler.session_writer import check_parent
from profiler.store import Session


@dataclass(frozen=True, slots=True)
class Format:
    """`module` has `write(session, out)`; of a `folder` format, `write(session, folder)`.

    A `binary` file is none that a terminal could show.
    """

    module: str
    suffix: str
    what: str
    folder: bool = False
    binary: bool = False


FORMATS = {
    "junit": Format("junit", ".xml", "JUnit XML: errors as failed tests"),
    "sarif": Format("sarif", ".sarif", "SARIF 2.1.0: errors with code flows"),
    "gitlab": Format("gitlab", ".json", "GitLab code quality"),
    "valgrind-xml": Format("valgrind_xml", ".xml", "Valgrind's XML, all processes in one"),
    "cachegrind": Format("cachegrind", ".out", "cachegrind.out, for cg_annotate, KCachegrind"),
    "callgrind": Format("callgrind", ".out", "callgrind.out, with objects and calls"),
    "folded": Format("folded", ".folded", "collapsed stacks, for flame graph scripts"),
    "speedscope": Format("speedscope", ".json", "speedscope's JSON"),
    "pprof": Format("pprof", ".pb.gz", "pprof's profile.proto", binary=True),
    "chrome-trace": Format("chrome_trace", ".json", "trace events, for Perfetto's UI"),
    "csv": Format("csv_tables", "", "tables as CSV files in a folder", folder=True),
    "parquet": Format("parquet_tables", "", "tables as Parquet files in a folder", folder=True),
}


def find_format(name: str) -> Format:
    """The format of this name. Raises `UsageError` that names the nearest."""
    if name in FORMATS:
        return FORMATS[name]
    hint = nearest(name, FORMATS) or ":"
    raise UsageError(f"there is no format {name!r}{hint} choose from {', '.join(FORMATS)}")


def export_to_stream(session: Session, name: str, out: BinaryIO) -> None:
    """Write a session in a format that is one file.

    Raises `UsageError` where the session has nothing that the format can hold.
    """
    chosen = find_format(name)
    write = import_module(f"profiler.exports.{chosen.module}").write
    cast("Callable[[Session, BinaryIO], None]", write)(session, out)


def export_to(session: Session, name: str, output: Path, *, force: bool = False) -> Path:
    """Write a session to a file, or to a folder for formats of several; return `output`.

    Raises `UsageError` when it exists and `force` is not set, `InputError` when it cannot be
    written. A file is whole or not there.
    """
    chosen = find_format(name)
    if chosen.folder and output.exists() and not output.is_dir():
        raise UsageError(f"{output} is a file: {name} needs a folder (-o DIR)")
    if not chosen.folder and output.is_dir():
        raise UsageError(f"{output} is a directory: name a file with -o FILE")
    if output.exists() and not force:
        raise UsageError(f"{output} exists: use --force to overwrite it")
    check_parent(output)
    try:
        if chosen.folder:
            _write_folder(chosen, session, output)
            return output
        unfinished = output.with_name(f".{output.name}.{os.getpid()}.tmp")
        try:
            with unfinished.open("wb") as out:
                export_to_stream(session, name, out)
            unfinished.replace(output)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot write {output}: {error.strerror}") from error
    return output


def _write_folder(chosen: Format, session: Session, output: Path) -> None:
    """Fill a folder of its own, and leave none behind where that fails."""
    write = import_module(f"profiler.exports.{chosen.module}").write
    new = not output.exists()
    output.mkdir(exist_ok=True)
    try:
        cast("Callable[[Session, Path], None]", write)(session, output)
    except BaseException:
        if new:
            shutil.rmtree(output, ignore_errors=True)
        raise
