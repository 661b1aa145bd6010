"""DHAT: how the heap is used: how long blocks live, how often they are read and written."""

from pathlib import Path

from collectors.devices.device import DeviceFacts
from collectors.records.heap import HeapProfile
from collectors.tools.tool import ToolSettings
from collectors.tools.valgrind import SAY_LOADS


class Dhat:
    """Counts allocations, lifetimes and accesses for every stack that allocates."""

    name = "dhat"
    valgrind_tool = "dhat"

    def options(
        self,
        version: tuple[int, ...],
        output_dir: str,
        settings: ToolSettings,
        facts: DeviceFacts,
    ) -> list[str]:
        return [*SAY_LOADS, f"--dhat-out-file={output_dir}/dhat.%p.json", "--num-callers=40"]

    def recognises(self, head: bytes) -> bool:
        from collectors.readers.dhat_out import MAGIC

        return MAGIC.match(head) is not None

    def is_output(self, name: str) -> bool:
        return name.startswith("dhat.") and name.endswith(".json")

    def read(self, file: Path) -> HeapProfile:
        from collectors.readers.dhat_out import parse_dhat

        return parse_dhat(file)


TOOL = Dhat()
