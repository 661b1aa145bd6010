"""What a tool is: a wrapper runs the target inside itself, a sampler watches beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol

from collectors.devices.device import Device, DeviceFacts
from collectors.records.cost import CostProfile
from collectors.records.errors import ErrorProfile
from collectors.records.heap import HeapProfile
from collectors.records.samples import SampleProfile
from collectors.records.shared import Shape

Profile = ErrorProfile | CostProfile | HeapProfile | SampleProfile


@dataclass(frozen=True, slots=True)
class ToolSettings:
    """What a person may choose for one tool.

    `arguments` go to the tool as they are (`--tool-arg`). `time_unit` is Massif's (`i`,
    `ms`, `B`); `interval_seconds` is a sampler's. `suppressions` are files of
    this machine with errors not to be reported.
    """

    arguments: tuple[str, ...] = ()
    time_unit: Literal["i", "ms", "B"] = "i"
    interval_seconds: float | None = None
    suppressions: tuple[Path, ...] = ()

    def suppressing(self, device: Device, shape: Shape) -> "ToolSettings":
        """The suppression files as arguments, where the tool has errors to suppress."""
        if shape is not Shape.ERRORS:
            return self
        files = [device.place(file) for file in self.suppressions]
        options = (f"--suppressions={file}" for file in files)
        return replace(self, arguments=(*self.arguments, *options))


@dataclass(frozen=True, slots=True)
class Subject:
    """What a sampler watches: a process and its descendants, or the whole system.

    `name` stands for processes that may not be there yet: the name of a program (as in
    /proc/PID/comm) or of an app's package, whose processes are `name` and `name:part`.
    """

    pid: int | None = None
    name: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict[str, str])


class Tool(Protocol):
    """What every tool has. Instances are stateless: one a module, named `TOOL`."""

    @property
    def name(self) -> str: ...

    def recognises(self, head: bytes) -> bool:
        """Whether a file that begins with `head` (up to 64 KiB) is this tool's output."""
        ...

    def is_output(self, name: str) -> bool:
        """Whether a file of this name in `raw/<tool>/` is to be read, or is just kept."""
        ...

    def read(self, file: Path) -> Profile:
        """Read one output file. Raises `ParseError` when nothing of it can be used."""
        ...


class Wrapper(Tool, Protocol):
    """Runs the target inside itself, slowly, so each wrapper gets a run of its own."""

    @property
    def valgrind_tool(self) -> str:
        """Valgrind's `--tool=` name."""
        ...

    def options(
        self,
        version: tuple[int, ...],
        output_dir: str,
        settings: ToolSettings,
        facts: DeviceFacts,
    ) -> list[str]:
        """Valgrind's options for one run; `output_dir` is a device path."""
        ...


class RunningSampler(Protocol):
    """A sampler at work; what it writes can be read while it grows."""

    @property
    def files(self) -> Sequence[Path]: ...

    def stop(self) -> None:
        """End sampling; the files are complete afterwards. Safe to call twice."""
        ...


class Sampler(Tool, Protocol):
    """Watches beside the target; several run at once."""

    @property
    def default_interval(self) -> float:
        """Seconds between samples."""
        ...

    def start(
        self, device: Device, subject: Subject, folder: Path, settings: ToolSettings
    ) -> RunningSampler:
        """Begin to sample into files of `folder` (on this machine)."""
        ...
