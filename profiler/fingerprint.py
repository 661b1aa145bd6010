"""What makes a finding or an error the same one in another run, on another day.

A fingerprint is made from names only: rule or kind, functions without parameters, template
arguments and compiler's suffixes, objects without folders and versions. Addresses, lines and
sizes are left out, so that it survives moved lines, a rebuild and another checkout.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from collectors.records.errors import ErrorRecord
from collectors.records.shared import Frame
from profiler.functions import short_name
from profiler.own_code import own_frame

# So many frames of a stack tell one error from another; more would tie it to its callers.
STACK_FRAMES = 3
LENGTH = 16
_PROGRAM = "/program"  # no file has a name with a slash
_REMEMBERED = 1 << 14

# foo.constprop.0, foo.isra.3.cold: what the optimiser did today.
_CLONE = re.compile(r"(\.(constprop|isra|part|cold|lto_priv|llvm|__uniq)(\.\d+)*)+$")
# _RNv…17h0123456789abcdefE or ::h0123456789abcdef: a Rust symbol's hash.
_RUST_HASH = re.compile(r"::h[0-9a-f]{16}$")
# libfoo.so.1.2.3, libfoo-1.2.so
_VERSION = re.compile(r"(?<=\.so)[.\d]+$|-\d[\d.]*(?=\.so)")


def fingerprint(*parts: str) -> str:
    """16 hexadecimal digits from `parts`, whose order matters."""
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:LENGTH]


@lru_cache(_REMEMBERED)
def stable_function(name: str | None) -> str:
    """A function's name without what a rebuild may change."""
    if not name:
        return "?"
    return _RUST_HASH.sub("", _CLONE.sub("", short_name(_CLONE.sub("", name))))


def stable_object(name: str | None) -> str:
    """`libfoo.so` for `/data/app/~~x==/lib/arm64/libfoo.so.1.2`."""
    if not name:
        return "?"
    return _VERSION.sub("", name.rpartition("/")[2])


def spot(frame: Frame | None) -> str:
    """One place in the code, told apart from others of this run; no fingerprint."""
    if frame is None:
        return "?"
    line = frame.line if frame.line is not None else frame.ip
    return f"{stable_function(frame.fn)}|{frame.path or frame.obj}|{line}"


def stack_parts(
    frames: Sequence[Frame], most: int = STACK_FRAMES, program: str = ""
) -> Iterable[str]:
    """The names that stand for a stack: from the program's own innermost frame outwards.

    The file `program` gets a name that is the same whatever it is called.
    """
    own = own_frame(frames)
    start = next((i for i, frame in enumerate(frames) if frame is own), 0)
    for frame in frames[start : start + most]:
        name = stable_object(frame.obj)
        yield f"{stable_function(frame.fn)}@{_PROGRAM if program and name == program else name}"


def error_fingerprint(
    record: ErrorRecord, kind: str | None = None, *, program: str = ""
) -> str:
    """One error or leak, by its kind (or the one that it is to count as) and its own frames."""
    parts = stack_parts(record.frames, program=program)
    return fingerprint("error", kind or record.kind, *parts)
