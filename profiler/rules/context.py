"""What every rule may know besides its profiles."""

from dataclasses import dataclass

from profiler.manifest import Manifest
from profiler.own_code import OwnCode
from profiler.thresholds import Thresholds

_SYSTEM = ("/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/", "/system/", "/vendor/", "/apex/")


@dataclass(frozen=True, slots=True)
class Context:
    """The session's facts, the thresholds that hold, and which code is the person's own."""

    manifest: Manifest
    thresholds: Thresholds
    own: OwnCode

    @property
    def cpus(self) -> int | None:
        """CPUs that are online; None where the device did not tell."""
        return sum(cpu.online for cpu in self.manifest.device.cpus) or None

    @property
    def is_system_program(self) -> bool:
        """Whether the target came with the system, so that its symbols are not at hand."""
        argv = self.manifest.target.argv
        if not argv:
            return True
        program = argv[0].removeprefix("device:")
        return "/" not in program or program.startswith(_SYSTEM)

    @property
    def wall_seconds(self) -> float | None:
        """How long the target ran natively."""
        native = self.manifest.native
        return None if native is None else native.wall_seconds
