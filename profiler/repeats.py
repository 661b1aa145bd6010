"""The native runs of a session: the first, and those that `record --repeat` added.

The first run's samples are captures of the session. Those of run N lie in `raw/native-N/`,
one folder a sampler, so that nothing takes several runs for several processes of one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from collectors import registry
from collectors.errors import ParseError
from collectors.records.samples import SampleProfile
from profiler.manifest import NativeRun
from profiler.store import Session, repeat_folder


@dataclass(frozen=True, slots=True)
class NativeRunOf:
    """One native run and the samples that were taken of it."""

    native: NativeRun | None
    samples: tuple[SampleProfile, ...]


def native_runs(session: Session) -> list[NativeRunOf]:
    """Every native run; none where the target was never run as it is."""
    samplers = [tool for tool in session.tools if tool in registry.SAMPLERS]
    first = tuple(
        profile
        for tool in samplers
        for profile in session.profiles(tool)
        if isinstance(profile, SampleProfile)
    )
    if session.manifest.native is None and not first:
        return []
    runs = [NativeRunOf(session.manifest.native, first)]
    for number, native in enumerate(session.manifest.repeats, start=2):
        runs.append(NativeRunOf(native, tuple(_samples(session, number, samplers))))
    return runs


def _samples(session: Session, number: int, samplers: list[str]) -> Iterator[SampleProfile]:
    for name in samplers:
        folder = session.folder(repeat_folder(number)) / name
        sampler = registry.sampler(name)
        for file in sorted(folder.iterdir()) if folder.is_dir() else ():
            if file.is_file() and sampler.is_output(file.name):
                try:
                    profile = sampler.read(file)
                except ParseError:  # a run that was cut off has no figures to add
                    continue
                if isinstance(profile, SampleProfile):
                    yield profile
