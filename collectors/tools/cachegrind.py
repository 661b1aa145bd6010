"""Cachegrind: which code misses the cache, in a simulated memory hierarchy."""

from pathlib import Path

from collectors.devices.device import CacheGeometry, DeviceFacts
from collectors.records.cost import CostProfile
from collectors.tools.tool import ToolSettings


def simulated(cache: CacheGeometry) -> CacheGeometry:
    """The nearest cache that Cachegrind simulates: its number of sets is a power of two.

    Last-level caches made of slices, one a core, often have another, and Cachegrind refuses
    it as an option. Where it finds such a cache by itself it does what is done here: the sets
    rounded down, as many more ways as make up for them.
    """
    sets = cache.size_bytes // (cache.associativity * cache.line_bytes)
    way_bytes = (1 << max(sets.bit_length() - 1, 0)) * cache.line_bytes
    ways = (cache.size_bytes + way_bytes // 2) // way_bytes
    return CacheGeometry(ways * way_bytes, ways, cache.line_bytes)


class Cachegrind:
    """Counts instructions, cache misses and branches; its caches are a model, not the CPU's."""

    name = "cachegrind"
    valgrind_tool = "cachegrind"

    def options(
        self,
        version: tuple[int, ...],
        output_dir: str,
        settings: ToolSettings,
        facts: DeviceFacts,
    ) -> list[str]:
        options = [
            "--cache-sim=yes",  # off by default since 3.21
            "--branch-sim=yes",
            f"--cachegrind-out-file={output_dir}/cachegrind.%p.out",
        ]
        caches = facts.caches
        if caches is not None and caches.instruction and caches.data and caches.last_level:
            options += [
                f"--I1={simulated(caches.instruction)}",
                f"--D1={simulated(caches.data)}",
                f"--LL={simulated(caches.last_level)}",
            ]
        return options

    def recognises(self, head: bytes) -> bool:
        lines = head.splitlines()
        has_events = any(line.startswith(b"events:") for line in lines)
        is_callgrind = any(
            line.startswith((b"positions:", b"version:", b"# callgrind")) for line in lines
        )
        return has_events and not is_callgrind

    def is_output(self, name: str) -> bool:
        return name.startswith("cachegrind.") and name.endswith(".out")

    def read(self, file: Path) -> CostProfile:
        from collectors.readers.cachegrind_out import parse_cachegrind

        return parse_cachegrind(file)


TOOL = Cachegrind()
