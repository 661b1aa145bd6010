"""Big and little cores told apart by name: `B0`, `M4`, `L1`; `C0` where all are alike."""

from collections.abc import Iterable, Mapping

from profiler.watching.track import CpuTrack


def cpu_names(cpus: Iterable[CpuTrack]) -> Mapping[int, str]:
    """A name for each CPU, by its relative capacity, else by its greatest frequency."""
    known = {cpu.number: cpu.capacity or cpu.max_khz for cpu in cpus}
    sizes = sorted({size for size in known.values() if size})
    if len(sizes) < 2:
        return {number: f"C{number}" for number in known}

    def letter(size: int | None) -> str:
        if size == sizes[-1]:
            return "B"
        if size == sizes[0]:
            return "L"
        return "C" if size is None else "M"

    return {number: f"{letter(size)}{number}" for number, size in known.items()}
