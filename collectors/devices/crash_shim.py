"""The crash shim: a preload library that lets a crashing target end as Valgrind can tell.

Its source, and why it is needed, is `shim/crash_shim.c`; `shim/built.json` says by which
compiler and from which text the libraries beside it were built.
"""

from importlib.resources import files


def shim_bytes(platform: str) -> bytes:
    """The library for one of Valgrind's platforms, such as `arm64-linux`."""
    return _shipped(f"crash-shim-{platform}.so")


def smoke_bytes(platform: str) -> bytes:
    """A static program without libc that ends with status 0, to try Valgrind's tools on."""
    return _shipped(f"smoke-{platform}")


def _shipped(name: str) -> bytes:
    return (files("collectors.devices") / "shim" / name).read_bytes()
