# pyright: basic
"""C++ and Rust names as Valgrind writes them.

C++ goes through the C++ library's own demangler (cxxfilt), which is the code that Valgrind
carries; Rust through the reference implementation (pyderust).
"""

from functools import cache

_MOST_CHARACTERS = 1 << 16


@cache
def demangled(name: str) -> str:
    """The name as a person reads it; a name that is not mangled, as it is."""
    if len(name) > _MOST_CHARACTERS or not name.startswith(("_Z", "_R", "__R", "__Z")):
        return name
    return _rust(name) or _cpp(name) or name


def _rust(name: str) -> str | None:
    if not (name.startswith("_R") or _has_rust_hash(name)):
        return None
    import pyderust

    try:
        return str(pyderust.demangle(name))
    except pyderust.DemangleError:
        return None


def _has_rust_hash(name: str) -> bool:
    """Whether the old Rust mangling's hash ends the name: it looks like C++ otherwise."""
    body = name.partition(".")[0]
    return body.startswith("_ZN") and body[-20:-17] == "17h" and body.endswith("E")


def _cpp(name: str) -> str | None:
    import cxxfilt

    try:
        return str(cxxfilt.demangle(name))
    except (cxxfilt.Error, UnicodeDecodeError):
        return None
