"""`droidgrind.toml`: what a person's project sets once, for every command in its folders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from collectors import registry
from collectors.errors import DroidgrindError, InputError, UsageError
from profiler.finding_counts import FindingCounts, counts_of, keep_counts, kept_counts
from profiler.findings import Finding, session_findings
from profiler.manifest import State
from profiler.own_code import OwnCode
from profiler.own_code_stored import stored_globs
from profiler.rules.context import Context
from profiler.store import Session
from profiler.suppressions.text import Suppression, read_suppressions, suppression_file
from profiler.thresholds import Thresholds
from profiler.toml_table import TomlTable, read_toml

FILE_NAME = "droidgrind.toml"
_TOP = ("mine", "suppressions", "thresholds", "targets", "check")
_TARGET = ("program", "tools", "cwd", "env", "timeout")


@dataclass(frozen=True, slots=True)
class NamedTarget:
    """A target that `droidgrind record NAME` means: `program` is its whole command line."""

    program: tuple[str, ...]
    tools: tuple[str, ...] | None = None
    cwd: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """What `droidgrind.toml` says; the defaults where there is none (`file` is None then)."""

    file: Path | None = None
    mine: tuple[str, ...] = ()
    suppressions: tuple[Path, ...] = ()
    thresholds: Thresholds = field(default_factory=Thresholds)
    targets: Mapping[str, NamedTarget] = field(default_factory=dict[str, NamedTarget])
    check: Mapping[str, object] = field(default_factory=dict[str, object])
    """The table `[check]` as it stands: `profiler.check.limits` knows its keys."""

    def own_code(self, session: Session, globs: Sequence[str] = ()) -> OwnCode:
        """Which code is own, by the first that says so.

        That is `globs`, what is stored with the session, the project; else it is guessed.
        Raises `InputError` where what is stored cannot be read.
        """
        guessed = OwnCode.guessed(session.manifest.target.argv)
        said = tuple(globs) or stored_globs(session.directory) or self.mine
        return OwnCode(said, guessed.target)

    def suppressing(self, words: Sequence[str] = ()) -> tuple[Suppression, ...]:
        """The entries of the project's files and of those that `words` mean."""
        files = (*self.suppressions, *(suppression_file(word) for word in words))
        return read_suppressions(files)

    def lists(self, file: Path) -> bool:
        """Whether the project's `suppressions` name a file."""
        return file.resolve() in {known.resolve() for known in self.suppressions}

    def how_to_list(self, file: Path) -> str:
        """What to write, and where, so that every command leaves out what `file` says."""
        folder = (Path.cwd() if self.file is None else self.file.parent).resolve()
        names = [*(_from(folder, known) for known in self.suppressions), _from(folder, file)]
        listed = ", ".join(f'"{name}"' for name in names)
        return (
            f"{file} counts once {FILE_NAME} lists it: write suppressions = [{listed}] into "
            f"{self.file or FILE_NAME}"
        )


def _from(folder: Path, file: Path) -> str:
    """A file's path as a project file in `folder` names it."""
    path = file.resolve()
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def find_project_file(start: Path | None = None) -> Path | None:
    """The nearest `droidgrind.toml`, in this folder or one above it."""
    folder = (start or Path.cwd()).resolve()
    for place in (folder, *folder.parents):
        if (place / FILE_NAME).is_file():
            return place / FILE_NAME
    return None


def load_project(start: Path | None = None) -> Project:
    """Read the nearest project file. Raises `InputError` that names what is wrong in it."""
    file = find_project_file(start)
    if file is None:
        return Project()
    table = TomlTable(read_toml(file), str(file), _TOP)
    return Project(
        file,
        table.texts("mine"),
        tuple(file.parent / name for name in table.texts("suppressions")),
        Thresholds().overridden(table.table("thresholds"), f"{file}: [thresholds]"),
        {name: _target(name, value, file) for name, value in table.table("targets").items()},
        table.table("check"),
    )


def project_findings(
    session: Session, globs: Sequence[str] = (), project: Project | None = None
) -> tuple[Finding, ...]:
    """A session's findings by the project's thresholds; `globs` say what is own code."""
    chosen = project or load_project()
    own = chosen.own_code(session, globs)
    findings = session_findings(session, thresholds=chosen.thresholds, own=own)
    keep_counts(session, (chosen.thresholds, own), findings)
    return findings


def judge(session: Session) -> FindingCounts:
    """Judge a session by the project here, so that lists know its findings without reading it.

    Large captures have their tables then, too. Raises `InputError` where the project's files
    cannot be read.
    """
    project = load_project()
    known = project.suppressing()
    chosen = session.with_suppressions(known) if known else session
    return counts_of(project_findings(chosen, project=project))


def judge_stored(session: Session) -> str | None:
    """Judge a session that was just stored. The reason, where its findings are not counted.

    One that was set aside is judged when it has gone on to its end.
    """
    if session.manifest.state is State.RECORDING:
        return None
    try:
        judge(session)
    except DroidgrindError as error:
        return str(error)
    return None


def project_context(session: Session) -> Context:
    """What rules judge a session by here: the project's thresholds and own code."""
    project = load_project()
    return Context(session.manifest, project.thresholds, project.own_code(session))


def known_counts(session: Session, project: Project) -> FindingCounts | None:
    """How many findings a session has, if it was judged by this project before."""
    return kept_counts(session, (project.thresholds, project.own_code(session)))


def _target(name: str, value: object, file: Path) -> NamedTarget:
    source = f"{file}: [targets.{name}]"
    if not isinstance(value, dict):
        raise InputError(f"{source}: must be a table with `program`")
    table = TomlTable(cast("dict[str, Any]", value), source, _TARGET)
    program = table.texts("program")
    if not program:
        raise InputError(
            f'{source}: has no program: write program = ["./bench", "--loops", "4"]'
        )
    # A program that is named by a path lies where the project's file says, not where one is.
    if "/" in program[0] and not program[0].startswith(("/", "device:")):
        program = (str(file.parent / program[0]), *program[1:])
    tools = table.texts("tools")
    try:
        for tool in tools:
            registry.check_name(tool)
    except UsageError as error:
        raise InputError(f"{source}: {error}") from error
    cwd = table.text("cwd")
    return NamedTarget(
        program,
        tools or None,
        None if cwd is None else file.parent / cwd,
        table.text_map("env"),
        table.seconds("timeout"),
    )
