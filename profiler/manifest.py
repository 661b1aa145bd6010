"""`session.json`: what a session says of itself.

The schema is documented in docs/session.md. Version 1 is the only one so far; a newer one
is refused with the reason, so that no figure is read by rules that it was not written for.
"""

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from collectors.devices.device import CacheGeometry, Caches, Cpu, DeviceFacts
from collectors.devices.thermal import STATUSES, Thermal
from collectors.errors import InputError
from collectors.registry import SAMPLERS
from profiler.json_fields import Fields

SCHEMA = 1
UNSAMPLED = "the run was too short to be sampled"


class State(StrEnum):
    """How far a session or one of its captures came."""

    RECORDING = "recording"
    COMPLETE = "complete"
    PARTIAL = "partial"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CapturedFile:
    """A file that a tool wrote; `name` is relative to the capture's folder in `raw/`."""

    name: str
    bytes: int
    sha256: str


# How a note ends that says so.
BY_TIMEOUT = "(--timeout)"


@dataclass(frozen=True, slots=True)
class CaptureEntry:
    """One tool's run. `note` says in one sentence what a person should know of it.

    `exit_status` is the shell's view of how the target ended (128 + n for signal n); None
    while it runs or where nobody could see it. `unmeasured` says why figures about the heap
    are missing, where they are: they are not 0 then.
    """

    tool: str
    state: State
    argv: tuple[str, ...] = ()
    version: str | None = None
    started: str | None = None
    exit_status: int | None = None
    wall_seconds: float | None = None
    files: tuple[CapturedFile, ...] = ()
    note: str | None = None
    unmeasured: str | None = None

    @property
    def timed_out(self) -> bool:
        """Whether the run was ended because its time was up, and ended when it was told to."""
        return self.state is State.PARTIAL and (self.note or "").endswith(BY_TIMEOUT)

    @property
    def is_unsampled(self) -> bool:
        """Whether a sampler did its work, and the run was over before there was a sample."""
        return self.state is State.COMPLETE and self.note == UNSAMPLED


@dataclass(frozen=True, slots=True)
class NativeRun:
    """The run of the target without any wrapper, which the samplers watched.

    `thermal` is how hot the device was before and after it; empty where it does not tell.
    """

    exit_status: int | None = None
    wall_seconds: float | None = None
    cpu_seconds: float | None = None
    max_rss_bytes: int | None = None
    thermal: tuple[Thermal, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetEntry:
    """What was recorded: a command line, its working directory and added environment.

    A `script` is run by an interpreter, which is what Valgrind then sees. Without a command
    line it was an installed `app`, a process that ran already (`pid`), or
    the whole system.
    """

    argv: tuple[str, ...]
    cwd: str | None = None
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    build_id: str | None = None
    pid: int | None = None
    app: str | None = None
    script: bool = False

    @property
    def label(self) -> str:
        """The target in few words; a command line as a shell takes it."""
        if self.argv:
            return shlex.join(self.argv)
        if self.app is not None:
            return self.app
        return f"process {self.pid}" if self.pid is not None else "the whole system"


@dataclass(frozen=True, slots=True)
class ToolchainEntry:
    """The Valgrind that was used: its version and where it came from."""

    version: str
    origin: str


@dataclass(frozen=True, slots=True)
class Recorder:
    """The process that writes the session, so that others can see whether it still does."""

    pid: int
    started_ticks: int
    boot_id: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The whole of `session.json`. Times are ISO 8601 with their zone.

    `imported` sessions hold files that another program's run wrote, under any name.
    `labels` are a person's own words, such as the build that was recorded. `repeats` are
    the native runs after the first (`record --repeat`); see profiler/repeats.py. `note` says
    why the recording as a whole ended before its time.
    """

    id: str
    state: State
    created: str
    droidgrind: str
    target: TargetEntry
    device: DeviceFacts
    plan: tuple[str, ...] = ()
    captures: tuple[CaptureEntry, ...] = ()
    native: NativeRun | None = None
    toolchain: ToolchainEntry | None = None
    finished: str | None = None
    recorder: Recorder | None = None
    imported: bool = False
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    repeats: tuple[NativeRun, ...] = ()
    note: str | None = None

    @property
    def is_whole_system(self) -> bool:
        """Whether no program was recorded, but the machine."""
        target = self.target
        return not (self.imported or target.argv or target.app or target.pid)

    @property
    def target_label(self) -> str:
        """The target in few words."""
        if not self.imported:
            return self.target.label
        return f"{self.target.label} (imported)" if self.target.argv else "imported files"

    schema: int = SCHEMA

    def capture(self, tool: str) -> CaptureEntry | None:
        return next((entry for entry in self.captures if entry.tool == tool), None)

    @property
    def target_status(self) -> int | None:
        """How the target ended, in the shell's numbers: the first bad end, else 0.

        None where nobody saw an end.
        """
        seen = [run.exit_status for run in (self.native, *self.captures) if run is not None]
        known = [status for status in seen if status is not None]
        return next((status for status in known if status), 0) if known else None

    @property
    def wall_seconds(self) -> float | None:
        """How long the runs took together; None where none was timed.

        The samplers watch one run, which counts once.
        """
        timed = [(entry.tool in SAMPLERS, entry.wall_seconds or 0) for entry in self.captures]
        watched = max((seconds for beside, seconds in timed if beside), default=0)
        others = sum(seconds for beside, seconds in timed if not beside)
        again = sum(run.wall_seconds or 0 for run in self.repeats)
        return watched + others + again or None

    @property
    def never_ran(self) -> tuple[str, ...]:
        """The tools that were asked for and have no capture."""
        return tuple(tool for tool in self.plan if self.capture(tool) is None)


def manifest_to_json(manifest: Manifest) -> dict[str, Any]:
    fields = asdict(manifest)
    return {"schema": fields.pop("schema"), **fields}


def _geometry(fields: Fields | None) -> CacheGeometry | None:
    if fields is None:
        return None
    return CacheGeometry(
        fields.integer("size_bytes"),
        fields.integer("associativity"),
        fields.integer("line_bytes"),
    )


def _device(fields: Fields) -> DeviceFacts:
    caches = fields.optional_object("caches")
    return DeviceFacts(
        serial=fields.text("serial"),
        model=fields.optional_text("model"),
        abi=fields.optional_text("abi"),
        abis=fields.texts("abis"),
        android=fields.optional_text("android"),
        sdk=fields.optional_integer("sdk"),
        kernel=fields.optional_text("kernel"),
        page_bytes=fields.optional_integer("page_bytes"),
        memory_bytes=fields.optional_integer("memory_bytes"),
        cpus=tuple(
            Cpu(
                cpu.integer("number"),
                cpu.flag("online", default=True),
                cpu.optional_integer("max_khz"),
                cpu.optional_integer("capacity"),
            )
            for cpu in fields.objects("cpus")
        ),
        caches=None
        if caches is None
        else Caches(
            _geometry(caches.optional_object("instruction")),
            _geometry(caches.optional_object("data")),
            _geometry(caches.optional_object("last_level")),
            caches.text("source", ""),
        ),
    )


def _state(fields: Fields, source: str) -> State:
    value = fields.text("state")
    try:
        return State(value)
    except ValueError as error:
        raise InputError(f"{source}: there is no state {value!r}") from error


def _capture(fields: Fields, source: str) -> CaptureEntry:
    tool = fields.text("tool")
    if "/" in tool or tool.startswith("."):  # it names a folder
        raise InputError(f"{source}: {tool!r} is no tool's name")
    return CaptureEntry(
        tool=tool,
        state=_state(fields, source),
        argv=fields.texts("argv"),
        version=fields.optional_text("version"),
        started=fields.optional_text("started"),
        exit_status=fields.optional_integer("exit_status"),
        wall_seconds=fields.optional_number("wall_seconds"),
        files=tuple(
            CapturedFile(file.text("name"), file.integer("bytes"), file.text("sha256"))
            for file in fields.objects("files")
        ),
        note=fields.optional_text("note"),
        unmeasured=fields.optional_text("unmeasured"),
    )


def _native(fields: Fields) -> NativeRun:
    return NativeRun(
        fields.optional_integer("exit_status"),
        fields.optional_number("wall_seconds"),
        fields.optional_number("cpu_seconds"),
        fields.optional_integer("max_rss_bytes"),
        _thermal(fields),
    )


def _thermal(fields: Fields) -> tuple[Thermal, ...]:
    said = tuple(
        Thermal(
            entry.text("status"),
            entry.optional_number("celsius"),
            entry.optional_text("sensor"),
        )
        for entry in fields.objects("thermal")
    )
    return said if len(said) == 2 and all(one.status in STATUSES for one in said) else ()


class OtherSchema(InputError):
    """A manifest of another droidgrind, which is not damaged."""


def manifest_from_json(document: object, source: str) -> Manifest:
    """Check and convert. Raises `InputError` that names `source` and the field at fault."""
    fields = Fields(document, source)
    schema = fields.integer("schema")
    if schema != SCHEMA:
        age = "a newer" if schema > SCHEMA else "an older"
        remedy = "update droidgrind" if schema > SCHEMA else "import its raw files again"
        raise OtherSchema(
            f"{source}: written by {age} droidgrind (schema {schema}, this one reads "
            f"{SCHEMA}): {remedy}"
        )
    target = fields.object("target")
    native = fields.optional_object("native")
    toolchain = fields.optional_object("toolchain")
    recorder = fields.optional_object("recorder")
    return Manifest(
        id=fields.text("id"),
        state=_state(fields, source),
        created=fields.text("created"),
        droidgrind=fields.text("droidgrind", "unknown"),
        target=TargetEntry(
            target.texts("argv"),
            target.optional_text("cwd"),
            target.text_map("env"),
            target.optional_text("build_id"),
            target.optional_integer("pid"),
            target.optional_text("app"),
            target.flag("script", default=False),
        ),
        device=_device(fields.object("device")),
        plan=fields.texts("plan"),
        captures=tuple(_capture(entry, source) for entry in fields.objects("captures")),
        native=None if native is None else _native(native),
        toolchain=None
        if toolchain is None
        else ToolchainEntry(toolchain.text("version"), toolchain.text("origin")),
        finished=fields.optional_text("finished"),
        recorder=None
        if recorder is None
        else Recorder(
            recorder.integer("pid"), recorder.integer("started_ticks"), recorder.text("boot_id")
        ),
        imported=fields.flag("imported", default=False),
        labels=fields.text_map("labels"),
        repeats=tuple(_native(run) for run in fields.objects("repeats")),
        note=fields.optional_text("note"),
        schema=schema,
    )
