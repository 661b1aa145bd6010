"""What Memcheck, Helgrind and DRD share: XML or a text log, told apart by their content."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from collectors.devices.device import DeviceFacts
from collectors.readers.valgrind_log import parse_valgrind_log
from collectors.readers.valgrind_xml import parse_valgrind_xml
from collectors.records.errors import ErrorProfile
from collectors.records.shared import Shape
from collectors.tools.tool import ToolSettings

_HEAD_BYTES = 1 << 16
_DOCUMENT = re.compile(rb"<valgrindoutput[\s>]")
_LOG_LINE = re.compile(rb"^==(?:[\d:.]+ )?\d+== ", re.MULTILINE)


def recognises(head: bytes, tool: bytes) -> bool:
    """Whether `head` begins XML or a log of Valgrind's `tool` (such as b"memcheck")."""
    if _DOCUMENT.search(head) is not None:
        named = re.search(rb"<tool(?:\s[^<>]*)?>\s*([^<>\s]*)\s*</tool\s*>", head)
        return named is not None and named[1] == tool
    banner = rb"== " + tool + rb", an? "
    return _LOG_LINE.search(head) is not None and (
        re.search(banner, head, re.IGNORECASE) is not None
    )


def parse_errors(file: Path) -> ErrorProfile:
    """Read XML or a text log. Raises `ParseError` when it is neither."""
    with file.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    if _DOCUMENT.search(head) is not None or b"<error>" in head:
        return parse_valgrind_xml(file)
    return parse_valgrind_log(file)


@dataclass(frozen=True, slots=True)
class ErrorTool:
    """A Valgrind tool that reports errors; `arguments` are its own, before the shared ones."""

    name: str
    arguments: tuple[str, ...] = ()
    shape: ClassVar[Shape] = Shape.ERRORS

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
