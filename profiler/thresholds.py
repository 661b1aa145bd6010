"""Where rules draw their lines: every threshold, its default and what it bounds.

The one place for them. `droidgrind.toml` overrides any (`[thresholds]`), and
docs/findings/thresholds.md lists them all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from collectors.errors import InputError, nearest


def _bound(default: float, meaning: str) -> float:
    value: float = field(default=default, metadata={"meaning": meaning})
    return value


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Percentages are of 100, sizes bytes, times seconds, rates per second."""

    # ---- scheduling
    own_load_percent: float = _bound(
        50, "the target's share of the machine's busy CPU time, above which load is its own"
    )
    shortest_run: float = _bound(1.0, "native run time below which scheduling is not judged")
    saturated_samples_percent: float = _bound(
        60, "share of samples with more runnable tasks than CPUs: saturation"
    )
    saturated_severe: float = _bound(3.0, "runnable tasks a CPU, above which it is severe")
    system_percent: float = _bound(40, "sy of the CPU time used: unhealthy balance")
    iowait_percent: float = _bound(15, "wa with blocked processes: storage is the limit")
    switches_per_cpu: float = _bound(20_000, "context switches a second and CPU: a storm")
    swap_per_second: float = _bound(1_000, "KiB swapped in and out a second: churn")
    starved_percent: float = _bound(
        25, "a thread's run-queue wait, of its time on or off a CPU"
    )
    starved_wall_percent: float = _bound(
        15, "the same wait, of the run's wall time: what could be won"
    )
    starved_seconds: float = _bound(0.5, "a thread's least run-queue wait")
    one_thread_percent: float = _bound(
        80, "one thread's share of wall time running or waiting, while its pool sleeps"
    )
    migrations_per_second: float = _bound(5, "CPU changes seen between samples, a second")
    little_core_percent: float = _bound(60, "a hot thread's samples on little cores")
    hot_thread_percent: float = _bound(
        30, "of wall time on a CPU or waiting for one: a hot thread"
    )
    capped_percent: float = _bound(
        80, "a busy CPU's clock, of its own maximum, under which it counts as capped"
    )
    sampler_percent: float = _bound(5, "CPU time that sampling took, of one CPU")
    # ---- cache
    fewest_misses: float = _bound(
        1_000_000, "misses below which no cache finding is more than information"
    )
    hot_function_percent: float = _bound(30, "a function's share of all misses")
    miss_rate_percent: float = _bound(10, "misses of reads and writes, above which they cost")
    stride_rate_percent: float = _bound(
        40, "misses of one line's accesses: a walk that uses little of each cache line"
    )
    ll_share_of_cycles_percent: float = _bound(
        20, "last-level misses' share of estimated cycles, above which memory is the limit"
    )
    instruction_rate_percent: float = _bound(2.0, "I1 misses of Ir")
    branch_rate_percent: float = _bound(8, "mispredicted of a function's branches")
    branch_share_percent: float = _bound(
        20, "mispredicted branches' share of estimated cycles: they cost"
    )
    few_lines: float = _bound(5, "lines that carry the cost")
    few_lines_percent: float = _bound(70, "their share of estimated cycles")
    unknown_code_percent: float = _bound(30, "instructions in functions without a name")
    # ---- heap
    smallest_heap: float = _bound(
        1 << 20, "peak below which no heap finding is more than information"
    )
    growth_percent: float = _bound(
        70, "of the peak still held at exit, having grown through the run"
    )
    growth_steps_percent: float = _bound(70, "of tenths of the run that end higher than before")
    owner_percent: float = _bound(40, "one allocation place's share of the peak")
    allocator_percent: float = _bound(15, "of instructions in malloc and free: churn costs")
    churn_ratio: float = _bound(10, "bytes allocated anew, in peaks")
    tiny_block_bytes: float = _bound(48, "mean size of blocks that count as tiny")
    tiny_blocks: float = _bound(10_000, "the least number of them")
    overhead_percent: float = _bound(25, "extra bytes of useful ones")
    kept_percent: float = _bound(50, "of the peak held at exit: kept after the work")
    # ---- memory errors
    leak_bytes: float = _bound(256, "bytes lost in one place, above which a leak is a warning")
    leak_blocks: float = _bound(10, "blocks lost in one place: it grows, an error")
    leak_grows_bytes: float = _bound(1024, "bytes that those must be together")
    # ---- trust
    unresolved_percent: float = _bound(50, "frames or instructions without a name")
    unsteady_percent: float = _bound(
        50, "difference of two halves' CPU use: the run is far from steady"
    )

    def overridden(self, values: Mapping[str, object], source: str) -> "Thresholds":
        """These with some replaced. Raises `InputError` that names an unknown one's nearest."""
        known = {item.name for item in fields(self)}
        chosen: dict[str, float] = {}
        for name, value in values.items():
            if name not in known:
                raise InputError(
                    f"{source}: there is no threshold {name!r}{nearest(name, known)} "
                    "(`droidgrind explain --thresholds` lists them)"
                )
            if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                raise InputError(f"{source}: {name} = {value!r}: must be a number, 0 or above")
            chosen[name] = float(value)
        return replace(self, **chosen)


def threshold_text(value: float) -> str:
    """A threshold as people write it."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:g}"


def meanings() -> dict[str, tuple[float, str]]:
    """Each threshold's default and what it bounds."""
    defaults = Thresholds()
    return {
        item.name: (getattr(defaults, item.name), str(item.metadata["meaning"]))
        for item in fields(defaults)
    }
