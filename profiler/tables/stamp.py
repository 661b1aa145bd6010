"""Which raw file a table was made from: its content, and what tells it cheaply."""

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Stamp:
    """A raw file's size, time of change and SHA-256."""

    size: int
    mtime_ns: int
    sha256: str

    def fits(self, raw: Path) -> bool:
        """Whether `raw` is the file that was stamped.

        Hashing 100 MB takes longer than to open its tables, so that a file which was not
        touched since is believed; one that was (or was copied) is hashed.
        """
        found = raw.stat()
        if found.st_size != self.size:
            return False
        return found.st_mtime_ns == self.mtime_ns or sha256_of(raw) == self.sha256


def stamp_of(raw: Path) -> Stamp:
    found = raw.stat()
    return Stamp(found.st_size, found.st_mtime_ns, sha256_of(raw))


def sha256_of(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
