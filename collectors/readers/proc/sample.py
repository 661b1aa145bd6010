"""What the sampler wrote at one moment: the system, its CPUs, the threads."""

import math
from dataclasses import dataclass, field


@dataclass(slots=True)
class ThreadSample:
    """One thread at one moment; NaN where it was not measured."""

    pid: int
    tid: int
    name: str = ""
    run_seconds: float = math.nan
    wait_seconds: float = math.nan
    user_seconds: float = math.nan
    system_seconds: float = math.nan
    voluntary: float = math.nan
    involuntary: float = math.nan
    cpu: float = math.nan
    started: float = math.nan

    def copy(self) -> "ThreadSample":
        """The same figures; `dataclasses.replace` takes four times as long."""
        return ThreadSample(
            self.pid,
            self.tid,
            self.name,
            self.run_seconds,
            self.wait_seconds,
            self.user_seconds,
            self.system_seconds,
            self.voluntary,
            self.involuntary,
            self.cpu,
            self.started,
        )


@dataclass(slots=True)
class CpuSample:
    """One CPU at one moment."""

    number: int
    user_seconds: float
    system_seconds: float
    idle_seconds: float
    iowait_seconds: float
    steal_seconds: float
    khz: float = math.nan


@dataclass(slots=True)
class Sample:
    """Everything at one moment; `seconds` is the device's clock since its boot.

    A thread that has not run since the sample before is the same object as there.
    """

    seconds: float
    running: float = math.nan
    blocked: float = math.nan
    context_switches: float = math.nan
    interrupts: float = math.nan
    celsius: float = math.nan
    cpus: dict[int, CpuSample] = field(default_factory=dict[int, CpuSample])
    threads: dict[tuple[int, int], ThreadSample] = field(
        default_factory=dict[tuple[int, int], ThreadSample]
    )
