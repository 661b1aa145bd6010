"""vmstat: what the whole system does beside the target, at 1 Hz."""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from collectors.devices.device import Device, RunningStream
from collectors.errors import DeviceError, ToolError
from collectors.records.samples import SampleProfile
from collectors.tools.tool import RunningSampler, Subject, ToolSettings

_FILE = "vmstat.txt"
# The path behind the name, and a line with the version; toolbox would only print its usage.
_ASK = """
if p=$(command -v vmstat); then
  p=$(readlink -f "$p" 2>/dev/null || echo "$p")
  echo "$p"
  case $p in *toolbox) ;; *) vmstat --version 2>&1 </dev/null | head -n 1 ;; esac
elif command -v toybox >/dev/null && toybox vmstat -n 1 1 >/dev/null 2>&1; then
  echo toybox
  toybox --version
else
  exit 1
fi
"""
# The head comes from the device as the rows do: a stream found again starts with it.
_SAMPLE = """
printf '%s' "$1"
echo "# started_unix ${EPOCHREALTIME:-$(date +%s)}"
shift
exec "$@"
"""


class Vmstat:
    """Run queue, CPU shares, context switches and memory of the whole system."""

    name = "vmstat"
    default_interval = 1.0

    def recognises(self, head: bytes) -> bool:
        lines = (set(line.split()) for line in head.splitlines()[:10])
        return any({b"r", b"b", b"us", b"sy", b"id"} <= words for words in lines)

    def is_output(self, name: str) -> bool:
        return name == _FILE

    def read(self, file: Path) -> SampleProfile:
        from collectors.readers.vmstat_text import parse_vmstat

        return parse_vmstat(file)

    def start(
        self, device: Device, subject: Subject, folder: Path, settings: ToolSettings
    ) -> RunningSampler:
        seconds = max(1, round(settings.interval_seconds or self.default_interval))
        command, version = _find(device, seconds)
        page_bytes = device.facts().page_bytes
        facts = {"interval_seconds": seconds, "version": version, "page_bytes": page_bytes}
        head = "".join(f"# {k} {v}\n" for k, v in facts.items() if v is not None)
        sink = (folder / _FILE).open("wb")
        try:
            words = ["sh", "-c", _SAMPLE, "droidgrind-vmstat", head, *command]
            stream = device.stream(words, sink, name=self.name)
        except DeviceError as error:
            sink.close()
            raise ToolError(f"vmstat does not start: {error}") from error
        return _RunningVmstat(stream, sink, folder / _FILE, seconds)


def _find(device: Device, seconds: int) -> tuple[list[str], str]:
    """The command that samples for ever, and what the vmstat at hand says of itself."""
    try:
        answer = device.run(["sh", "-c", _ASK], timeout=60)
    except DeviceError as error:
        raise ToolError(f"vmstat does not start: {error}") from error
    path, _, version = answer.text.partition("\n")
    if answer.status != 0 or not path:
        raise ToolError(
            f"there is no vmstat on {device.serial}: install it (Debian: procps), or leave "
            "it out of -t"
        )
    version = " ".join(version.split())
    if path.endswith("toolbox"):  # its -n is a number of rows, not "one header"
        return ["vmstat", "-d", str(seconds)], "toolbox"
    program = ["toybox", "vmstat"] if path == "toybox" else ["vmstat"]
    return [*program, "-n", str(seconds)], version


class _RunningVmstat:
    def __init__(self, stream: RunningStream, sink: BinaryIO, file: Path, seconds: int) -> None:
        self._stream = stream
        self._sink = sink
        self._file = file
        self._seconds = seconds

    @property
    def files(self) -> Sequence[Path]:
        return (self._file,)

    def stop(self) -> None:
        if not self._sink.closed:
            try:
                self._stream.stop()
                cost = self._stream.cpu_seconds
                self._sink.flush()
                if not self._file.stat().st_size:  # it was over before its head was written
                    self._sink.write(b"# interval_seconds %d\n" % self._seconds)
                if cost is not None:
                    self._sink.write(b"\n# cost_seconds %.3f\n" % cost)
            except DeviceError as error:
                raise ToolError(f"vmstat: {error}") from error
            finally:
                self._sink.close()


TOOL = Vmstat()
