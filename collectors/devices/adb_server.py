# pyright: basic
"""The adb server: where it listens, how it is started, what it answers.

Only here is adbutils imported, and only once a device is asked for: it takes 0.4 s.
"""

import os
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from collectors.devices.adb_place import DEFAULT_PORT, adb_place
from collectors.errors import DeviceError, DeviceUnavailable

if TYPE_CHECKING:
    from adbutils import AdbClient

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 5.0
_START_SECONDS = 30.0
# The server itself waits for a TCP device to answer, for as long as its kernel does.
_DIAL_SECONDS = 15.0
# A device that was plugged in, or whose adbd began anew, passes through these.
_COMING_UP = {"offline", "connecting", "authorizing"}
_SETTLE_SECONDS = 2.0
_LOOK_SECONDS = 0.1

REMEDIES = {
    "offline": "adb lost it: unplug it and plug it in again, or `adb reconnect offline`",
    "unauthorized": "unlock it and accept the question about USB debugging on its screen",
    "authorizing": "wait a moment, and unlock its screen",
    "connecting": "wait a moment",
    "no permissions": "adb may not open it: add a udev rule (Debian: `apt install "
    "android-sdk-platform-tools-common`), plug it in again, then `adb kill-server`",
    "bootloader": "it is in its bootloader: start Android with `fastboot reboot`",
    "recovery": "it is in recovery: start Android with `adb reboot`",
    "sideload": "it waits for a sideload: start Android with `adb reboot`",
    "rescue": "it is in rescue mode: start Android with `adb reboot`",
    "host": "it is not an Android system",
    "detached": "another program uses it: `adb attach` gives it back",
}
_ABSENT = "plug it in or `adb connect` it; `droidgrind devices` lists what is there"


@dataclass(frozen=True, slots=True)
class DeviceEntry:
    """One device that adb knows of. `remedy` is None where it can be used as it is."""

    serial: str
    state: str
    model: str | None = None
    product: str | None = None
    remedy: str | None = None


class AdbServer:
    """A running adb server, on this machine or another."""

    def __init__(self, host: str = "127.0.0.1", port: int = DEFAULT_PORT) -> None:
        self.host = host
        self.port = port
        self._client: AdbClient | None = None

    @classmethod
    def from_environment(cls) -> "AdbServer":
        """As `adb_place` says. Raises `UsageError` for a value that names no TCP address."""
        return cls(*adb_place())

    def connect(self, timeout: float = _ANSWER_SECONDS) -> socket.socket:
        """A connection to the server, which is started where that can be done."""
        # adbutils would start a server of its own at every refusal, also for a remote one
        if not self._answers():
            self._start()
        from adbutils import AdbClient, AdbError

        if self._client is None:
            self._client = AdbClient(self.host, self.port)
        try:
            connection = self._client.make_connection()
        except (AdbError, OSError) as error:
            raise DeviceUnavailable(self._unreachable(str(error))) from error
        sock = connection.conn
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(timeout)
        return sock

    def ask(self, service: str, timeout: float = _ANSWER_SECONDS) -> str:
        """The text with which the server answers a `host` service."""
        with self.connect(timeout) as sock:
            request(sock, service, service)
            try:
                length = int(_exactly(sock, 4), 16)
                return _exactly(sock, length).decode("utf-8", "replace")
            except (OSError, ValueError) as error:
                raise DeviceUnavailable(f"the adb server did not answer {service}") from error

    def open(self, serial: str, service: str) -> socket.socket:
        """A connection to a service of a device. Raises `DeviceUnavailable`."""
        sock = self.connect()
        try:
            request(sock, f"host:transport:{serial}", serial)
            request(sock, service, serial)
        except BaseException:
            sock.close()
            raise
        return sock

    def entries(self) -> list[DeviceEntry]:
        return parse_devices(self.ask("host:devices-l"))

    def settled(self, serial: str | None) -> list[DeviceEntry]:
        """The same, once the device that is meant is more than a connection that comes up.

        Without a serial the only usable one is meant. Where none is usable yet, all that come
        up are waited for, so that the first of several is not taken for the only one.
        """
        end = time.monotonic() + _SETTLE_SECONDS
        entries = self.entries()
        if serial is None and any(entry.state == "device" for entry in entries):
            return entries
        while time.monotonic() < end and any(
            entry.state in _COMING_UP and serial in (None, entry.serial) for entry in entries
        ):
            time.sleep(_LOOK_SECONDS)
            entries = self.entries()
        return entries

    def dial(self, address: str) -> str:
        """`adb connect`. Raises `DeviceUnavailable` with adb's reason when it fails."""
        answer = self.ask(f"host:connect:{address}", _DIAL_SECONDS).strip()
        if not answer.startswith(("connected to", "already connected")):
            raise DeviceUnavailable(
                f"{answer or address + ': no connection'}: is its wireless debugging on, "
                f"and has this machine been paired with it (`adb pair`)?"
            )
        return answer

    def _answers(self) -> bool:
        try:
            socket.create_connection((self.host, self.port), _CONNECT_SECONDS).close()
        except OSError:
            return False
        return True

    def _start(self) -> None:
        if self.host not in _LOOPBACK:
            raise DeviceUnavailable(
                self._unreachable("start it there: adb -a nodaemon server start")
            )
        program = adb_program()
        environment = {
            name: value for name, value in os.environ.items() if name != "ADB_SERVER_SOCKET"
        }
        try:
            done = subprocess.run(
                [program, "-P", str(self.port), "start-server"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # a pipe would be kept open by the server
                stderr=subprocess.DEVNULL,
                timeout=_START_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DeviceUnavailable(f"{program} start-server: {error}") from error
        deadline = time.monotonic() + _CONNECT_SECONDS
        while not self._answers():
            if time.monotonic() > deadline:
                raise DeviceUnavailable(
                    f"the adb server did not start (exit status {done.returncode}): "
                    f"run `{program} -P {self.port} start-server` to see why"
                )
            time.sleep(0.05)

    def _unreachable(self, what: str) -> str:
        return f"no adb server at {self.host}:{self.port}: {what}"


def adb_program() -> str:
    """The adb of PATH, else the one that adbutils brings."""
    from adbutils import AdbError, adb_path

    try:
        return str(adb_path())
    except AdbError as error:
        raise DeviceUnavailable(
            "there is no adb: install one (Debian: `apt install adb`)"
        ) from error


def request(sock: socket.socket, service: str, subject: str) -> None:
    """Ask the server for a service on an open connection, and read its yes or no."""
    words = service.encode()
    try:
        sock.sendall(b"%04x" % len(words) + words)
        answer = _exactly(sock, 4)
        if answer == b"OKAY":
            return
        if answer != b"FAIL":
            raise DeviceUnavailable(f"{subject}: the adb server said {answer!r}")
        reason = _exactly(sock, int(_exactly(sock, 4), 16)).decode("utf-8", "replace")
    except (OSError, ValueError) as error:
        raise DeviceUnavailable(f"{subject}: no answer from the adb server") from error
    raise refusal(subject, reason)


def refusal(subject: str, reason: str) -> DeviceError:
    """The error for a FAIL of the adb server."""
    first = reason.strip().split("\n", 1)[0].rstrip(".")
    if "not found" in first:
        return DeviceUnavailable(f"{subject}: not found by adb: {_ABSENT}")
    for state, remedy in REMEDIES.items():
        if state in first:
            return DeviceUnavailable(f"{subject}: {state}: {remedy}")
    if first == "closed":
        return DeviceUnavailable(f"{subject}: its adbd refused the request")
    return DeviceUnavailable(f"{subject}: {first}")


def parse_devices(text: str) -> list[DeviceEntry]:
    """The answer to `host:devices-l`: every device, whatever its state."""
    entries: list[DeviceEntry] = []
    for line in text.splitlines():
        serial, _, rest = line.partition(" ")
        if not serial or not rest.strip():
            continue
        words = rest.split()
        state = words[0]
        if rest.strip().startswith("no permissions"):
            state = "no permissions"
        facts = dict(word.split(":", 1) for word in words[1:] if ":" in word)
        model = facts.get("model")
        entries.append(
            DeviceEntry(
                serial,
                state,
                model.replace("_", " ") if model else None,
                facts.get("product"),
                None if state == "device" else REMEDIES.get(state, _ABSENT),
            )
        )
    return entries


def _exactly(sock: socket.socket, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        chunk = sock.recv(count - len(parts))
        if not chunk:
            raise ConnectionError("closed")
        parts += chunk
    return bytes(parts)
