"""Caches as people read them: those of a device, and those that Cachegrind simulated."""

import re

from collectors.devices.device import CacheGeometry
from profiler.figures import size

_LINE = re.compile(r"\s*(\w+) cache:\s*(\d+) B, (\d+) B, (.+?)(?: associative)?\s*")


def geometry_words(cache: CacheGeometry) -> str:
    """`32 KiB 8-way, 64 B lines`"""
    return _words(cache.size_bytes, f"{cache.associativity}-way", cache.line_bytes)


def simulated_words(line: str) -> str:
    """`I1 32 KiB 8-way, 64 B lines`, from Cachegrind's `I1 cache: 32768 B, 64 B, 8-way …`."""
    found = _LINE.fullmatch(line)
    if found is None:
        return " ".join(line.split())
    return f"{found[1]} {_words(int(found[2]), found[4], int(found[3]))}"


def _words(size_bytes: int, ways: str, line_bytes: int) -> str:
    return f"{size(size_bytes).replace('.0 ', ' ')} {ways}, {line_bytes} B lines"
