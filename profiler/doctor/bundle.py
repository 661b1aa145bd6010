"""What a bug report needs, in one zip file, without the names that are nobody's business."""

import getpass
import json
import os
import platform
import re
import socket
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from collectors.errors import InputError
from profiler.doctor.check import as_json
from profiler.doctor.examine import Examination
from profiler.store import Session
from profiler.version import installed_version

MOST_LOG_BYTES = 1 << 20
_PACKAGES = ("adbutils", "numpy", "plotly", "psutil", "pyelftools", "textual")
_SHORTEST = 3
_ADDRESS = re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b")
_MAIL = re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.-]+\b")


class Masker:
    """Puts a word in the place of each private name, the longest names first."""

    def __init__(self, names: Mapping[str, str]) -> None:
        known = {name: word for name, word in names.items() if len(name) >= _SHORTEST}
        ordered = sorted(known, key=len, reverse=True)
        self._words = known
        self._names = (
            re.compile(
                "|".join(rf"(?<![A-Za-z0-9]){re.escape(n)}(?![A-Za-z0-9])" for n in ordered)
            )
            if ordered
            else None
        )
        self.counts: dict[str, int] = {}

    def mask(self, text: str) -> str:
        text = _MAIL.sub(lambda _: self._word("MAIL"), text)
        if self._names is not None:
            text = self._names.sub(lambda match: self._word(self._words[match[0]]), text)
        return _ADDRESS.sub(
            lambda match: match[0] if match[0] == "127.0.0.1" else self._word("ADDRESS"), text
        )

    def _word(self, word: str) -> str:
        self.counts[word] = self.counts.get(word, 0) + 1
        return word


@dataclass(frozen=True, slots=True)
class Bundle:
    """The files to be packed, masked; `masked` counts how often each word was put in."""

    files: Mapping[str, bytes]
    masked: Mapping[str, int]

    def write(self, file: Path) -> None:
        """Raises `InputError` where the file is there already or cannot be written."""
        try:
            with (
                file.open("xb") as stream,
                zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed,
            ):
                for name, content in self.files.items():
                    packed.writestr(name, content)
        except FileExistsError as error:
            raise InputError(f"{file} is there already: choose another name") from error
        except OSError as error:
            raise InputError(f"cannot write {file}: {error.strerror}") from error


def make_bundle(found: Examination, session: Session | None, app: str | None = None) -> Bundle:
    """Gather and mask. `session` is the recording that the report is about."""
    masker = Masker(_private_names(found.serial, app, session))
    texts = {
        "doctor.json": json.dumps(as_json(found.serial, found.checks), indent=1),
        "versions.json": json.dumps(_versions(), indent=1),
        "device.json": json.dumps(
            None if found.facts is None else asdict(found.facts), indent=1
        ),
    }
    if session is not None:
        for name, text in _session_texts(session.directory):
            texts[f"session/{name}"] = text
    files = {name: masker.mask(text).encode() for name, text in texts.items()}
    return Bundle(files, masker.counts)


def _session_texts(directory: Path) -> Iterator[tuple[str, str]]:
    """The manifest, the events, and Valgrind's own words; not the target's output."""
    for pattern in ("session.json", "events.jsonl", "raw/*/valgrind.*.log"):
        for file in sorted(directory.glob(pattern)):
            with file.open("rb") as stream:
                text = stream.read(MOST_LOG_BYTES).decode("utf-8", "replace")
            yield file.relative_to(directory).as_posix(), text


def _private_names(serial: str, app: str | None, session: Session | None) -> dict[str, str]:
    names = {
        str(Path.home()): "HOME",
        getpass.getuser(): "USER",
        socket.gethostname(): "HOST",
        platform.node(): "HOST",
    }
    for name in ("USER", "LOGNAME", "SUDO_USER"):
        names[os.environ.get(name, "")] = "USER"
    if serial != "local":
        names[serial] = "SERIAL"
    if app is not None:
        names[app.partition("/")[0]] = "APP"
    if session is not None:
        manifest = session.manifest
        if manifest.device.serial != "local":
            names[manifest.device.serial] = "SERIAL"
        if manifest.target.argv:
            program = Path(manifest.target.argv[0])
            names[str(program.parent)] = "FOLDER"
            names[program.name] = "PROGRAM"
        names[str(session.directory.parent.absolute())] = "SESSIONS"
    # `root` is everybody's, and a word of many logs.
    return {name: word for name, word in names.items() if name not in {"", "/", ".", "root"}}


def _versions() -> dict[str, str]:
    found = {
        "droidgrind": installed_version(),
        "python": platform.python_version(),
        "system": platform.platform(),
    }
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
