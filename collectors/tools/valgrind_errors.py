"""What Memcheck, Helgrind and DRD share: XML or a text log, told apart by their content."""

import re
from dataclasses import dataclass
from pathlib import Path

from collectors.devices.device import DeviceFacts
from collectors.records.errors import ErrorProfile
from collectors.tools.tool import ToolSettings

_HEAD_BYTES = 1 << 16
_DOCUMENT = re.compile(rb"<valgrindoutput[\s>]")
_BANNER = re.compile(rb"== (\w+), an? [^\n]*(?:detector|profiler|tool)")


def recognises(head: bytes, tool: bytes) -> bool:
    """Whether `head` begins XML or a log of Valgrind's `tool` (such as b"memcheck")."""
    if _DOCUMENT.search(head) is not None:
        named = re.search(rb"<tool(?:\s[^<>]*)?>\s*([^<>\s]*)\s*</tool\s*>", head)
        return named is not None and named[1] == tool
    from collectors.readers.valgrind_log import LINE, tool_of_quiet

    if LINE.search(head) is None:
        return False
    banner = _BANNER.search(head)
    if banner is None:
        return tool_of_quiet(head) == tool.decode("ascii")
    return banner[1].lower() == tool


def parse_errors(file: Path) -> ErrorProfile:
    """Read XML or a text log. Raises `ParseError` when it is neither."""
    with file.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    if _DOCUMENT.search(head) is not None or b"<error>" in head:
        from collectors.readers.valgrind_xml import parse_valgrind_xml

        return parse_valgrind_xml(file)
    from collectors.readers.valgrind_log import parse_valgrind_log

    return parse_valgrind_log(file)


@dataclass(frozen=True, slots=True)
class ErrorTool:
    """A Valgrind tool that reports errors; `arguments` are its own, before the shared ones."""

    name: str
    arguments: tuple[str, ...] = ()

    @property
    def valgrind_tool(self) -> str:
        return self.name

    def options(
        self,
        version: tuple[int, ...],
        output_dir: str,
        settings: ToolSettings,
        facts: DeviceFacts,
    ) -> list[str]:
        return [
            *self.arguments,
            "--xml=yes",
            f"--xml-file={output_dir}/{self.name}.%p.xml",  # %p: a forked child gets its own
            "--num-callers=40",
            "--error-limit=no",
            "--gen-suppressions=all",
        ]

    def recognises(self, head: bytes) -> bool:
        return recognises(head, self.name.encode())

    def is_output(self, name: str) -> bool:
        return name.startswith(f"{self.name}.") and name.endswith(".xml")

    def read(self, file: Path) -> ErrorProfile:
        return parse_errors(file)
