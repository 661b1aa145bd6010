"""What a person asks to have recorded, checked before anything runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from collectors import registry
from collectors.errors import UsageError
from collectors.tools.tool import Subject, ToolSettings
from profiler.recording.progress import Step
from profiler.recording.target import Target
from profiler.store import NATIVE_RUN, repeat_folder


@dataclass(frozen=True, slots=True)
class Plan:
    """What to record. Without a target or app only samplers run, on `subject`, until stopped.

    `app` is `PACKAGE[/ACTIVITY]`; it does not end by itself.

    `timeout` bounds each run of the target, in seconds. `labels` are kept in the session.
    `repeat` is how many native runs there are: times vary, and one run tells nothing of that.
    """

    target: Target | None
    tools: tuple[str, ...] = registry.DEFAULT_TOOLS
    settings: Mapping[str, ToolSettings] = field(default_factory=dict[str, ToolSettings])
    subject: Subject = field(default_factory=Subject)
    timeout: float | None = None
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    app: str | None = None
    repeat: int = 1

    def __post_init__(self) -> None:
        if not self.tools:
            raise UsageError("no tool was chosen: give at least one to -t")
        for name in self.tools:
            registry.check_name(name)  # says which names there are
        if self.target is None and self.app is None and self.wrappers:
            raise UsageError(
                f"{self.wrappers[0]} runs a program of its own: give one after `--`, or choose "
                f"only samplers ({', '.join(registry.SAMPLERS)}) with -t"
            )

        if self.timeout is not None and self.timeout <= 0:
            raise UsageError(f"--timeout {self.timeout:g}: must be above 0")
        if self.repeat < 1:
            raise UsageError(f"--repeat {self.repeat}: must be at least 1")
        if self.repeat > 1 and (self.target is None or not self.samplers):
            raise UsageError(
                "--repeat runs a program natively several times: it needs a program, and a "
                f"sampler ({', '.join(registry.SAMPLERS)}) in -t"
            )

    @property
    def has_end(self) -> bool:
        """Whether it ends by itself; sampling what already runs ends when it is stopped."""
        return self.target is not None

    @property
    def samplers(self) -> tuple[str, ...]:
        return tuple(name for name in self.tools if name in registry.SAMPLERS)

    @property
    def wrappers(self) -> tuple[str, ...]:
        return tuple(name for name in self.tools if name in registry.WRAPPERS)

    def check_bounded(self) -> None:
        """Raises `UsageError` for runs of an app that nothing would end."""
        runs = len(self.steps())
        if self.app is not None and runs > 1 and self.timeout is None:
            raise UsageError(
                f"an app does not end by itself, and {', '.join(self.tools)} need {runs} runs: "
                "bound each with --timeout SECONDS, or choose one tool with -t"
            )

    def only(self, tools: tuple[str, ...]) -> "Plan":
        return replace(self, tools=tools)

    def settings_of(self, tool: str) -> ToolSettings:
        return self.settings.get(tool, ToolSettings())

    def steps(self) -> tuple[Step, ...]:
        native = [(NATIVE_RUN, 1)] if self.samplers else []
        native += [(repeat_folder(run), run) for run in range(2, self.repeat + 1)]
        runs = [*native, *((name, 0) for name in self.wrappers)]
        return tuple(
            Step(number, len(runs), name, self.samplers if run else (), run, self.timeout)
            for number, (name, run) in enumerate(runs, start=1)
        )
