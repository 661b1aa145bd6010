"""What every rule may know besides its profiles."""

from dataclasses import dataclass

from profiler.manifest import Manifest
from profiler.own_code import OwnCode
from profiler.thresholds import Thresholds


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
