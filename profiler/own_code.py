"""Which code is the program's own, as far as names tell: not a library's, not Valgrind's."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from collectors.records.errors import ErrorRecord
from collectors.records.heap import AllocPoint
from collectors.records.shared import Frame

# Frames of Valgrind's own replacements and of the C++ library say where it happened only
# in the letter; the frame below them is the program's.
_NOT_THE_PROGRAM = (
    "/vgpreload_",
    "vg_replace_",
    "/usr/include/",
    "/usr/lib/",
    "/lib/",
    "/usr/libexec/",
)


def own_frame(frames: Sequence[Frame]) -> Frame | None:
    """The innermost frame of the program itself, as far as that can be told."""
    for frame in frames:
        where = f"{frame.obj or ''} {frame.path or ''}"
        if frame.file is not None and not any(mark in where for mark in _NOT_THE_PROGRAM):
            return frame
    for frame in frames:
        if not any(mark in (frame.obj or "") for mark in _NOT_THE_PROGRAM):
            return frame
    return frames[0] if frames else None


# Where systems keep what a person did not write. A path without its root ("./elf/dl-load.c")
# comes from a distribution's build.
_SYSTEM = re.compile(
    r"(/usr/(?!src/|local/)|/lib|/system/|/system_ext/|/apex/|/vendor/|/odm/|/product/|/build/|"
    r"/buildbot|/rustc/|\./|\.\./|\[|.*/vgpreload_|.*/\.cargo/registry/|.*/toolchains/llvm/)"
)
_PARAMETERS = re.compile(r"\((?!anonymous namespace\))")
_MOST_JUDGED = 100_000


@dataclass(frozen=True, slots=True)
class OwnCode:
    """Which code is the person's own: by globs that were given, else guessed.

    A glob (`--mine`) is matched against the whole path and the file name of objects and
    source files, and against function names without their parameters. Guessed: the target
    itself, and what lies in no folder of the system.
    """

    globs: tuple[str, ...] = ()
    target: str | None = None
    # Many frames are in few files: what was judged once is known.
    _judged: dict[tuple[str | None, ...], bool] = field(
        default_factory=dict[tuple[str | None, ...], bool],
        init=False,
        repr=False,
        compare=False,
    )

    @classmethod
    def guessed(cls, argv: Sequence[str]) -> "OwnCode":
        return cls(target=PurePosixPath(argv[0]).name if argv else None)

    def owns(self, frame: Frame) -> bool:
        """Whether a stack's frame is own code."""
        key = (frame.obj, frame.file, frame.dir, frame.fn if self.globs else None)
        judged = self._judged.get(key)
        if judged is None:
            if len(self._judged) >= _MOST_JUDGED:
                self._judged.clear()
            judged = self._judged[key] = self.owns_code(frame.fn, frame.path, frame.obj)
        return judged

    def owns_code(self, fn: str | None, file: str | None, obj: str | None) -> bool:
        """Whether a function of a source file and an object is own code."""
        if self.globs:
            name = None if fn is None else _PARAMETERS.split(fn, 1)[0] or fn
            return any(self.names(word) for word in (file, obj, name) if word)
        if obj is not None:
            if self.target is not None and obj.rpartition("/")[2] == self.target:
                # A header of the C++ library that was compiled into the program is not.
                return file is None or not _SYSTEM.match(file) or "/include/" not in file
            return not _SYSTEM.match(obj) and not (file and _SYSTEM.match(file))
        if file is None or file == "???":
            return False
        if "/" not in file:  # as text logs and Massif name files
            return not _named_as_library(fn, file)
        return file.startswith("/") and not _SYSTEM.match(file)

    def names(self, name: str) -> bool:
        """Whether a glob matches a path, the file in it, or a function without parameters."""
        words = (name, name.rpartition("/")[2])
        return any(fnmatchcase(word, glob) for glob in self.globs for word in words)

    def frame(self, frames: Sequence[Frame]) -> Frame | None:
        """The innermost own frame; where there is none, the first that is no replacement."""
        for frame in frames:
            if self.owns(frame):
                return frame
        return own_frame(frames)

    def has_own(self, frames: Sequence[Frame]) -> bool:
        return any(map(self.owns, frames))


def module_of(record: ErrorRecord) -> str:
    """The file name of the object that holds the program's own frame."""
    frame = own_frame(record.frames)
    if frame is None or frame.obj is None:
        return "unknown"
    return frame.obj.rpartition("/")[2] or "unknown"


# Massif and text logs name files without their folders: what belongs to libraries is told by
# the names that GCC's and LLVM's C++ libraries, the C library and Rust's use.
_LIBRARY_FILE = re.compile(
    r"(stl_|std_|bits/|new_allocator|alloc_traits|allocator|basic_string|char_traits|invoke\.h|"
    r"hashtable|shared_ptr|unique_ptr|vg_replace_|vector\.tcc|deque\.tcc|list\.tcc|move\.h|"
    r"functional|dl-[\w-]+\.[ch]|thread:|atomic|future|pthread_create|clone|libc[-_]start|"
    r"alloc/src|alloc\.rs|raw_vec|"
    r"__(tree|hash_table|string|vector|split_buffer|memory|functional|thread))"
)
_LIBRARY_FUNCTION = re.compile(
    r"(std::|__gnu_cxx::|__|_M_|alloc::|core::|operator new|operator delete|_dl_|_IO_|\?\?\?$|"
    r"start_thread$|clone\d?$|\(below main\)|malloc$|calloc$|realloc$|strdup$)"
)


def is_library(point: AllocPoint) -> bool:
    """Whether a place is a library's, as far as its names tell: not the program's own code."""
    frame = point.frame
    if frame is None:
        return True
    if (
        frame.file is None
        and frame.obj is not None
        and frame.obj.startswith(("/usr/", "/lib", "/system/", "/apex/"))
    ):
        return True
    return _named_as_library(frame.fn, frame.file)


def _named_as_library(fn: str | None, file: str | None) -> bool:
    if file is not None and _LIBRARY_FILE.match(file):
        return True
    return fn is None or _LIBRARY_FUNCTION.match(fn) is not None


def own_alloc_place(frames: Sequence[Frame], own: OwnCode | None = None) -> int | None:
    """Where in an allocation stack the program's own code begins; None: nowhere.

    Massif names files without their folders: libraries are told by their names there,
    unless globs say what is own.
    """
    if own is not None and own.globs:
        found = next((i for i, frame in enumerate(frames) if own.owns(frame)), None)
        if found is not None:
            return found
    return next((i for i, frame in enumerate(frames) if _allocates(frame)), None)


def alloc_frame(frames: Sequence[Frame], own: OwnCode | None = None) -> Frame | None:
    """The frame that a person looks at first in an allocation stack."""
    return own_alloc_frame(frames, own) or own_frame(frames)


def own_alloc_frame(frames: Sequence[Frame], own: OwnCode | None = None) -> Frame | None:
    """The innermost frame of an allocation stack that is no library's; None if all are."""
    place = own_alloc_place(frames, own)
    return None if place is None else frames[place]


def _allocates(frame: Frame) -> bool:
    """Whether a frame may be the program's own: also one without a name, of an own object."""
    if not is_library(AllocPoint("", frame)):
        return True
    unnamed = frame.fn is None or frame.fn == "???"
    return unnamed and frame.obj is not None and not _SYSTEM.match(frame.obj)
