"""A command beside the target that goes on when the link or droidgrind itself does not.

The command runs as a detached job and writes to a file on the device. One shell there sends
what is new of the file whenever it is asked to, which costs the device one `cat`. After a
lost link the file is sent again, and what is here already is skipped.
"""

import hashlib
import shlex
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

from collectors.devices.adb_job import AdbJob
from collectors.devices.adb_shell import Shell
from collectors.devices.device import STDOUT_FILE, ExitStatus, Job, Preferred
from collectors.errors import DeviceError, DeviceUnavailable, JobLost

if TYPE_CHECKING:
    from collectors.devices.adb import AdbDevice

# Little waits for a sample of a recording, and each time costs the device a process; `watch`
# has its samples pushed (`AdbStream`).
_PACE_SECONDS = 1.0
_RETRY_SECONDS = 0.5
_STOP_SECONDS = 5.0
_STDOUT, _EXIT = 1, 3
# A sampler that nobody ends must not fill the device (512-byte blocks: 512 MiB). Its input
# stays silent and open, as a terminal's would: `sleep` is mksh's coprocess.
_COMMAND = 'ulimit -f 1048576; sleep 2147483647 |& {prefer}exec "$@" <&p'
_PREFER = '[ "$({program} --try 2>/dev/null)" = ok ] && exec {program} {words} <&p; '
_SEND = "exec 3<{file} && while read -r ask; do cat <&3; done"


class FollowedJob:
    """The job, and a thread that copies its output to `sink` as it comes."""

    def __init__(
        self,
        device: "AdbDevice",
        argv: Sequence[str],
        sink: BinaryIO,
        folder: str,
        preferred: Preferred | None = None,
    ) -> None:
        self._device = device
        self._sink = sink
        self._file = f"{folder}/{STDOUT_FILE}"
        prefer = "" if preferred is None else _bring(device, preferred)
        words = ("sh", "-c", _COMMAND.format(prefer=prefer), "sh", *argv)
        self._job: AdbJob = device.start(Job(folder.rpartition("/")[2], words, folder))
        self._copied = 0
        self._digest = hashlib.sha256()
        self._ending = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._copy, name="follow", daemon=True)
        self._thread.start()

    @property
    def cpu_seconds(self) -> float | None:
        """CPU time that the command used on the device, once it has ended."""
        usage = self._job.usage
        return None if usage is None else usage.cpu_seconds

    def poll(self) -> ExitStatus | None:
        if self._error is not None:
            raise DeviceError(str(self._error))
        try:
            return self._job.poll()
        except DeviceUnavailable:
            return None  # it goes on, and so does the copying

    def stop(self) -> ExitStatus:
        """End the command; its output is complete in the sink, verified by its hash.

        The device's file stays, to be found again if droidgrind is killed right now.
        Raises `DeviceError` where the output could not be copied as a whole.
        """
        try:
            status = self._end()
        except JobLost:
            status = ExitStatus(signal=9)  # what it wrote by then is still a file
        self._ending.set()
        self._thread.join()
        if self._error is not None:
            raise DeviceError(f"{self._job.job.name}: its output was not kept: {self._error}")
        there = self._device.shell(f"sha256sum <{shlex.quote(self._file)}").text.split()
        if there[:1] != [self._digest.hexdigest()]:
            raise DeviceError(f"{self._file}: what came differs from the device's file")
        self._job.end_leftovers()
        return status

    def _end(self) -> ExitStatus:
        for number in (15, 9):
            self._job.signal(number)
            status = self._device.persist(lambda: self._job.wait(_STOP_SECONDS))
            if status is not None:
                return status
        raise DeviceError(f"{self._job.job.name} does not end on {self._device.serial}")

    def _copy(self) -> None:
        while True:
            try:
                self._copy_once()
            except DeviceUnavailable:
                if self._ending.is_set():
                    self._device.redial()
                threading.Event().wait(_RETRY_SECONDS)
            except (DeviceError, OSError) as error:
                self._error = error
                return
            else:
                return

    def _copy_once(self) -> None:
        """Copy over one connection until the command is to end. Raises when it is lost."""
        line = _SEND.format(file=shlex.quote(self._file))
        shell = Shell(self._device.server, self._device.serial, line)
        with shell.link:
            pacer = threading.Thread(target=self._ask, args=(shell,), daemon=True)
            pacer.start()
            skip = self._copied
            while True:
                kind, data = shell.read()
                if kind == _EXIT:
                    if data != b"\0":
                        raise DeviceError(f"{self._file}: cannot be read on the device")
                    return
                if kind != _STDOUT:
                    continue
                new, skip = data[skip:], max(0, skip - len(data))
                if new:
                    self._sink.write(new)
                    self._sink.flush()
                    self._digest.update(new)
                    self._copied += len(new)

    def _ask(self, shell: Shell) -> None:
        try:
            while True:
                ending = self._ending.wait(_PACE_SECONDS)
                shell.send(b"\n")
                if ending:
                    shell.close_stdin()
                    return
        except (DeviceError, OSError, ValueError):
            return  # the reader sees the lost link, too


def _bring(device: "AdbDevice", preferred: Preferred) -> str:
    """Put a program into the run's own folder; the words by which a shell prefers it."""
    try:
        there = device.place(preferred.file, executable=True, path=f"bin/{preferred.file.name}")
    except DeviceUnavailable:
        raise
    except DeviceError:  # its storage is full: the command needs none of it
        return ""
    return _PREFER.format(program=shlex.quote(there), words=shlex.join(preferred.words))
