"""Cache geometry from /sys, since Cachegrind cannot ask an ARM core for its caches."""

import re
from collections.abc import Callable

from collectors.devices.device import CacheGeometry, Caches

_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}
_MOST_INDICES = 8


def read_caches(read_text: Callable[[str], str], cpu: int = 0) -> Caches | None:
    """The caches of one CPU, as /sys/devices/system/cpu/cpuN/cache/index* tells.

    `read_text` reads a small file of the device and raises OSError where there is none.
    None when /sys says nothing of caches, as on many virtual machines and older phones.
    """
    root = f"/sys/devices/system/cpu/cpu{cpu}/cache"
    found: dict[tuple[int, str], CacheGeometry] = {}
    for index in range(_MOST_INDICES):
        folder = f"{root}/index{index}"
        try:
            level = int(read_text(f"{folder}/level"))
            kind = read_text(f"{folder}/type").strip()
            size = parse_size(read_text(f"{folder}/size"))
            ways = int(read_text(f"{folder}/ways_of_associativity"))
            line = int(read_text(f"{folder}/coherency_line_size"))
        except (OSError, ValueError):
            continue
        if size > 0 and line > 0:
            # 0 ways is the kernel's word for fully associative
            found[level, kind] = CacheGeometry(size, ways or size // line, line)
    if not found:
        return None
    last = max(level for level, _ in found)
    unified = found.get((last, "Unified")) or found.get((last, "Data"))
    return Caches(
        instruction=found.get((1, "Instruction")) or found.get((1, "Unified")),
        data=found.get((1, "Data")) or found.get((1, "Unified")),
        last_level=unified if last > 1 else None,
        source=root,
    )


def parse_size(text: str) -> int:
    """Bytes of a size such as `48K`. Raises ValueError for anything else."""
    match = re.fullmatch(r"(\d+)([KMG]?)", text.strip())
    if match is None:
        raise ValueError(f"not a cache size: {text!r}")
    return int(match[1]) * _UNITS[match[2]]
