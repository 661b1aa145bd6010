"""A job that runs detached on a device and outlives the link and droidgrind itself.

Beside the output directory a folder `NAME.job` keeps what finds the job again: `runner` and
`pid` (the process ids), `done` (exit status, start and end on the device's clock, times, free
storage).
"""

import hashlib
import io
import re
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from collectors.devices.adb_shell import Shell, run
from collectors.devices.adb_sync import Sync
from collectors.devices.changes import END_JOB
from collectors.devices.device import ExitStatus, Job, ResourceUsage
from collectors.errors import DeviceError, DeviceUnavailable, JobLost

if TYPE_CHECKING:
    from collectors.devices.adb import AdbDevice

_POLL_SECONDS = 0.1
_YOUNG_SECONDS = 3.0  # short runs are not to wait for a question
_NOT_THERE = 97
_ALIVE_SECONDS = 2.0

# Reserved space lets the marker be written on a device that the job has filled. The shell has
# the target's name before it is one: samplers see it held, and may never see it again.
_RUNNER = """\
mkdir {j}/started 2>/dev/null || exit 0
trap : HUP INT TERM
read -r line </proc/$$/stat
set -- ${{line##*) }}
echo $$ ${{20}} >{j}/runner
head -c 65536 /dev/zero >{j}/reserve
mkdir -p {tmp}
export TMPDIR={tmp}
cd {cwd} || exit 1
{gate}{exports}
sh -c '{{ print -rn -- "${{1##*/}}" >/proc/$$/comm; }} 2>/dev/null
echo $$ >{j}/pid.new; mv {j}/pid.new {j}/pid
{hold}read start rest </proc/uptime; echo $start >{j}/start; exec "$@"' sh {argv} \
</dev/null >{o}/stdout 2>{o}/stderr
status=$?
read end rest </proc/uptime
read start rest <{j}/start
rm -f {j}/reserve
{{ echo "$status $start $end"; times; stat -f -c 'free %a %S' {o}; }} >{j}/done.new 2>/dev/null
mv {j}/done.new {j}/done
"""
# A pipe that never says anything is the clock: `sleep` would be a child for samplers to see.
_GATE = "mkfifo {j}/gate\n"
_HOLD = """\
[ -p {j}/gate ] && exec 3<>{j}/gate
until [ -f {j}/go ]; do read -t 0.02 -u3 word; [ $? = 142 ] || sleep 0.02; done
exec 3>&-
"""
# The runner itself makes `started`: however often a lost link has it launched, one runs.
_LAUNCH = """\
if [ ! -d {j}/started ]; then setsid sh {j}/run </dev/null >/dev/null 2>&1 & fi
n=0
until [ -f {j}/pid ] || [ -f {j}/done ] || [ $n -gt 200 ]; do sleep 0.05; n=$((n+1)); done
read pid rest <{j}/pid; read runner rest <{j}/runner
echo $pid $runner
"""


class AdbJob:
    """A job on a device. What is fetched is known by the files here, so that it can be
    attached to from another process.
    """

    def __init__(self, device: "AdbDevice", job: Job) -> None:
        self._device = device
        self._job = job
        self._folder = f"{job.output_dir}.job"
        self._j = shlex.quote(self._folder)
        self._pid = 0
        self._runner = 0
        self._status: ExitStatus | None = None
        self._usage: ResourceUsage | None = None
        self._looked = 0.0
        self._began = time.monotonic()
        self._away = False
        self._sync: Sync | None = None
        self._verified = False

    def __del__(self) -> None:
        self._hang_up()  # where the device was given up

    def launch(self) -> None:
        job = self._job
        script = _RUNNER.format(
            j=self._folder,
            o=shlex.quote(job.output_dir),
            cwd=shlex.quote(job.cwd or job.output_dir),
            tmp=shlex.quote(self._device.temporary_dir),
            exports="\n".join(f"export {k}={shlex.quote(v)}" for k, v in job.env.items()),
            argv=shlex.join(job.argv),
            gate=_GATE.format(j=self._folder) if job.held else "",
            hold=_HOLD.format(j=self._folder) if job.held else "",
        )
        program = job.argv[0]
        check = (
            f"[ -x {shlex.quote(program)} ] || exit {_NOT_THERE}; " if "/" in program else ""
        )
        # a link that is cut leaves `run` incomplete: the size says so, and nothing is launched
        content = script.encode("utf-8", "surrogateescape")
        line = (
            f"{check}mkdir -p {shlex.quote(job.output_dir)} {self._j} || exit 1; "
            f"[ -d {self._j}/started ] || {{ cat >{self._j}/run.new && "
            f"[ $(wc -c <{self._j}/run.new) = {len(content)} ] && "
            f"mv {self._j}/run.new {self._j}/run; }} || exit 1\n{_LAUNCH.format(j=self._j)}"
        )
        answer = self._device.shell(line, stdin=content)
        if answer.status == _NOT_THERE:
            raise DeviceError(f"{program}: not an executable file on {self._device.serial}")
        self._take_pids(answer.text)

    def _take_pids(self, text: str) -> None:
        numbers = text.split()
        if len(numbers) != 2 or not all(number.isdigit() for number in numbers):
            raise DeviceError(
                f"{self._job.name} did not start on {self._device.serial}: is its storage full?"
            )
        self._pid, self._runner = map(int, numbers)

    def find(self) -> None:
        answer = self._device.shell(
            f"read pid rest <{self._j}/pid; read runner rest <{self._j}/runner; "
            "echo $pid $runner"
        )
        self._take_pids(answer.text)

    @property
    def job(self) -> Job:
        return self._job

    @property
    def pid(self) -> int:
        return self._pid

    @property
    def usage(self) -> ResourceUsage | None:
        return self._usage

    def _asking(self) -> Sync:
        """A sync connection kept open: asking on it costs the device no process."""
        if self._sync is None:
            self._sync = Sync(self._device.server, self._device.serial)
        return self._sync

    def release(self) -> None:
        if self._job.held:
            self._device.checked(f": >{self._j}/go")

    def _exists(self, path: str) -> bool:
        try:
            return self._asking().mode(path) != 0
        except DeviceUnavailable:
            self._hang_up()
            raise

    def _pull(self, path: str, out: BinaryIO) -> None:
        try:
            self._asking().pull(path, out)
        except BaseException:
            self._hang_up()
            raise

    def _hang_up(self) -> None:
        if self._sync is not None:
            self._sync.link.close()
            self._sync = None

    def poll(self) -> ExitStatus | None:
        if self._status is not None:
            return self._status
        if self._away:  # now, and not before the caller was told
            self._device.redial()
        try:
            if self._exists(f"{self._folder}/done"):
                self._end()
            elif time.monotonic() - self._looked > _ALIVE_SECONDS:
                if not self._is_alive() and not self._exists(f"{self._folder}/done"):
                    raise JobLost(
                        f"{self._job.name} was killed on {self._device.serial} before its end: "
                        "adbd or the device restarted, or it ran out of memory"
                    )
                self._looked = time.monotonic()
        except DeviceUnavailable:
            self._looked = 0.0
            self._away = True
            raise
        self._away = False
        return self._status

    def _is_alive(self) -> bool:
        places = (f"/proc/{self._runner}", f"/proc/{self._pid}")
        if any(map(self._exists, places)):
            return True
        line = f"[ -d {places[0]} ] || [ -d {places[1]} ]"  # adbd may see less than the shell
        server, serial = self._device.server, self._device.serial
        return run(server, serial, [line], line, stdin=None, timeout=None).status == 0

    def _end(self) -> None:
        done = io.BytesIO()
        self._pull(f"{self._folder}/done", done)
        lines = done.getvalue().decode("utf-8", "replace").splitlines()
        status, start, end = lines[0].split()
        # the first two lines with such words are from `times`: the shell's, the children's
        times = [words for line in lines if (words := re.findall(r"(\d+)m([\d.]+)s", line))]
        spent = times[-1] if times else []
        free = re.fullmatch(r"free (\d+) (\d+)", lines[-1])
        self._status = ExitStatus.from_shell(int(status))
        self._usage = ResourceUsage(
            wall_seconds=float(end) - float(start),
            cpu_seconds=sum(int(m) * 60 + float(s) for m, s in spent) if spent else None,
            storage_left=None if free is None else int(free[1]) * int(free[2]),
        )

    def wait(self, seconds: float) -> ExitStatus | None:
        deadline = time.monotonic() + seconds
        while (status := self.poll()) is None and time.monotonic() < deadline:
            young = time.monotonic() - self._began < _YOUNG_SECONDS
            pause = _POLL_SECONDS / 5 if young else _POLL_SECONDS
            time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
        return status

    def signal(self, number: int) -> None:
        if self._status is None:
            self._signal(number)

    def _signal(self, number: int) -> None:
        self._device.script(f"{END_JOB}end_job {self._j} {number}")

    def _sizes(self) -> dict[str, int]:
        """The files below the output directory."""
        found: dict[str, int] = {}
        folders = [""]
        try:
            while folders:
                at = folders.pop()
                for entry in self._asking().list(
                    f"{self._job.output_dir}/{at}".rstrip("/"), wide=self._device.wide_list
                ):
                    name = self._safe(f"{at}/{entry.name}" if at else entry.name)
                    if entry.is_folder:
                        folders.append(name)
                    elif entry.is_file:
                        found[name] = entry.size
        except DeviceUnavailable:
            self._hang_up()
            raise
        return found

    def _safe(self, name: str) -> str:
        if ".." in name.split("/") or "\n" in name or "\0" in name or name.startswith("/"):
            raise DeviceError(f"{self._job.output_dir}: a file name that is not safe: {name!r}")
        return name

    def _hashes(self) -> dict[str, str]:
        found: dict[str, str] = {}
        there = shlex.quote(self._job.output_dir)
        answer = self._device.checked(f"cd {there} && find . -type f -exec sha256sum {{}} +")
        for line in answer.stdout.decode("utf-8", "surrogateescape").splitlines():
            match = re.fullmatch(r"(\w+) +\./(.+)", line)
            if match is None:
                raise DeviceError(
                    f"{self._job.output_dir}: a file name that is not safe: {line!r}"
                )
            found[self._safe(match[2])] = match[1]
        return found

    def fetch(self, destination: Path) -> None:
        if self._verified:
            return
        ended = self._status is not None
        for name, size in self._sizes().items():
            self._bring(name, size, destination / name)
        if ended:
            self._verify(destination)
            self._verified = True
            self._hang_up()

    def _bring(self, name: str, size: int, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        have = file.stat().st_size if file.exists() else 0
        if have == size and file.exists():
            return
        path = f"{self._job.output_dir}/{name}"
        if have == 0 or have > size:
            with file.open("wb") as out:
                self._pull(path, out)
            return
        shell = Shell(
            self._device.server,
            self._device.serial,
            f"tail -c +{have + 1} {shlex.quote(path)}",
        )
        with shell.link, file.open("ab") as out:
            shell.copy(out)

    def _verify(self, destination: Path) -> None:
        """Compare every file with the device's by hash; bring again what differs."""
        wrong: list[str] = []
        for attempt in (1, 2):
            wrong = [
                name
                for name, digest in self._hashes().items()
                if file_digest(destination / name) != digest
            ]
            if not wrong:
                return
            if attempt == 1:
                for name in wrong:
                    self._device.pull(f"{self._job.output_dir}/{name}", destination / name)
        raise DeviceError(f"{wrong[0]}: differs from the device's even when fetched again")

    def end_leftovers(self) -> None:
        """Kill what the job started and left running."""
        self._signal(9)
        self._hang_up()

    def discard(self) -> None:
        """End what is left of the job, also what it started, and remove its files."""
        self._hang_up()
        there = shlex.quote(self._job.output_dir)
        parent = shlex.quote(self._job.output_dir.rpartition("/")[0])
        self._device.script(
            f"{END_JOB}end_job {self._j} 9\nrm -rf {there} {self._j}\n"
            f"rmdir {parent} 2>/dev/null"
        )


def file_digest(file: Path) -> str | None:
    if not file.exists():
        return None
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
