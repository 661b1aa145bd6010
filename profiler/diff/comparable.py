"""May two sessions be compared? What to be warned of, and what to be refused."""

import re
import shlex
from collections.abc import Sequence

from collectors.records.cost import CostProfile
from collectors.records.errors import ErrorProfile
from collectors.records.heap import HeapProfile
from collectors.tools.tool import Profile
from profiler.diff.compared import Compared
from profiler.functions import CYCLES
from profiler.manifest import CaptureEntry, State


def session_warnings(baseline: Compared, session: Compared) -> tuple[list[str], dict[str, str]]:
    """What the manifests tell: warnings, and by part why it is not compared at all."""
    old, new = baseline.manifest, session.manifest
    warnings: list[str] = []
    refused: dict[str, str] = {}
    if (old.id, old.created) == (new.id, new.created):
        warnings.append("both are the same session")
    if old.schema != new.schema:
        warnings.append(f"the sessions have different schemas: {old.schema} and {new.schema}")
    programs = [program_name(side) for side in (baseline, session)]
    if all(programs) and programs[0] != programs[1]:
        warnings.append(f"different programs were recorded: {programs[0]} and {programs[1]}")
    elif old.target.argv[1:] != new.target.argv[1:]:
        words = [shlex.join(m.target.argv[1:]) or "none" for m in (old, new)]
        warnings.append(_of_either("different arguments", words))
    device, other = old.device, new.device
    if device.abi and other.abi and device.abi != other.abi:
        warnings.append(f"different ABIs: {device.abi} and {other.abi}")
        refused["cost"] = (
            f"instructions of {device.abi} and {other.abi} are different things: their counts "
            "do not compare"
        )
    names = [d.model or d.serial for d in (device, other)]
    if names[0] != names[1] or len(device.cpus) != len(other.cpus):
        counts = [len(device.cpus), len(other.cpus)]
        text = [f"{name}, {n} CPUs" for name, n in zip(names, counts, strict=True)]
        warnings.append(f"different devices: {'; '.join(text)}")
        refused["scheduling"] = (
            "times and waits of different devices say how the devices differ, not the program"
        )
    elif device.kernel != other.kernel:
        warnings.append(f"different kernels: {device.kernel} and {other.kernel}")
    for side, source in (("the baseline", baseline), ("the session", session)):
        for capture in source.captures:
            if capture.state is not State.COMPLETE:
                note = f" ({capture.note})" if capture.note else ""
                warnings.append(
                    f"{capture.tool} of {side} is {capture.state}{note}: figures of a part"
                )
    return warnings, refused


def program_name(side: Compared) -> str:
    """The program's file name, or the app; empty where nothing names it."""
    target = side.manifest.target
    return target.argv[0].rpartition("/")[2] if target.argv else target.app or ""


def tool_warning(
    old: CaptureEntry | None,
    new: CaptureEntry | None,
    profiles: tuple[Sequence[Profile], Sequence[Profile]],
) -> str | None:
    """Whether two runs of a tool were of different versions or settings."""
    if old is None or new is None:
        return None
    versions = [
        entry.version or _version_said(said)
        for entry, said in zip((old, new), profiles, strict=True)
    ]
    if all(versions) and versions[0] != versions[1]:
        return f"{old.tool}: different Valgrind versions, {versions[0]} and {versions[1]}"
    options = [_options(entry.argv) for entry in (old, new)]
    if options[0] != options[1]:
        own = [" ".join(sorted(options[i] - options[1 - i])) or "none" for i in (0, 1)]
        return f"{old.tool}: {_of_either('different options', own)}"
    return None


def _of_either(what: str, values: Sequence[str]) -> str:
    return f"{what}: the baseline had {values[0]}, the session had {values[1]}"


def _version_said(profiles: Sequence[Profile]) -> str | None:
    """The version in the first words of an imported file, where its format has them."""
    for profile in profiles:
        if isinstance(profile, ErrorProfile) and profile.processes:
            found = _VERSION.search("\n".join(profile.processes[0].preamble))
            return found and found[1]
    return None


_VERSION = re.compile(r"\bUsing Valgrind-(\S+)")
# Where a run's files are, and whether it is asked for its heap while it goes on.
_OF_A_RUN = re.compile(r"--(?:log-file|xml-file|\w+-out-file|vgdb|vgdb-prefix)=")


def _options(argv: Sequence[str]) -> set[str]:
    """Valgrind's own options, without those that make no other result."""
    found: set[str] = set()
    for word in argv[1:]:
        if not word.startswith("-"):
            break
        if not _OF_A_RUN.match(word):
            found.add(word)
    return found


def cost_events(
    baseline: Sequence[CostProfile], profiles: Sequence[CostProfile]
) -> tuple[tuple[str, ...] | None, str | None]:
    """The events that may be compared (None: all), and why not the others.

    Misses of caches that were simulated with other sizes do not compare; instructions do.
    """
    caches = [
        {tuple(" ".join(line.split()) for line in run.description) for run in p.processes}
        for group in (baseline, profiles)
        for p in group[:1]
    ]
    if len(caches) < 2 or caches[0] == caches[1]:
        return None, None
    events = dict.fromkeys(event for p in profiles for event in p.events)
    kept = tuple(e for e in events if e not in CYCLES or e in {"Ir", "Bcm", "Bim"})
    return kept, (
        "different caches were simulated: only instructions, accesses and branches are compared"
    )


def heap_refusal(
    baseline: Sequence[HeapProfile], profiles: Sequence[HeapProfile]
) -> str | None:
    """Why two heaps do not compare."""
    if baseline and profiles and baseline[0].pages != profiles[0].pages:
        return "one counts mapped pages (--pages-as-heap), the other the heap"
    return None
