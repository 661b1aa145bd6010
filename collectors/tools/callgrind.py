"""Callgrind: what code costs, and who calls it."""

from pathlib import Path

from collectors.devices.device import DeviceFacts
from collectors.records.cost import CostProfile
from collectors.tools.tool import ToolSettings


class Callgrind:
    """Counts instructions and branches like Cachegrind, and calls with their inclusive cost."""

    name = "callgrind"
    valgrind_tool = "callgrind"

    def options(
        self,
        version: tuple[int, ...],
        output_dir: str,
        settings: ToolSettings,
        facts: DeviceFacts,
    ) -> list[str]:
        return [
            f"--callgrind-out-file={output_dir}/callgrind.%p.out",
            "--branch-sim=yes",
            "--compress-strings=yes",
        ]

    def recognises(self, head: bytes) -> bool:
        lines = head.splitlines()
        return any(line.startswith(b"events:") for line in lines) and any(
            line.startswith((b"positions:", b"# callgrind format", b"creator: callgrind"))
            for line in lines
        )

    def is_output(self, name: str) -> bool:
        return name.startswith("callgrind.") and ".out" in name

    def read(self, file: Path) -> CostProfile:
        from collectors.readers.callgrind_out import parse_callgrind

        return parse_callgrind(file)


TOOL = Callgrind()
