"""schedstat: what the scheduler does to each thread of the target, at 10 Hz."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from collectors.devices.device import Device, Preferred, RunningStream
from collectors.errors import DeviceError, ToolError
from collectors.records.samples import SampleProfile
from collectors.tools.tool import RunningSampler, Subject, ToolSettings

_FILE = "schedstat.txt"


class Schedstat:
    """Running, waiting for a CPU, context switches and last CPU, thread by thread."""

    name = "schedstat"
    default_interval = 0.1

    def recognises(self, head: bytes) -> bool:
        from collectors.readers.proc import MAGIC

        return head.startswith(MAGIC)

    def is_output(self, name: str) -> bool:
        return name == _FILE

    def read(self, file: Path) -> SampleProfile:
        from collectors.readers.proc import parse_schedstat

        return parse_schedstat(file)

    def start(
        self, device: Device, subject: Subject, folder: Path, settings: ToolSettings
    ) -> RunningSampler:
        from collectors.devices.local import LOCAL_SERIAL, runs_here
        from collectors.tools.schedstat_native import native_sampler
        from collectors.tools.schedstat_python import PythonSampler
        from collectors.tools.schedstat_shell import shell_command

        interval = settings.interval_seconds or self.default_interval
        file = folder / _FILE
        abi = device.facts().abi
        if device.serial != LOCAL_SERIAL:
            script = shell_command(interval, subject.pid, subject.name)
            return _StreamSampler(device, script, native_sampler(abi, interval, subject), file)
        native = native_sampler(abi, interval, subject, left_out=os.getpid())
        if native is None or not runs_here(native.file):
            return PythonSampler(subject, file, interval)
        return _StreamSampler(device, (str(native.file), *native.words), None, file)


class _StreamSampler:
    """A program or a shell; the end of its standard input is the end of it."""

    def __init__(
        self, device: Device, command: Sequence[str], native: Preferred | None, file: Path
    ) -> None:
        self._file = file
        self._sink: BinaryIO = file.open("wb")
        try:
            self._stream: RunningStream = device.stream(
                command, self._sink, name=Schedstat.name, preferred=native
            )
        except DeviceError as error:
            self._sink.close()
            raise ToolError(f"schedstat does not start: {error}") from error

    @property
    def files(self) -> Sequence[Path]:
        return (self._file,)

    def stop(self) -> None:
        if not self._sink.closed:
            try:
                status = self._stream.stop()
            except DeviceError as error:
                raise ToolError(f"schedstat: {error}") from error
            finally:
                self._sink.close()
            if status.code == errno.ENOSPC:  # the native sampler's last word
                raise ToolError(f"schedstat: {self._file}: {os.strerror(errno.ENOSPC)}")


TOOL = Schedstat()
