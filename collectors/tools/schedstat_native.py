"""The native sampler: a static program for each ABI, in a quarter of the shell's CPU time.

Its source is `native/schedstat.c`; `native/built.json` says by which compiler and from which
text the programs beside it were built (scripts/build-native).
"""

from importlib.resources import files
from pathlib import Path

from collectors.devices.device import Preferred
from collectors.devices.toolchain_layout import PLATFORMS
from collectors.tools.schedstat_shell import sampler_words
from collectors.tools.tool import Subject


def native_sampler(
    abi: str | None, interval_seconds: float, subject: Subject, *, left_out: int | None = None
) -> Preferred | None:
    """The program for an ABI and its arguments; None where none is shipped.

    `left_out` is a process that `subject.name` does not mean, though it is called so.
    """
    file = program_for(abi)
    if file is None:
        return None
    words = sampler_words(interval_seconds, subject)
    return Preferred(file, words if left_out is None else (*words, str(left_out)))


def program_for(abi: str | None) -> Path | None:
    platform = PLATFORMS.get(abi or "")
    file = Path(str(files("collectors.tools") / f"native/schedstat-{platform}"))
    return file if file.is_file() else None
