"""Memcheck: is memory used correctly, and what leaks."""

from pathlib import Path

from collectors.devices.device import DeviceFacts
from collectors.records.errors import ErrorProfile
from collectors.records.shared import Shape
from collectors.tools.tool import ToolSettings
from collectors.tools.valgrind import SAY_LOADS
from collectors.tools.valgrind_errors import parse_errors, recognises


class Memcheck:
    """Invalid accesses, uninitialised values, wrong frees, and leaks."""

    name = "memcheck"
    valgrind_tool = "memcheck"
    shape = Shape.ERRORS

    def options(
        self,
        version: tuple[int, ...],
        output_dir: str,
        settings: ToolSettings,
        facts: DeviceFacts,
    ) -> list[str]:
        return [
            *SAY_LOADS,
            "--xml=yes",
            f"--xml-file={output_dir}/memcheck.%p.xml",  # %p: a forked child gets its own
            "--leak-check=full",
            "--show-leak-kinds=all",
            "--track-origins=yes",
            "--num-callers=40",
            "--error-limit=no",
            "--gen-suppressions=all",
        ]

    def recognises(self, head: bytes) -> bool:
        return recognises(head, b"memcheck")

    def is_output(self, name: str) -> bool:
        return name.startswith("memcheck.") and name.endswith(".xml")

    def read(self, file: Path) -> ErrorProfile:
        return parse_errors(file)


TOOL = Memcheck()
