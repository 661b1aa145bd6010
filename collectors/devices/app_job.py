"""An app that runs, perhaps inside a tool: started, waited for, ended gracefully, fetched.

The process of an app is nobody's child that we could wait for, and only the app itself (or
root) may look into its directory. So its pid comes from the script that starts it, its end
from /proc, and its files through `run-as` or root.
"""

import re
import shlex
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from collectors.devices.adb import AdbDevice
from collectors.devices.adb_job import file_digest
from collectors.devices.adb_shell import Shell
from collectors.devices.apps import App, Way, check_value
from collectors.devices.device import Change, ChangeLog, ExitStatus, Job, ResourceUsage
from collectors.errors import DeviceError, JobLost

# What the wrap.sh of `droidgrind wrap-sh` reads, in the app's data directory.
COMMAND_FILE = "droidgrind-command"
# What Android itself waits for, in seconds.
ZYGOTE_SECONDS = 30
ATTACH_SECONDS = 1200
_PLAIN_START_SECONDS = 30.0
_TEMPORARY = "tmp"
_POLL_SECONDS = 0.2
_SETTLED_SECONDS = 1.0

Phase = Callable[[str], None]


class AppHost:
    """One app on one device, made ready to be started again and again."""

    def __init__(
        self, device: AdbDevice, app: App, way: Way, log: ChangeLog, run: str, phase: Phase
    ) -> None:
        self.device = device
        self.app = app
        self.way = way
        self.phase = phase
        self._log = log
        self._run = run
        self.folder = f"{app.folder}/droidgrind-{run}"

    @property
    def as_root(self) -> bool:
        return self.way is Way.PROPERTY

    def inside(self, line: str) -> bytes:
        """What a line of mksh prints, run with the app's rights (or root's)."""
        if self.as_root:
            answer = self.device.as_root(line)
        else:
            answer = self.device.shell(self.as_app(line))
        if answer.status:
            said = answer.stderr.decode("utf-8", "replace").strip() or answer.text
            raise DeviceError(f"{self.app.package}: {said.rsplit(chr(10), 1)[-1]}")
        return answer.stdout

    def as_app(self, line: str) -> str:
        return f"run-as {shlex.quote(self.app.package)} sh -c {shlex.quote(line)}"

    def prepare(self) -> None:
        """Keep the screen on and make the app's own folder; each change written down first."""
        device, app = self.device, self.app
        name = "stay_on_while_plugged_in"
        before = device.shell(f"settings get global {name}").text
        details = {"space": "global", "name": name}
        if before not in {"", "null"}:
            details["value"] = before
        self._log.add(Change("setting", details))
        device.checked("svc power stayon true")
        if self.way is Way.NONE:
            return
        owner = {"package": app.package, "path": self.folder}
        self._log.add(Change("app-folder", {**owner, "root": "1"} if self.as_root else owner))
        self.inside(f"mkdir -p {shlex.quote(self.folder)}/{_TEMPORARY}")
        if self.as_root:
            self._own()
            self._relax()
        self._log.add(Change("debug-app"))
        device.checked(f"am set-debug-app {shlex.quote(app.package)}")

    def _own(self) -> None:
        """Give root's new files in the app's directory to the app."""
        folder = shlex.quote(self.folder)
        self.inside(
            f'owner=$(stat -c %u:%g {shlex.quote(self.app.folder)}); chown -R "$owner" {folder}'
        )

    def _relax(self) -> None:
        mode = self.device.shell("getenforce").text
        if mode == "Enforcing":
            self._log.add(Change("selinux", {"mode": "1"}))
            self.inside("setenforce 0")
            self.phase("SELinux is permissive for the time of the recording")

    def output_dir(self, name: str) -> str:
        """An empty folder: a run that was cut off is made again."""
        folder = f"{self.folder}/{name}"
        if self.way is Way.NONE:
            return folder
        quoted = shlex.quote(folder)
        self.inside(f"rm -rf {quoted}; mkdir -p {quoted}")
        if self.as_root:
            self._own()
        return folder

    def start(
        self, name: str, output_dir: str, prefix: tuple[str, ...], env: Mapping[str, str]
    ) -> "AppJob":
        job = Job(name, (*prefix, self.app.package), output_dir, dict(env))
        running = AppJob(self, job)
        running.launch(prefix)
        return running

    def set_wrapper(
        self, output_dir: str, prefix: tuple[str, ...], env: Mapping[str, str]
    ) -> None:
        """Have the next start of the app run inside `prefix`."""
        lines = [
            f"echo $$ >{shlex.quote(output_dir)}/pid",
            f"export TMPDIR={shlex.quote(self.folder)}/{_TEMPORARY}",
            *(f"export {key}={shlex.quote(value)}" for key, value in env.items()),
            f"exec >{shlex.quote(output_dir)}/stdout 2>{shlex.quote(output_dir)}/stderr",
            f'exec {shlex.join(prefix)} "$@"',
        ]
        script = "\n".join(lines) + "\n"
        if self.way is Way.WRAP_SH:
            pointer = f"{self.app.folder}/{COMMAND_FILE}"
            self._log.add(Change("app-folder", {"package": self.app.package, "path": pointer}))
            line = self.as_app(f"cat >{shlex.quote(pointer)}")
            self.device.checked(line, stdin=script.encode())
            return
        path = f"{self.device.run_dir}/wrap.sh"
        self.device.checked(f"cat >{path} && chmod 755 {path}", stdin=script.encode())
        name = self.app.wrap_property
        before = self.device.shell(f"getprop {name}").text
        value = check_value(f"sh {path}")
        if before != value:
            self._log.add(Change("property", {"name": name, "value": before}))
        self.inside(f"setprop {name} {shlex.quote(value)}")
        if self.device.shell(f"getprop {name}").text != value:
            raise DeviceError(f"{self.device.serial} does not keep the property {name}")

    def unset_wrapper(self) -> None:
        if self.way is Way.PROPERTY:
            self.inside(f"setprop {self.app.wrap_property} ''")
        elif self.way is Way.WRAP_SH:
            self.inside(f"rm -f {shlex.quote(self.app.folder)}/{COMMAND_FILE}")

    def start_activity(self) -> None:
        package = self.app.package
        self.device.checked(f"am force-stop {shlex.quote(package)}")
        self._log.add(Change("app-started", {"package": package}))
        answer = self.device.shell(f"am start -n {shlex.quote(self.app.activity)}")
        said = answer.text + answer.stderr.decode("utf-8", "replace")
        trouble = re.search(r"^(?:Error|Exception|java\.).*", said, re.MULTILINE)
        if answer.status or trouble:
            reason = trouble[0] if trouble else f"exit status {answer.status}"
            raise DeviceError(f"{self.app.activity} does not start: {reason}")


class AppJob:
    """The app's process. How it ended is only known where a signal of ours ended it."""

    def __init__(self, host: AppHost, job: Job) -> None:
        self._host = host
        self._job = job
        self._pid = 0
        self._sent: int | None = None
        self._status: ExitStatus | None = None
        self._started = time.monotonic()
        self._wrapped = False

    @property
    def job(self) -> Job:
        return self._job

    @property
    def pid(self) -> int:
        return self._pid

    @property
    def usage(self) -> ResourceUsage | None:
        if self._status is None:
            return None
        return ResourceUsage(wall_seconds=self._ended - self._started)

    def launch(self, prefix: tuple[str, ...]) -> None:
        host = self._host
        self._wrapped = bool(prefix)
        if prefix:
            pid_file = f"{self._job.output_dir}/pid"
            host.set_wrapper(self._job.output_dir, prefix, self._job.env)
            host.phase(
                f"starting {host.app.activity} inside {self._job.name} ({host.way}): Android "
                f"waits {ZYGOTE_SECONDS} s for its process, {ATTACH_SECONDS} s for it to attach"
            )
        else:
            pid_file = ""
            if host.way is not Way.NONE:
                host.unset_wrapper()
            host.phase(f"starting {host.app.activity}")
        self._started = time.monotonic()
        host.start_activity()
        self._await(pid_file)

    def _await(self, pid_file: str) -> None:
        host = self._host
        limit = float(ZYGOTE_SECONDS) if pid_file else _PLAIN_START_SECONDS
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            if pid_file:
                line = f"cat {shlex.quote(pid_file)} 2>/dev/null || true"
                words = host.inside(line).split()
            else:
                found = host.device.shell(f"pidof {shlex.quote(host.app.package)}").stdout
                words = found.split()
            if words and words[0].isdigit():
                self._pid = int(words[0])
                host.phase(
                    f"process {self._pid} is there after "
                    f"{time.monotonic() - self._started:.1f} s"
                )
                return
            time.sleep(_POLL_SECONDS)
        hint = "see `adb logcat` for the reason"
        if host.way is Way.WRAP_SH and pid_file:
            hint = "was its wrap.sh written by this droidgrind (`droidgrind wrap-sh`)?"
        raise DeviceError(f"{host.app.package} did not start within {limit:g} s: {hint}")

    def release(self) -> None:
        """An app is never held."""

    def _alive(self) -> bool:
        # wrapped, /proc/PID belongs to the app: ask with its rights; else any shell may
        return self._host.device.exists(f"/proc/{self._pid}")

    def poll(self) -> ExitStatus | None:
        if self._status is None and not self._alive():
            self._ended = time.monotonic()
            self._status = ExitStatus(signal=self._sent) if self._sent else ExitStatus()
        return self._status

    def wait(self, seconds: float) -> ExitStatus | None:
        deadline = time.monotonic() + seconds
        while (status := self.poll()) is None and time.monotonic() < deadline:
            time.sleep(min(_POLL_SECONDS, max(0.0, deadline - time.monotonic())))
        return status

    def signal(self, number: int) -> None:
        """SIGTERM lets Valgrind write its reports; `am force-stop` would be SIGKILL."""
        if self._status is not None:
            return
        self._sent = number
        if self._wrapped or self._host.app.debuggable:
            self._host.inside(f"kill -{number} {self._pid} || true")
        else:
            self._host.device.checked(f"am force-stop {shlex.quote(self._host.app.package)}")
            self._sent = 9

    def _listing(self, command: str) -> dict[str, str]:
        folder = shlex.quote(self._job.output_dir)
        said = self._host.inside(f"cd {folder} && find . -type f -exec {command} {{}} +")
        found: dict[str, str] = {}
        for line in said.decode("utf-8", "surrogateescape").splitlines():
            match = re.fullmatch(r"(\w+) +\./(.+)", line)
            if match is None or ".." in match[2].split("/"):
                raise DeviceError(f"{folder}: a file name that is not safe: {line!r}")
            found[match[2]] = match[1]
        return found

    def fetch(self, destination: Path) -> None:
        if not self._wrapped:
            return
        destination.mkdir(parents=True, exist_ok=True)
        if self._status is not None:
            self._settle()
        for name, size in self._listing("stat -c '%s %n'").items():
            file = destination / name
            have = file.stat().st_size if file.exists() else -1
            if have != int(size):
                self._bring(name, file, max(have, 0))
        if self._status is not None:
            for name, digest in self._listing("sha256sum").items():
                if file_digest(destination / name) != digest:
                    self._bring(name, destination / name, 0)
                    if file_digest(destination / name) != digest:
                        raise DeviceError(f"{name}: differs from the app's file")

    def _settle(self) -> None:
        """Wait until nothing is written any more: a child may still be at it."""
        before: dict[str, str] = {}
        while (now := self._listing("stat -c '%s %n'")) != before:
            before = now
            time.sleep(_SETTLED_SECONDS)

    def _bring(self, name: str, file: Path, have: int) -> None:
        path = shlex.quote(f"{self._job.output_dir}/{name}")
        line = f"tail -c +{have + 1} {path}"
        host = self._host
        whole = host.device.root.line(line) if host.as_root else host.as_app(line)
        file.parent.mkdir(parents=True, exist_ok=True)

        def copy() -> None:
            with file.open("r+b" if have else "wb") as out:
                out.seek(have)
                shell = Shell(host.device.server, host.device.serial, whole)
                with shell.link:
                    status, stderr = shell.copy(out)
                if status:
                    said = stderr.decode("utf-8", "replace").strip()
                    raise JobLost(f"{path}: {said}")

        host.device.persist(copy)

    def discard(self) -> None:
        host = self._host
        host.device.shell(f"am force-stop {shlex.quote(host.app.package)}")
        if host.way is not Way.NONE:
            host.unset_wrapper()
            host.inside(f"rm -rf {shlex.quote(self._job.output_dir)}")
