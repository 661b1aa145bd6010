"""DRD: data races, and locks that are held too long."""

from pathlib import Path

from collectors.devices.device import DeviceFacts
from collectors.records.errors import ErrorProfile
from collectors.records.shared import Shape
from collectors.tools.tool import ToolSettings
from collectors.tools.valgrind_errors import parse_errors, recognises


class Drd:
    """Conflicting accesses, lock contention and misuse of POSIX threads."""

    name = "drd"
    valgrind_tool = "drd"
    shape = Shape.ERRORS

    def options(
        self,
        version: tuple[int, ...],
        output_dir: str,
        settings: ToolSettings,
        facts: DeviceFacts,
    ) -> list[str]:
        return [
            "--xml=yes",
            f"--xml-file={output_dir}/drd.%p.xml",
            "--num-callers=40",
            "--error-limit=no",
            "--gen-suppressions=all",
        ]

    def recognises(self, head: bytes) -> bool:
        return recognises(head, b"drd")

    def is_output(self, name: str) -> bool:
        return name.startswith("drd.") and name.endswith(".xml")

    def read(self, file: Path) -> ErrorProfile:
        return parse_errors(file)


TOOL = Drd()
