"""Massif: where the heap goes, over time."""

from pathlib import Path

from collectors.devices.device import DeviceFacts
from collectors.records.heap import HeapProfile
from collectors.tools.tool import ToolSettings
from collectors.tools.valgrind import SAY_LOADS


class Massif:
    """Takes snapshots of the heap, some of them with the stacks that hold it."""

    name = "massif"
    valgrind_tool = "massif"

    def options(
        self,
        version: tuple[int, ...],
        output_dir: str,
        settings: ToolSettings,
        facts: DeviceFacts,
    ) -> list[str]:
        return [
            *SAY_LOADS,
            f"--massif-out-file={output_dir}/massif.%p.out",
            f"--time-unit={settings.time_unit}",
            "--max-snapshots=200",
            "--peak-inaccuracy=0.0",  # the peak is what people ask for
        ]

    def recognises(self, head: bytes) -> bool:
        return b"\ntime_unit:" in head and b"snapshot=" in head

    def is_output(self, name: str) -> bool:
        return name.startswith("massif.") and name.endswith(".out")

    def read(self, file: Path) -> HeapProfile:
        from collectors.readers.massif_out import parse_massif

        return parse_massif(file)


TOOL = Massif()
