"""Which code is the program's own, as far as names tell: not a library's, not Valgrind's."""

import re
from collections.abc import Sequence
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


def module_of(record: ErrorRecord) -> str:
    """The file name of the object that holds the program's own frame."""
    frame = own_frame(record.frames)
    if frame is None or frame.obj is None:
        return "unknown"
    return PurePosixPath(frame.obj).name or "unknown"


# Massif names files without their folders: what belongs to libraries is told by the names
# that GCC's and LLVM's C++ libraries, the C library and Rust's use.
_LIBRARY_FILE = re.compile(
    r"(stl_|std_|bits/|new_allocator|alloc_traits|allocator|basic_string|char_traits|invoke\.h|"
    r"hashtable|shared_ptr|unique_ptr|vector\.tcc|deque\.tcc|list\.tcc|move\.h|functional|"
    r"thread:|atomic|future|pthread_create|clone|libc[-_]start|alloc/src|alloc\.rs|raw_vec|"
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
    if frame.file is not None and _LIBRARY_FILE.match(frame.file):
        return True
    if (
        frame.file is None
        and frame.obj is not None
        and frame.obj.startswith(("/usr/", "/lib", "/system/", "/apex/"))
    ):
        return True
    return frame.fn is None or _LIBRARY_FUNCTION.match(frame.fn) is not None
