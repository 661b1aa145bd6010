"""From the words of `droidgrind record` to a plan."""

import argparse
from dataclasses import replace

from collectors import registry
from collectors.errors import UsageError, nearest
from collectors.records.shared import Shape
from collectors.tools.tool import Subject, ToolSettings
from collectors.tools.valgrind import TRACE_CHILDREN
from profiler.recording.plan import Plan
from profiler.recording.target import Target, parse_environment, parse_push
from tui.commands.options import parse_labels


def plan_from(args: argparse.Namespace) -> Plan:
    """Check what can be checked without a device. Raises `UsageError`."""
    words: list[str] = args.program[1:] if args.program[:1] == ["--"] else args.program
    if args.program[:1] != ["--"] and len(words) == 1:
        words = _named_target(words[0], args)
    watched = [
        option
        for option, given in (
            ("--pid", args.pid is not None),
            ("--name", args.name is not None),
            ("--system", args.system),
            ("--app", args.app is not None),
        )
        if given
    ]
    if words and watched:
        raise UsageError(f"{watched[0]} watches what is there already: give no program with it")
    if len(watched) > 1:
        raise UsageError(f"choose one of {' and '.join(watched)}")
    if not words and not watched:
        raise UsageError(
            "no program to record: `droidgrind record -- PROGRAM ARGS…` (or --app, --pid, "
            "--name, --system)"
        )
    if args.rate is not None and args.rate <= 0:
        raise UsageError(f"--rate {args.rate:g}: must be above 0")
    return Plan(
        Target(tuple(words), args.cwd, parse_environment(args.env), parse_push(args.push))
        if words
        else None,
        _tools(args.tools, attached=bool(watched) and args.app is None),
        _settings(args),
        Subject(pid=args.pid, name=args.name),
        args.timeout,
        parse_labels(args.label),
        args.app,
        args.repeat,
    )


def _named_target(name: str, args: argparse.Namespace) -> list[str]:
    """The command line of a target that droidgrind.toml names; else the word itself.

    What it sets there holds where `args` does not say otherwise.
    """
    import shutil

    from profiler.project import load_project

    project = load_project()
    target = project.targets.get(name)
    if target is None:
        hint = nearest(name, project.targets)
        if hint and "/" not in name and shutil.which(name) is None:
            raise UsageError(
                f"{name} is neither a target of {project.file} nor a program on PATH{hint}"
            )
        return [name]
    if args.tools is None and target.tools is not None:
        args.tools = ",".join(target.tools)
    if args.timeout is None:
        args.timeout = target.timeout
    if args.cwd is None:
        args.cwd = target.cwd
    args.env = [*(f"{key}={value}" for key, value in target.env.items()), *args.env]
    return list(target.program)


def _tools(chosen: str | None, *, attached: bool) -> tuple[str, ...]:
    if chosen is None:
        return tuple(registry.SAMPLERS) if attached else registry.DEFAULT_TOOLS
    return tuple(dict.fromkeys(name.strip() for name in chosen.split(",") if name.strip()))


def _settings(args: argparse.Namespace) -> dict[str, ToolSettings]:
    settings: dict[str, ToolSettings] = {
        "massif": ToolSettings(time_unit=args.time_unit),
        "schedstat": ToolSettings(interval_seconds=1 / args.rate if args.rate else None),
    }
    if args.suppressions:
        from profiler.suppressions.text import read_suppressions, suppression_file

        files = tuple(suppression_file(word) for word in args.suppressions)
        read_suppressions(files)  # says what is wrong before anything runs
        for name in registry.WRAPPERS:
            if registry.shape(name) is Shape.ERRORS:
                settings[name] = ToolSettings(suppressions=files)
    for name in registry.WRAPPERS if args.trace_children else ():
        before = settings.get(name, ToolSettings())
        settings[name] = replace(before, arguments=(*before.arguments, TRACE_CHILDREN))
    for word in args.tool_arg:
        name, equals, argument = word.partition("=")
        if not equals or not argument:
            raise UsageError(f"--tool-arg {word}: write TOOL=ARG, such as massif=--depth=60")
        registry.check_name(name)  # says which names there are
        own = settings.get(name, ToolSettings())
        settings[name] = replace(own, arguments=(*own.arguments, argument))
    return settings
