"""`recipe.json` of a session: all that another process needs to finish its recording."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from collectors.devices.local import LOCAL_SERIAL
from collectors.errors import InputError
from collectors.tools.tool import Subject, ToolSettings
from profiler.json_fields import Fields, parse_json
from profiler.recording.plan import Plan
from profiler.recording.target import Pushed, Target
from profiler.session_writer import write_atomically

RECIPE_FILE = "recipe.json"
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Recipe:
    """What was asked for. `run` names the recording on its device and in its journal.

    `digest` is the SHA-256 of the program: a session is of one program.
    """

    run: str
    serial: str
    plan: Plan
    valgrind: str | None = None
    digest: str | None = None


def write_recipe(directory: Path, recipe: Recipe) -> None:
    plan = recipe.plan
    target = plan.target
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "run": recipe.run,
        "serial": recipe.serial,
        "valgrind": recipe.valgrind,
        "digest": recipe.digest,
        "tools": list(plan.tools),
        "timeout": plan.timeout,
        "labels": dict(plan.labels),
        "repeat": plan.repeat,
        "pid": plan.subject.pid,
        "name": plan.subject.name,
        "app": plan.app,
        "settings": {name: _settings_json(one) for name, one in plan.settings.items()},
    }
    if target is not None:
        document["target"] = {
            "argv": list(target.argv),
            "here": str(Path.cwd()),
            "cwd": _cwd(target, recipe.serial),
            "env": dict(target.env),
            "push": [
                {"file": str(pushed.file.absolute()), "place": pushed.place}
                for pushed in target.push
            ],
        }
    text = json.dumps(document, indent=1, ensure_ascii=True)
    write_atomically(directory / RECIPE_FILE, text.encode())


def _cwd(target: Target, serial: str) -> str | None:
    if target.cwd is None:
        return None
    return str(target.cwd.absolute() if serial == LOCAL_SERIAL else target.cwd)


def _settings_json(settings: ToolSettings) -> dict[str, Any]:
    return {
        "arguments": list(settings.arguments),
        "time_unit": settings.time_unit,
        "interval_seconds": settings.interval_seconds,
        "suppressions": [str(file.absolute()) for file in settings.suppressions],
    }


def read_recipe(directory: Path) -> Recipe:
    """Raises `InputError` when the session has none, or it cannot be read."""
    file = directory / RECIPE_FILE
    try:
        document = parse_json(file.read_bytes())
    except FileNotFoundError as error:
        raise InputError(f"{directory} cannot be resumed: it has no {RECIPE_FILE}") from error
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{file}: not JSON: {error}") from error
    fields = Fields(document, str(file))
    if fields.integer("schema") != SCHEMA:
        raise InputError(f"{file}: written by another droidgrind: resume it with that one")
    target = fields.optional_object("target")
    settings = fields.object("settings")
    names = cast("Mapping[str, object]", document["settings"])
    return Recipe(
        run=fields.text("run"),
        serial=fields.text("serial"),
        valgrind=fields.optional_text("valgrind"),
        digest=fields.optional_text("digest"),
        plan=Plan(
            None if target is None else _target(target),
            fields.texts("tools"),
            {name: _settings(settings.object(name)) for name in names},
            Subject(pid=fields.optional_integer("pid"), name=fields.optional_text("name")),
            fields.optional_number("timeout"),
            fields.text_map("labels"),
            fields.optional_text("app"),
            fields.optional_integer("repeat") or 1,
        ),
    )


def _target(fields: Fields) -> Target:
    argv = fields.texts("argv")
    here = Path(fields.text("here", "."))
    if "/" in argv[0] and not argv[0].startswith(("/", "device:")):
        argv = (str(here / argv[0]), *argv[1:])  # as it was meant when it was typed
    cwd = fields.optional_text("cwd")
    return Target(
        argv,
        None if cwd is None else Path(cwd),
        fields.text_map("env"),
        tuple(
            Pushed(Path(one.text("file")), one.optional_text("place"))
            for one in fields.objects("push")
        ),
    )


def _settings(fields: Fields) -> ToolSettings:
    return ToolSettings(
        fields.texts("arguments"),
        cast("Literal['i', 'ms', 'B']", fields.text("time_unit", "i")),
        fields.optional_number("interval_seconds"),
        tuple(Path(name) for name in fields.texts("suppressions")),
    )
