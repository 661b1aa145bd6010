"""Root on a device: `adb root` where the build allows it, else a `su` program."""

import shlex
from typing import TYPE_CHECKING

from collectors.devices import adb_shell
from collectors.devices.device import CommandResult
from collectors.errors import DeviceError, DeviceUnavailable

if TYPE_CHECKING:
    from collectors.devices.adb import AdbDevice

_ASK_SECONDS = 60.0  # a person may have to answer a question on the device's screen
_ANSWER_BYTES = 4096


class Root:
    """Finds out once how commands become root's, and runs them so."""

    def __init__(self, device: "AdbDevice") -> None:
        self._device = device
        self._prefix: str | None = None
        self._refusal = "is not rooted"

    @property
    def way(self) -> str | None:
        """How commands become root's (`adbd`, `su -c`, `su 0`); None where they cannot."""
        if self._prefix is None:
            self._prefix = self._find()
        return {"": None, "adbd": "adbd"}.get(self._prefix, self._prefix)

    @property
    def refusal(self) -> str:
        """Why commands cannot become root's, as the end of a sentence about the device."""
        return self._refusal

    def _find(self) -> str:
        device = self._device
        if device.shell("id -u").text == "0":
            return "adbd"
        self._refusal = "is not rooted"
        if device.shell("command -v su").status:
            return ""
        said = "no answer"
        for way in ("su -c", "su 0"):
            line = f"{way} {'id' if way == 'su 0' else shlex.quote('id -u')}"
            try:
                answer = adb_shell.run(
                    device.server, device.serial, [line], line, stdin=None, timeout=_ASK_SECONDS
                )
            except DeviceUnavailable:
                continue  # nobody answered its question
            if answer.status == 0 and (answer.text == "0" or answer.text.startswith("uid=0")):
                return way
            said = answer.stderr.decode("utf-8", "replace").strip() or answer.text or said
        last = said.rsplit("\n", 1)[-1]
        self._refusal = (
            f"has a su that refuses the shell user ({last}; its root manager may allow it)"
        )
        return ""

    def run(self, line: str) -> CommandResult:
        """Raises `DeviceError` where there is no root."""
        return self._device.shell(self.line(line))

    def line(self, line: str) -> str:
        """The line that runs `line` as root. Raises `DeviceError` where there is no root."""
        way = self.way
        if way is None:
            raise DeviceError(
                f"{self._device.serial} {self._refusal}: it takes `adb root`, or a su that "
                "lets the shell user in"
            )
        if way == "adbd":
            return line
        shell = "sh -c " if way == "su 0" else ""
        return f"{way} {shell}{shlex.quote(line)}"

    def ask_adbd(self) -> str:
        """`adb root`; what adbd says. It restarts, and ends whatever it had started."""
        return self._restart("root:")

    def drop(self) -> None:
        """`adb unroot`."""
        if self._device.shell("id -u").text == "0":
            self._restart("unroot:")

    def _restart(self, service: str) -> str:
        device = self._device
        self._prefix = None
        try:
            with device.server.open(device.serial, service) as sock:
                said = bytearray()
                while chunk := sock.recv(_ANSWER_BYTES):
                    said += chunk
        except OSError as error:
            raise DeviceUnavailable(f"{device.serial}: adb {service} {error}") from error
        device.shell("true")  # waits for it to be back
        return said.decode("utf-8", "replace").strip()
