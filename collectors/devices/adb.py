"""Android devices over adb: listing them, running on them, bringing files to and fro."""

import io
import os
import re
import shlex
import stat
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, TypeVar

from collectors.devices import adb_shell, changes
from collectors.devices.adb_facts import read_facts
from collectors.devices.adb_follow import FollowedJob
from collectors.devices.adb_job import AdbJob, file_digest
from collectors.devices.adb_link import probe
from collectors.devices.adb_root import Root
from collectors.devices.adb_server import AdbServer, DeviceEntry, refusal
from collectors.devices.adb_sync import Sync
from collectors.devices.device import (
    Change,
    ChangeLog,
    CommandResult,
    DeviceFacts,
    Job,
    Preferred,
    RunningStream,
)
from collectors.errors import CommandFailed, DeviceError, DeviceUnavailable

__all__ = ["AdbDevice", "DeviceEntry", "list_devices", "open_device"]

_OWN_PLACE = "/data/local/tmp/"
ROOT = f"{_OWN_PLACE}droidgrind"
_TEMPORARY = "tmp"
PATIENCE_SECONDS = 20.0
_RETRY_SECONDS = 0.5
_DIAL_EVERY_SECONDS = 2.0
Result = TypeVar("Result")


def list_devices() -> list[DeviceEntry]:
    """Every device adb knows, in every state, with the remedy. Raises `DeviceUnavailable`."""
    return AdbServer.from_environment().entries()


def open_device(serial: str | None = None) -> "AdbDevice":
    """The device with this serial, else the only usable one. One that comes up is awaited.

    Raises `DeviceUnavailable` for one that is absent or in a state that cannot be used, and
    `DeviceError` where several are plugged in.
    """
    server = AdbServer.from_environment()
    serial = serial or os.environ.get("ANDROID_SERIAL")
    entries = server.settled(serial)
    if serial is None:
        usable = [entry for entry in entries if entry.state == "device"]
        if len(usable) > 1:
            names = ", ".join(entry.serial for entry in usable)
            raise DeviceError(f"several devices are plugged in: choose one with -s: {names}")
        if not usable and entries:
            raise DeviceUnavailable(
                f"{entries[0].serial}: {entries[0].state}: {entries[0].remedy}"
            )
        if not usable:
            raise DeviceUnavailable("no device: plug one in or `adb connect` it")
        serial = usable[0].serial
    states = {entry.serial: entry.state for entry in entries}
    if serial not in states and re.fullmatch(r"[^\s:]+:\d+", serial):
        server.dial(serial)
    elif serial not in states:
        raise refusal(serial, "not found")
    elif states[serial] != "device":
        raise refusal(serial, states[serial])
    features = server.ask(f"host-serial:{serial}:features").split(",")
    if "shell_v2" not in features:
        raise DeviceError(
            f"{serial}: its adbd has no shell v2: droidgrind needs Android 7 or later"
        )
    return AdbDevice(serial, server, frozenset(features))


class AdbDevice:
    """A device of adb. What can be repeated safely waits for a device that was lost.

    `on_absence`, where it is set, is called again and again while a lost device is waited
    for; it ends the waiting by raising. Without it the waiting ends after a while.
    """

    def __init__(
        self, serial: str, server: AdbServer, features: frozenset[str] = frozenset()
    ) -> None:
        self._serial = serial
        self.server = server
        self.wide_list = "ls_v2" in features
        self.on_absence: Callable[[DeviceUnavailable], None] | None = None
        self.root = Root(self)
        self._dialled = 0.0
        self._dialling: threading.Thread | None = None
        self._dial_lock = threading.Lock()
        self._facts: DeviceFacts | None = None
        self._folder: str | None = None
        self._changes: ChangeLog | None = None
        self._sync: Sync | None = None
        self._sync_lock = threading.Lock()

    def __del__(self) -> None:
        if self._sync is not None:
            self._sync.link.close()

    @property
    def serial(self) -> str:
        return self._serial

    def redial(self) -> None:
        """Have adb connect to a network device again; one on USB comes back by itself.

        It is done on the side: adb may take many seconds, and a person who stops waiting for
        the device is heard meanwhile.
        """
        if ":" not in self._serial:
            return
        with self._dial_lock:
            recently = time.monotonic() - self._dialled < _DIAL_EVERY_SECONDS
            if recently or (self._dialling is not None and self._dialling.is_alive()):
                return
            self._dialling = threading.Thread(target=self._dial, name="dial", daemon=True)
            self._dialling.start()

    def _dial(self) -> None:
        try:
            if self._is_dead():
                self.server.ask(f"host:disconnect:{self._serial}")
            self.server.dial(self._serial)
        except DeviceUnavailable:
            return  # still away: the caller raises, or tries again
        finally:
            self._dialled = time.monotonic()

    def _is_dead(self) -> bool:
        """Whether adb holds a connection to the device on which nothing comes back.

        A network that swallows everything closes none: adb would go on showing the device,
        and wait on the old connection for a quarter of an hour.
        """
        states = {entry.serial: entry.state for entry in self.server.entries()}
        if states.get(self._serial) != "device":
            return self._serial in states
        try:
            probe(self.server, self._serial)
        except DeviceUnavailable:
            return True
        return False

    def begin(
        self, run: str, log: ChangeLog, on_absence: Callable[[DeviceUnavailable], None]
    ) -> None:
        self.on_absence = on_absence
        folder = f"{ROOT}/{run}"
        details = {"path": folder}
        if not self.exists(ROOT):
            details["parent"] = ROOT
        log.add(Change("folder", details))
        quoted = shlex.quote(folder)
        self.checked(f"mkdir -p {quoted}/{{{_TEMPORARY},work}}")
        self._folder = folder
        self._changes = log

    @property
    def run_dir(self) -> str:
        """The run's own folder. Raises `DeviceError` outside of a run."""
        if self._folder is None:
            raise DeviceError("no recording was begun")
        return self._folder

    @property
    def work_dir(self) -> str | None:
        """Where a target runs and finds what was pushed for it; None outside of a run."""
        return None if self._folder is None else f"{self._folder}/work"

    @property
    def temporary_dir(self) -> str:
        """For TMPDIR: Android has no /tmp, and Valgrind needs a folder to write to."""
        return "/data/local/tmp" if self._folder is None else f"{self._folder}/{_TEMPORARY}"

    def persist(self, step: Callable[[], Result]) -> Result:
        """Do what may be done twice, again and again while the device is away."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return step()
            except adb_shell.NoAnswer:
                raise
            except DeviceUnavailable as error:
                if self.on_absence is not None:
                    self.on_absence(error)
                elif time.monotonic() > deadline:
                    raise
            self.redial()
            time.sleep(_RETRY_SECONDS)

    def undo(self, change: Change) -> None:
        changes.undo(self, change)

    def as_root(self, line: str) -> CommandResult:
        return self.root.run(line)

    def drop_root(self) -> None:
        self.root.drop()

    def shell(self, line: str, *, stdin: bytes | None = None) -> CommandResult:
        """Run a line of mksh that may safely run twice."""
        return self.persist(
            lambda: adb_shell.run(
                self.server, self._serial, [line], line, stdin=stdin, timeout=None
            )
        )

    def script(self, text: str) -> CommandResult:
        """Run lines of mksh that may safely run twice, as a whole or not at all.

        A cut link is the end of the input: without the braces, the half of a line that came
        would be run, and `rm -rf /data/local/tmp/x` must not become `rm -rf /data`.
        """
        return self.shell("sh", stdin=f"{{\n{text}\n}}\n".encode("utf-8", "surrogateescape"))

    def checked(self, line: str, *, stdin: bytes | None = None) -> CommandResult:
        answer = self.shell(line, stdin=stdin)
        if answer.status:
            raise CommandFailed(
                answer.argv, answer.status, answer.stderr.decode("utf-8", "replace")
            )
        return answer

    def facts(self) -> DeviceFacts:
        """Asked once: what a recording keeps of a device does not change under it."""
        if self._facts is None:
            self._facts = self._read_facts()
        return self._facts

    def _read_facts(self) -> DeviceFacts:
        return read_facts(self._serial, lambda text: self.script(text).stdout)

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        stdin: bytes | None = None,
    ) -> CommandResult:
        line = "".join(f"{name}={shlex.quote(value)} " for name, value in (env or {}).items())
        line += shlex.join(argv)
        if cwd is not None:
            line = f"cd {shlex.quote(cwd)} && {line}"
        return self.persist(
            lambda: adb_shell.run(
                self.server, self._serial, argv, line, stdin=stdin, timeout=timeout
            )
        )

    def output_dir(self, session_id: str, name: str, destination: Path) -> str:
        """A directory that is made when a job starts in it."""
        path = f"{self._folder or f'{ROOT}/{session_id}'}/{name}"
        destination.mkdir(parents=True, exist_ok=True)
        return path

    def place(self, file: Path, *, executable: bool = False, path: str | None = None) -> str:
        """Push a file; nothing when it is there already.

        Without a `path` it goes to a folder named by its content. A relative path lies in
        the run's folder; an absolute one must not be there already with another content.
        """
        digest = file_digest(file)
        if digest is None:
            raise DeviceError(f"{file}: no such file")
        mode = 0o755 if executable else 0o644
        home = self._folder or ROOT
        if path is None:
            path = f"{home}/files/{digest[:16]}/{file.name}"
        elif not path.startswith("/"):
            path = f"{home}/{path}"
        quoted = shlex.quote(path)
        verified = f"[ \"$(sha256sum <{quoted} | cut -d' ' -f1)\" = {digest} ]"
        ready = f"{verified} 2>/dev/null && chmod {mode:o} {quoted}"
        if self.exists(path) and self.shell(ready).status == 0:
            return path
        if not path.startswith(f"{home}/"):
            self._note_file(path)
            self.checked(f"mkdir -p {shlex.quote(path.rpartition('/')[0])}")
        self.persist(lambda: self._push(file, f"{path}.new", mode))
        # done twice, it finds nothing to move
        moved = (
            f"[ ! -e {quoted}.new ] || "
            f"{{ chmod {mode:o} {quoted}.new && mv -f {quoted}.new {quoted}; }}"
        )
        if self.shell(f"{moved}; {verified}").status:
            raise DeviceError(
                f"{path}: differs from {file} after the push: is the device full?"
            )
        return path

    def _note_file(self, path: str) -> None:
        """Write down that a file will be there that is not ours to overwrite."""
        if self.exists(path):
            raise DeviceError(
                f"{path} is on {self._serial} already and differs: choose another place"
            )
        details = {"path": path}
        folder = path.rpartition("/")[0]
        while folder and not self.exists(folder):
            details["made"] = folder
            folder = folder.rpartition("/")[0]
        if self._changes is not None:
            self._changes.add(Change("file", details))

    def _push(self, file: Path, path: str, mode: int) -> None:
        sync = Sync(self.server, self._serial)
        with sync.link:
            sync.push(file, path, mode)

    def pull(self, path: str, file: Path) -> None:
        sync = Sync(self.server, self._serial)
        with sync.link, file.open("wb") as out:
            sync.pull(path, out)

    def exists(self, path: str) -> bool:
        mode = self.persist(lambda: self._ask(lambda sync: sync.mode(path)))
        if mode and not stat.S_ISLNK(mode):
            return True
        if not mode and path.startswith(_OWN_PLACE):
            return False
        # where a link leads, and what adbd itself may not see
        return self.shell(f"[ -e {shlex.quote(path)} ]").status == 0

    def _ask(self, question: Callable[[Sync], Result]) -> Result:
        """Ask on a connection that is kept: that costs the device no process."""
        with self._sync_lock:
            if self._sync is not None:
                sync, self._sync = self._sync, None
                try:
                    answer = question(sync)
                except DeviceUnavailable:  # since when, nobody knows: the device may be back
                    sync.link.close()
                else:
                    self._sync = sync
                    return answer
            sync = Sync(self.server, self._serial)
            try:
                answer = question(sync)
            except BaseException:
                sync.link.close()
                raise
            self._sync = sync
            return answer

    def read_bytes(self, path: str) -> bytes:
        return self.persist(lambda: self._read(path))

    def _read(self, path: str) -> bytes:
        out = io.BytesIO()
        sync = Sync(self.server, self._serial)
        with sync.link:
            sync.pull(path, out)
        return out.getvalue()

    def start(self, job: Job) -> AdbJob:
        running = AdbJob(self, job)
        running.launch()
        return running

    def attach(self, job: Job) -> AdbJob:
        running = AdbJob(self, job)
        running.find()
        return running

    def stream(
        self,
        argv: Sequence[str],
        sink: BinaryIO,
        *,
        name: str = "stream",
        preferred: Preferred | None = None,
    ) -> RunningStream:
        if self._folder is None:  # nothing may be left behind: the link's end is its end
            return adb_shell.AdbStream(self.server, self._serial, argv, sink, preferred)
        return FollowedJob(self, argv, sink, f"{self._folder}/{name}", preferred)
