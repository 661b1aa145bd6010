"""`droidgrind.toml`: what a person's project sets once, for every command in its folders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from collectors import registry
from collectors.errors import InputError, UsageError, nearest
from profiler.findings import Finding, session_findings
from profiler.own_code import OwnCode
from profiler.own_code_stored import stored_globs
from profiler.store import Session
from profiler.suppressions.text import Suppression, read_suppressions, suppression_file
from profiler.thresholds import Thresholds

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
    import tomllib

    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not UTF-8 at byte {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{file}: {error}") from error
    _known(document, _TOP, str(file))
    return Project(
        file,
        _texts(document, "mine", str(file)),
        tuple(file.parent / name for name in _texts(document, "suppressions", str(file))),
        Thresholds().overridden(
            _table(document, "thresholds", str(file)), f"{file}: [thresholds]"
        ),
        {
            name: _target(name, value, file)
            for name, value in _table(document, "targets", str(file)).items()
        },
        _table(document, "check", str(file)),
    )


def project_findings(
    session: Session, globs: Sequence[str] = (), project: Project | None = None
) -> tuple[Finding, ...]:
    """A session's findings by the project's thresholds; `globs` say what is own code."""
    chosen = project or load_project()
    return session_findings(
        session,
        thresholds=chosen.thresholds,
        own=chosen.own_code(session, globs),
    )


def _target(name: str, value: object, file: Path) -> NamedTarget:
    source = f"{file}: [targets.{name}]"
    if not isinstance(value, dict):
        raise InputError(f"{source}: must be a table with `program`")
    entries = cast("dict[str, Any]", value)
    _known(entries, _TARGET, source)
    program = _texts(entries, "program", source)
    if not program:
        raise InputError(
            f'{source}: has no program: write program = ["./bench", "--loops", "4"]'
        )
    # A program that is named by a path lies where the project's file says, not where one is.
    if "/" in program[0] and not program[0].startswith(("/", "device:")):
        program = (str(file.parent / program[0]), *program[1:])
    tools = _texts(entries, "tools", source)
    try:
        for tool in tools:
            registry.tool(tool)
    except UsageError as error:
        raise InputError(f"{source}: {error}") from error
    timeout = entries.get("timeout")
    if timeout is not None and (
        isinstance(timeout, bool) or not isinstance(timeout, int | float) or timeout <= 0
    ):
        raise InputError(
            f"{source}: timeout = {timeout!r}: must be a number of seconds above 0"
        )
    cwd = entries.get("cwd")
    if cwd is not None and not isinstance(cwd, str):
        raise InputError(f"{source}: cwd = {cwd!r}: must be a text")
    env = _table(entries, "env", source)
    wrong = next((key for key, text in env.items() if not isinstance(text, str)), None)
    if wrong is not None:
        raise InputError(f"{source}: env.{wrong}: must be a text")
    return NamedTarget(
        program,
        tools or None,
        None if cwd is None else file.parent / cwd,
        {key: str(text) for key, text in env.items()},
        timeout,
    )


def _known(table: Mapping[str, object], known: tuple[str, ...], source: str) -> None:
    for name in table:
        if name not in known:
            hint = nearest(name, list(known)) or f"; known are {', '.join(known)}"
            raise InputError(f"{source}: there is no key {name!r}{hint}")


def _texts(table: Mapping[str, Any], name: str, source: str) -> tuple[str, ...]:
    value: object = table.get(name, [])
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list):
        items = cast("list[object]", value)
        if all(isinstance(item, str) for item in items):
            return tuple(str(item) for item in items)
    raise InputError(f"{source}: {name} = {value!r}: must be a text or a list of texts")


def _table(table: Mapping[str, Any], name: str, source: str) -> dict[str, Any]:
    value: object = table.get(name, {})
    if not isinstance(value, dict):
        raise InputError(f"{source}: {name} must be a table")
    return cast("dict[str, Any]", value)
