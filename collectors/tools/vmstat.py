"""vmstat: what the whole system does beside the target, at 1 Hz."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from collectors.devices.device import Device, RunningStream
from collectors.errors import DeviceError, ToolError
from collectors.readers.vmstat_text import parse_vmstat
from collectors.records.samples import SampleProfile
from collectors.records.shared import Shape
from collectors.tools.tool import RunningSampler, Subject, ToolSettings

_FILE = "vmstat.txt"


class Vmstat:
    """Run queue, CPU shares, context switches and memory of the whole system."""

    name = "vmstat"
    shape = Shape.SAMPLES
    default_interval = 1.0

    def recognises(self, head: bytes) -> bool:
        lines = (set(line.split()) for line in head.splitlines()[:10])
        return any({b"r", b"b", b"us", b"sy", b"id"} <= words for words in lines)

    def is_output(self, name: str) -> bool:
        return name == _FILE

    def read(self, file: Path) -> SampleProfile:
        return parse_vmstat(file)

    def start(
        self, device: Device, subject: Subject, folder: Path, settings: ToolSettings
    ) -> RunningSampler:
        seconds = max(1, round(settings.interval_seconds or self.default_interval))
        found = device.run(["sh", "-c", "command -v vmstat"], timeout=60)
        if found.status != 0:
            raise ToolError(
                f"there is no vmstat on {device.serial}: install it (Debian: procps), or leave "
                "it out of -t"
            )
        sink = (folder / _FILE).open("wb")
        sink.write(
            f"# interval_seconds {seconds}\n# started_unix {time.time():.3f}\n".encode("ascii")
        )
        sink.flush()
        try:
            stream = device.stream(["vmstat", "-n", str(seconds)], sink)
        except DeviceError as error:
            sink.close()
            raise ToolError(f"vmstat does not start: {error}") from error
        return _RunningVmstat(stream, sink, folder / _FILE)


class _RunningVmstat:
    def __init__(self, stream: RunningStream, sink: BinaryIO, file: Path) -> None:
        self._stream = stream
        self._sink = sink
        self._file = file

    @property
    def files(self) -> Sequence[Path]:
        return (self._file,)

    def stop(self) -> None:
        if not self._sink.closed:
            self._stream.stop()
            self._sink.close()


TOOL = Vmstat()
