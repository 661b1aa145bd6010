"""What was loaded where in a run under Valgrind, and which build each file is.

Valgrind says with `-v -v`, for each ELF file that it reads,

    --PID-- Reading syms from /data/local/tmp/libengine.so
    --PID--    svma 0x0000042000, avma 0x0004a42000

where its `.text` stands in the file (svma) and in the run (avma). The log is kept with the
raw files; build-ids are asked of the device's files after the run and kept beside them.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from collectors.devices.device import Device
from collectors.errors import DeviceError, InputError
from profiler.json_fields import Fields, parse_json
from profiler.symbols.elf import NOTE_HEAD_BYTES, build_id_of_head, note_ranges

MODULES_FILE = "modules.json"
# Where an imported session keeps logs: its tool's own files may bear any name.
IMPORTED_LOGS = "logs"
SCHEMA = 1
_MOST_LOG_BYTES = 64 << 20
_MOST_MODULES = 4096
_READ = re.compile(
    rb"^(?:==|--)(\d+)(?:==|--) Reading syms from ([^\r\n]+?)\r*\n"
    rb"(?:(?!(?:==|--)\d+(?:==|--) (?:Reading syms|   svma))[^\n]*\n){0,3}?"
    rb"(?:==|--)\1(?:==|--)    svma (0x[0-9a-fA-F]+), avma (0x[0-9a-fA-F]+)",
    re.MULTILINE,
)
# What the device is asked for each file: a line with its size, then its first bytes.
_HEADS = (
    'for f; do printf "\\n@droidgrind %s\\n" "$f"; '
    f'head -c {NOTE_HEAD_BYTES} "$f" 2>/dev/null; done'
)


@dataclass(frozen=True, slots=True)
class Module:
    """One file in one process: `.text` at `svma` in the file, at `avma` in the run."""

    path: str
    svma: int
    avma: int


@dataclass(frozen=True, slots=True)
class ModuleFacts:
    """Which build a file of the device was; None where the file has no build-id."""

    build_id: str | None


def modules_in_log(log: bytes) -> dict[int, list[Module]]:
    """The modules of each process, in the order in which they were read."""
    found: dict[int, list[Module]] = {}
    for match in _READ.finditer(log):
        modules = found.setdefault(int(match[1]), [])
        if len(modules) < _MOST_MODULES:
            path = match[2].decode("utf-8", "replace")
            modules.append(Module(path, int(match[3], 16), int(match[4], 16)))
    return found


def modules_of(folder: Path) -> dict[int, list[Module]]:
    """The modules of each process of a run, from the logs among its raw files."""
    found: dict[int, list[Module]] = {}
    logs = [*folder.glob("valgrind.*.log"), *folder.glob(f"{IMPORTED_LOGS}/valgrind.*.log")]
    for log in sorted(logs):
        with log.open("rb") as stream:
            for pid, modules in modules_in_log(stream.read(_MOST_LOG_BYTES)).items():
                found.setdefault(pid, []).extend(modules)
    return found


def read_facts(session: Path) -> dict[str, ModuleFacts]:
    """What `record` kept of the device's files; empty for a session without it."""
    source = session / MODULES_FILE
    try:
        document: object = parse_json(source.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InputError(f"{source}: {error}") from error
    fields = Fields(document, str(source))
    if fields.integer("schema") != SCHEMA:
        raise InputError(f"{source}: written by another droidgrind: record again")
    return {
        entry.text("path"): ModuleFacts(entry.optional_text("build_id"))
        for entry in fields.objects("modules")
    }


def facts_document(facts: Mapping[str, ModuleFacts]) -> bytes:
    """The content of `modules.json`."""
    entries = [{"path": path, **asdict(fact)} for path, fact in sorted(facts.items())]
    return json.dumps({"schema": SCHEMA, "modules": entries}, indent=1).encode() + b"\n"


def ask_device(device: Device, paths: Iterable[str]) -> dict[str, ModuleFacts]:
    """The build-ids of files on a device. A file that cannot be read has no facts."""
    wanted = [path for path in dict.fromkeys(paths) if path.startswith("/")]
    facts: dict[str, ModuleFacts] = {}
    for start in range(0, len(wanted), 64):
        part = wanted[start : start + 64]
        answer = device.run(["sh", "-c", _HEADS, "sh", *part], timeout=60.0).stdout
        for path, head in _heads(answer, part):
            if head.startswith(b"\x7fELF"):
                facts[path] = ModuleFacts(
                    build_id_of_head(head) or _far_note(device, path, head)
                )
    return facts


def _heads(answer: bytes, paths: Sequence[str]) -> Iterable[tuple[str, bytes]]:
    position = 0
    for index, path in enumerate(paths):
        mark = b"\n@droidgrind " + path.encode() + b"\n"
        start = answer.find(mark, position)
        if start < 0:
            continue
        start += len(mark)
        following = paths[index + 1 :]
        end = -1
        if following:
            end = answer.find(b"\n@droidgrind " + following[0].encode() + b"\n", start)
        end = len(answer) if end < 0 else end
        yield path, answer[start:end]
        position = end


def _far_note(device: Device, path: str, head: bytes) -> str | None:
    """The build-id from a note that stands far inside the file."""
    for offset, size in note_ranges(head):
        script = f'tail -c +{offset + 1} "$1" 2>/dev/null | head -c {size}'
        try:
            notes = device.run(["sh", "-c", script, "sh", path], timeout=60.0).stdout
        except DeviceError:
            return None
        found = build_id_of_head(head, notes=notes)
        if found is not None:
            return found
    return None
