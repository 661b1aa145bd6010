"""What the recording form means: the words of `droidgrind record`, checked field by field."""

import argparse
import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from collectors import registry
from collectors.devices.local import LOCAL_SERIAL
from collectors.errors import DroidgrindError, UsageError
from profiler.recording.form import Typed
from profiler.recording.plan import Plan
from profiler.recording.target import DEVICE_PREFIX, find_program, parse_environment, parse_push
from tui.commands.options import check_symbols, parse_labels
from tui.recording_plan import plan_from

PROGRAM, APP, PROCESS, SYSTEM = KINDS = ("program", "app", "process", "system")
# What each tool answers, as short as it goes.
TOOL_ANSWERS = {
    "vmstat": "the system's load",
    "schedstat": "threads on CPUs",
    "memcheck": "memory errors",
    "cachegrind": "costs, cache misses",
    "massif": "heap over time",
    "callgrind": "costs along calls",
    "dhat": "life of blocks",
    "helgrind": "data races",
    "drd": "races, lock waits",
}


@dataclass(frozen=True, slots=True)
class Request:
    """A recording that can begin; `symbols` are looked through when it has ended."""

    plan: Plan
    serial: str | None = None
    valgrind: str | None = None
    symbols: tuple[Path, ...] = ()


class _Parser(argparse.ArgumentParser):
    """Raises `UsageError` where argparse would end the process."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def chosen_tools(typed: Typed) -> tuple[str, ...]:
    """The tools that are asked for; what runs already can only be sampled."""
    names = tuple(name.strip() for name in typed.tools.split(",") if name.strip())
    if typed.kind in {PROCESS, SYSTEM}:
        return tuple(name for name in names if name not in registry.WRAPPERS)
    return names


def command_words(typed: Typed) -> list[str]:
    """What would be typed behind `droidgrind` for the same. Raises `UsageError`."""
    attached = typed.kind in {PROCESS, SYSTEM}
    tools = chosen_tools(typed)
    usual = tuple(registry.SAMPLERS) if attached else registry.DEFAULT_TOOLS
    words = ["record"]
    if set(tools) != set(usual):
        words += ["-t", ",".join(tools)]
    for option, value in (
        ("-s", typed.serial),
        ("--timeout", typed.timeout),
        ("--cwd", typed.cwd),
        ("--repeat", typed.repeat),
        ("--rate", typed.rate),
        ("--valgrind", typed.valgrind),
    ):
        if value.strip():
            words += [option, value.strip()]
    for option, value in (
        ("--env", typed.env),
        ("--push", typed.push),
        ("--symbols", typed.symbols),
        ("--suppressions", typed.suppressions),
        ("--tool-arg", typed.tool_args),
        ("--label", typed.labels),
    ):
        for word in _words(value):
            # An argument may begin with a dash: only `=` keeps it from being an option.
            words += [f"{option}={word}"] if word.startswith("-") else [option, word]
    command = _words(typed.command)
    if typed.kind == SYSTEM:
        return [*words, "--system"]
    if typed.kind == APP:
        return [*words, "--app", " ".join(command)]
    if typed.kind == PROCESS:
        name = " ".join(command)
        return [*words, "--pid" if name.isdecimal() else "--name", name]
    alone = len(command) == 1 and not command[0].startswith("-")
    return [*words, *(command if alone else ["--", *command])]


def request_of(typed: Typed) -> Request:
    """What the fields mean together. Raises `UsageError` with what is wrong in them."""
    wrong = problems(typed)
    if wrong:
        raise UsageError(next(iter(wrong.values())))
    return _request(typed)


def _request(typed: Typed) -> Request:
    from collectors.devices.toolchain import VALGRIND_VARIABLE
    from tui.commands.record import COMMAND

    parser = _Parser()
    COMMAND.configure(parser)
    args = parser.parse_args(command_words(typed)[1:])
    return Request(
        plan_from(args),
        args.serial,
        args.valgrind or os.environ.get(VALGRIND_VARIABLE),
        tuple(args.symbols),
    )


def problems(typed: Typed) -> dict[str, str]:
    """What is wrong, by the field's name; under "" what no single field is to blame for."""
    found: dict[str, str] = {}
    for name, check in _CHECKS.items():
        try:
            check(typed)
        except DroidgrindError as error:
            # The option's name and the word stand in the field itself.
            found[name] = str(error)
    if not found:
        try:
            plan = _request(typed).plan
            plan.check_bounded()
        except DroidgrindError as error:
            found[_blamed(str(error))] = str(error)
        else:
            try:
                _check_program(plan)
            except UsageError as error:
                found["command"] = str(error)
    return found


def _blamed(message: str) -> str:
    """The field that a message of the whole plan is about."""
    if "--timeout" in message:
        return "timeout"
    if "--repeat" in message:
        return "repeat"
    if "program" in message or "PATH" in message:
        return "command"
    return ""


def _check_program(plan: Plan) -> None:
    if plan.target is not None and not plan.target.argv[0].startswith(DEVICE_PREFIX):
        local_cwd = plan.target.cwd if plan.target.cwd and plan.target.cwd.is_dir() else None
        find_program(plan.target.argv[0], local_cwd)


def _words(value: str) -> list[str]:
    try:
        return shlex.split(value)
    except ValueError as error:
        raise UsageError(f"{str(error).lower()}: a quote is open") from error


def _command(typed: Typed) -> None:
    words = _words(typed.command)
    if typed.kind == SYSTEM:
        return
    if not words:
        raise UsageError(
            {
                PROGRAM: "type the program to record, and its arguments",
                APP: "type the app's package, such as org.example.app",
                PROCESS: "type the process's number or name",
            }[typed.kind]
        )
    if typed.kind == APP and ("." not in words[0] or len(words) > 1):
        raise UsageError("a package, such as org.example.app or org.example.app/.Main")


def _tools(typed: Typed) -> None:
    tools = chosen_tools(typed)
    if not tools:
        raise UsageError("choose at least one tool")
    for name in tools:
        registry.check_name(name)


def _above_zero(name: str) -> Callable[[Typed], None]:
    def check(typed: Typed) -> None:
        text = getattr(typed, name).strip()
        try:
            good = not text or 0 < float(text) < float("inf")
        except ValueError:
            good = False
        if not good:
            raise UsageError(f"{text}: not a number above 0")

    return check


def _repeat(typed: Typed) -> None:
    text = typed.repeat.strip()
    if text and not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise UsageError(f"{text}: not a whole number from 1")


def _cwd(typed: Typed) -> None:
    """On a device the folder may be made by the run; here it must be there."""
    text = typed.cwd.strip()
    if text and typed.serial.strip() == LOCAL_SERIAL and not Path(text).is_dir():
        raise UsageError(f"{text}: there is no such folder")


def _push(typed: Typed) -> None:
    for pushed in parse_push(_words(typed.push)):
        if not pushed.file.exists():
            raise UsageError(f"{pushed.file}: there is no such file or folder")


def _suppressions(typed: Typed) -> None:
    from profiler.suppressions.text import read_suppressions, suppression_file

    read_suppressions(tuple(suppression_file(word) for word in _words(typed.suppressions)))


def _tool_args(typed: Typed) -> None:
    for word in _words(typed.tool_args):
        name, equals, argument = word.partition("=")
        if not equals or not argument:
            raise UsageError(f"{word}: write TOOL=ARG, such as massif=--depth=60")
        registry.check_name(name)


_CHECKS: dict[str, Callable[[Typed], object]] = {
    "command": _command,
    "tools": _tools,
    "timeout": _above_zero("timeout"),
    "cwd": _cwd,
    "env": lambda typed: parse_environment(_words(typed.env)),
    "push": _push,
    "symbols": lambda typed: check_symbols([Path(word) for word in _words(typed.symbols)]),
    "suppressions": _suppressions,
    "tool_args": _tool_args,
    "repeat": _repeat,
    "rate": _above_zero("rate"),
    "labels": lambda typed: parse_labels(_words(typed.labels)),
}


def command_line(words: Sequence[str]) -> str:
    """The words as a shell takes them."""
    return shlex.join(["droidgrind", *words])
