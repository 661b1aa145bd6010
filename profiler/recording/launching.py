"""How the target of a recording is started: as a program, or as an installed app."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from collectors.devices.device import Device, Job, RunningJob
from profiler.recording.placing import Placed


class Launcher(Protocol):
    """Starts the target, each time under another tool."""

    @property
    def argv(self) -> tuple[str, ...]:
        """The target as it is started on the device."""
        ...

    @property
    def valgrind_options(self) -> tuple[str, ...]:
        """Options that this kind of target needs."""
        ...

    @property
    def unmeasured(self) -> str | None:
        """Why figures about the heap cannot be had of it, where they cannot."""
        ...

    def output_dir(self, name: str, destination: Path) -> str:
        """A folder of the device to which the target may write, for the run `name`."""
        ...

    def start(
        self,
        name: str,
        output_dir: str,
        prefix: tuple[str, ...],
        env: Mapping[str, str],
        *,
        held: bool = False,
    ) -> RunningJob:
        """Start the target behind `prefix`, a command that runs it; or find it running."""
        ...


class ProgramLauncher:
    """A program of the shell user."""

    def __init__(self, device: Device, session_id: str, placed: Placed) -> None:
        self._device = device
        self._session_id = session_id
        self._placed = placed

    @property
    def argv(self) -> tuple[str, ...]:
        return self._placed.argv

    @property
    def valgrind_options(self) -> tuple[str, ...]:
        return self._placed.valgrind_options

    @property
    def unmeasured(self) -> str | None:
        return self._placed.unmeasured

    def output_dir(self, name: str, destination: Path) -> str:
        return self._device.output_dir(self._session_id, name, destination)

    def start(
        self,
        name: str,
        output_dir: str,
        prefix: tuple[str, ...],
        env: Mapping[str, str],
        *,
        held: bool = False,
    ) -> RunningJob:
        placed = self._placed
        job = Job(
            name, (*prefix, *placed.argv), output_dir, {**placed.env, **env}, placed.cwd, held
        )
        return self._device.start(job)
