"""Scheduling rules: is the CPU the limit, who waits for it, and is what was measured true."""

import re
from collections.abc import Iterator, Mapping

from collectors.records.samples import SampleProfile
from profiler.figures import plural, short_count
from profiler.finding import Finding, Severity, View, place
from profiler.fingerprint import fingerprint
from profiler.rules.clocks import capped
from profiler.rules.context import Context
from profiler.rules.scheduling_facts import SchedulingFacts, scheduling_facts
from profiler.rules.words import listed
from profiler.thresholds import Thresholds
from profiler.visible import visible

_POOL = re.compile(r"[-_ #:]*\d+$")
_FEWEST_SAMPLES = 5


def scheduling_findings(
    samples: Mapping[str, SampleProfile], context: Context
) -> Iterator[Finding]:
    facts = scheduling_facts(samples, context)
    limits = context.thresholds
    if facts is None or facts.wall < limits.shortest_run:
        return
    pool = tuple(_pool(facts, limits))
    yield from pool
    yield from _saturated(facts, limits, explained=bool(pool))
    yield from _starved(facts, limits, explained=bool(pool))
    for rule in (
        *(_busy_machine, _system_time, _io_wait, _storm, _swap, _one_thread),
        *(_migrating, _little, capped, _sampler, _unsteady),
    ):
        yield from rule(facts, limits)


def pool_name(thread: str) -> str:
    """`omp-worker` for `omp-worker-3`."""
    return _POOL.sub("", thread) or thread


def _severity(facts: SchedulingFacts) -> Severity:
    """A warning, unless other programs kept the machine busy: then nothing is sure."""
    return Severity.WARNING if facts.is_own_load else Severity.INFO


def _thread(facts: SchedulingFacts, row: int) -> str:
    return visible(facts.names[row], 40)


def _pool(facts: SchedulingFacts, limits: Thresholds) -> Iterator[Finding]:
    if facts.cpus is None or len(facts.runnable) < _FEWEST_SAMPLES:
        return
    crowded = facts.runnable > 1.25 * facts.cpus
    share = 100 * float(crowded.mean())
    if share < limits.saturated_samples_percent:
        return
    mean = float(facts.runnable.mean())
    names = sorted({pool_name(name) for name in facts.names})
    waited = sum(row.wait_seconds or 0.0 for row in facts.threads)
    ran = sum(row.run_seconds or 0.0 for row in facts.threads)
    yield Finding(
        "sched-pool",
        _severity(facts),
        f"{mean:.1f} threads want to run on {plural(facts.cpus, 'CPU')}",
        f"In {share:.0f} % of {plural(len(facts.runnable), 'sample')} more of its own threads "
        f"ran or waited than there are CPUs; together they waited {waited:.1f} s and ran "
        f"{ran:.1f} s ({visible(listed(names), 100)}).",
        f"Use at most {facts.cpus} such threads (on a phone: as many as big cores).",
        place(View.SCHEDULING),
        fingerprint("sched-pool"),
        weight=22,
    )


def _saturated(
    facts: SchedulingFacts, limits: Thresholds, *, explained: bool
) -> Iterator[Finding]:
    tasks = facts.running_tasks
    if facts.cpus is None or len(tasks) < _FEWEST_SAMPLES or not facts.is_own_load:
        return
    share = 100 * float((tasks > facts.cpus).mean())
    if share < limits.saturated_samples_percent:
        return
    mean = float(tasks.mean())
    severe = mean > limits.saturated_severe * facts.cpus
    # One thread that is always busy uses half of two CPUs, and is no reason for a queue.
    own = float(facts.runnable.mean())
    by_itself = own >= mean / 2
    yield Finding(
        "sched-saturated",
        Severity.WARNING if by_itself and not explained else Severity.INFO,
        f"The CPUs are {'severely ' if severe else ''}saturated: {mean:.1f} runnable tasks on "
        f"{plural(facts.cpus, 'CPU')}",
        f"In {share:.0f} % of {plural(len(tasks), 'sample')} more tasks wanted to run than "
        f"there are CPUs: the rest waited. {own:.1f} of them are its own threads.",
        "Do less at once: fewer threads, or other work at another time."
        if by_itself
        else "Record again on a device at rest: most of those tasks are other programs'.",
        place(View.SCHEDULING),
        fingerprint("sched-saturated"),
        weight=21,
    )


def _starved(
    facts: SchedulingFacts, limits: Thresholds, *, explained: bool
) -> Iterator[Finding]:
    waits = [row.wait_seconds or 0.0 for row in facts.threads]
    if not waits:
        return
    worst = max(range(len(waits)), key=lambda i: waits[i])
    wait, run = waits[worst], facts.threads[worst].run_seconds or 0.0
    share = 100 * wait / (wait + run) if wait + run else 0.0
    if (
        share < limits.starved_percent
        or 100 * wait / facts.wall < limits.starved_wall_percent
        or wait < limits.starved_seconds
    ):
        return
    others = sum(100 * w / facts.wall >= limits.starved_wall_percent for w in waits) - 1
    who = _thread(facts, worst)
    cause = (
        "by other programs: this target used "
        f"{100 * (facts.own_load or 0):.0f} % of the CPU time that was used"
        if not facts.is_own_load
        else f"on {plural(facts.cpus, 'CPU')}"
        if facts.cpus
        else "by its own and other threads"
    )
    yield Finding(
        "sched-starved",
        Severity.INFO if explained else _severity(facts),
        f"{who} waited {share:.0f} % of its time for a CPU",
        f"{wait:.2f} s in the run queue against {run:.2f} s running, of {facts.wall:.1f} s. "
        + (f"{plural(others, 'other thread')} waited as long. " if others > 0 else "")
        + f"The CPUs were taken {cause}.",
        "Run fewer threads than CPUs, or raise its priority."
        if facts.is_own_load
        else "Record again on a machine at rest before believing any time.",
        place(View.SCHEDULING, thread=facts.threads[worst].tid),
        fingerprint("sched-starved", pool_name(facts.names[worst])),
        weight=20,
    )


def _busy_machine(facts: SchedulingFacts, limits: Thresholds) -> Iterator[Finding]:
    own, busy = facts.own_load, facts.busy
    if own is None or busy is None or 100 * own >= limits.own_load_percent or busy < 0.5:
        return
    yield Finding(
        "sched-busy-machine",
        Severity.INFO,
        "Other programs kept the machine busy",
        f"{100 * busy:.0f} % of all CPU time was used, {100 * own:.0f} % of that by the "
        "target: waiting times tell of its neighbours.",
        "Record again on a device at rest; counts under Valgrind are not touched by this.",
        place(View.SCHEDULING),
        fingerprint("sched-busy-machine"),
        weight=2,
    )


def _system_time(facts: SchedulingFacts, limits: Thresholds) -> Iterator[Finding]:
    total = facts.cpu_time_user + facts.cpu_time_system
    if total < limits.shortest_run / 5:
        return
    share = 100 * facts.cpu_time_system / total
    if share < limits.system_percent:
        return
    yield Finding(
        "sched-system-time",
        Severity.WARNING,
        f"{share:.0f} % of its CPU time is spent in the kernel",
        f"{facts.cpu_time_system:.1f} s in the kernel against {facts.cpu_time_user:.1f} s in "
        "its own code: system calls, page faults or locks do the work.",
        "Look for small reads and writes, maps and unmaps, and lock contention (`strace -c`).",
        place(View.SCHEDULING),
        fingerprint("sched-system-time"),
        weight=14,
    )


def _io_wait(facts: SchedulingFacts, limits: Thresholds) -> Iterator[Finding]:
    if facts.iowait is None or not len(facts.blocked):
        return
    share, blocked = 100 * facts.iowait, float(facts.blocked.mean())
    idle_target = sum(r.run_seconds or 0.0 for r in facts.threads) < 0.5 * facts.wall
    if share < limits.iowait_percent or blocked < 0.3 or not idle_target:
        return
    yield Finding(
        "sched-io-wait",
        Severity.WARNING,
        f"Storage is the limit: the CPUs wait for it {share:.0f} % of the time",
        f"On average {blocked:.1f} tasks were blocked while CPUs idled; the target ran for "
        f"less than half of its {facts.wall:.1f} s.",
        "Read ahead or in larger pieces, map the file, or load while something is computed.",
        place(View.SCHEDULING),
        fingerprint("sched-io-wait"),
        weight=16,
    )


def _storm(facts: SchedulingFacts, limits: Thresholds) -> Iterator[Finding]:
    ran = sum(row.run_seconds or 0.0 for row in facts.threads)
    voluntary = sum(row.voluntary or 0 for row in facts.threads)
    switches = voluntary + sum(row.involuntary or 0 for row in facts.threads)
    if ran < limits.shortest_run / 4 or switches / ran < limits.switches_per_cpu:
        return
    most = max(facts.threads, key=lambda row: (row.voluntary or 0) + (row.involuntary or 0))
    yield Finding(
        "sched-switches",
        Severity.WARNING,
        f"Threads switch {short_count(switches / ran)} times in each second that they run",
        f"{switches:,} context switches in {ran:.1f} s of CPU time, "
        f"{100 * voluntary / switches:.0f} % of them by going to sleep; "
        f"{visible(most.name, 40)} has the most. A switch every "
        f"{1e6 * ran / switches:.0f} µs leaves little time to work.",
        "Hand over work in batches; hold locks shorter, or spin before sleeping.",
        place(View.SCHEDULING, thread=most.tid),
        fingerprint("sched-switches"),
        weight=18,
    )


def _swap(facts: SchedulingFacts, limits: Thresholds) -> Iterator[Finding]:
    rate = sum(facts.vmstat.get(name, {}).get("mean", 0.0) for name in ("si", "so"))
    if rate < limits.swap_per_second:
        return
    yield Finding(
        "sched-swap",
        Severity.WARNING,
        f"Memory is short: {short_count(rate)} KiB/s go to swap and back",
        "si + so of vmstat, mean of the run. On Android swap is zram: this is CPU time for "
        "compression, not disk.",
        "Make the working set smaller; close other apps before measuring.",
        place(View.SCHEDULING),
        fingerprint("sched-swap"),
        weight=17,
    )


def _one_thread(facts: SchedulingFacts, limits: Thresholds) -> Iterator[Finding]:
    """A pool whose work is done by one of its threads."""
    pools: dict[str, list[int]] = {}
    for row, name in enumerate(facts.names):
        # Threads that nobody named have the program's name: they need not be a pool.
        if pool_name(name) != name:
            pools.setdefault(pool_name(name), []).append(row)
    for name, rows in pools.items():
        runs = sorted(
            ((facts.threads[row].run_seconds or 0.0, row) for row in rows), reverse=True
        )
        if len(runs) < 3 or (facts.cpus or 2) < 2:
            continue
        (most, worst), rest = runs[0], [run for run, _ in runs[1:]]
        on_cpu = most + (facts.threads[worst].wait_seconds or 0.0)
        if (
            100 * on_cpu / facts.wall < limits.one_thread_percent
            or most < 4 * max(rest)
            or on_cpu < limits.starved_seconds
        ):
            continue
        yield Finding(
            "sched-one-thread",
            Severity.WARNING,
            f"One thread does the work of {plural(len(runs), 'thread')}",
            f"Of {visible(name, 40)}'s threads one (tid {facts.threads[worst].tid}) ran "
            f"{most:.1f} s of {facts.wall:.1f} s, the next {rest[0]:.1f} s: the others have "
            "nothing to do.",
            "Split the work into more, smaller pieces, or take what serialises out of it.",
            place(View.SCHEDULING, thread=facts.threads[worst].tid),
            fingerprint("sched-one-thread", pool_name(name)),
            weight=13,
        )


def _hot(facts: SchedulingFacts, limits: Thresholds) -> Iterator[tuple[int, float]]:
    """Threads that want a CPU much of the time, each with the share that it ran."""
    for row, thread in enumerate(facts.threads):
        ran = thread.run_seconds or 0.0
        wanted = ran + (thread.wait_seconds or 0.0)  # the same on a machine that others use
        if 100 * wanted / facts.wall >= limits.hot_thread_percent:
            yield row, 100 * ran / facts.wall


def _migrating(facts: SchedulingFacts, limits: Thresholds) -> Iterator[Finding]:
    for row, share in _hot(facts, limits):
        rate = facts.migrations[row] / facts.wall
        if rate < limits.migrations_per_second:
            continue
        yield Finding(
            "sched-migrations",
            Severity.WARNING
            if facts.capacities_differ and facts.is_own_load
            else Severity.INFO,
            f"{_thread(facts, row)} is moved between CPUs {rate:.0f} times a second",
            f"{facts.migrations[row]} changes of CPU were seen in {facts.wall:.1f} s (more "
            f"happen between samples), while it ran {share:.0f} % of the time: each begins "
            "with cold caches.",
            "Pin the heavy threads, or run no more of them than there are CPUs.",
            place(View.SCHEDULING, thread=facts.threads[row].tid),
            fingerprint("sched-migrations", pool_name(facts.names[row])),
            weight=8,
        )
        return


def _little(facts: SchedulingFacts, limits: Thresholds) -> Iterator[Finding]:
    for row, share in _hot(facts, limits):
        little = facts.on_little[row]
        if little is None or 100 * little < limits.little_core_percent:
            continue
        yield Finding(
            "sched-little-core",
            Severity.WARNING,
            f"{_thread(facts, row)} is hot, but runs on little cores",
            f"It ran {share:.0f} % of the time, in {100 * little:.0f} % of its samples on a "
            "CPU of less than three quarters of the largest one's capacity.",
            "Pin it to the big cores (sched_setaffinity), or give the app a foreground "
            "priority.",
            place(View.SCHEDULING, thread=facts.threads[row].tid),
            fingerprint("sched-little-core", pool_name(facts.names[row])),
            weight=15,
        )
        return


def _sampler(facts: SchedulingFacts, limits: Thresholds) -> Iterator[Finding]:
    cost = facts.cost_seconds
    share = 0.0 if cost is None else 100 * cost / facts.wall
    late = 100 * facts.late / max(1, facts.samples + facts.late)
    if share < limits.sampler_percent and late < 50:
        return
    costly = cost is not None and share >= limits.sampler_percent
    yield Finding(
        "sched-sampler",
        Severity.WARNING if costly and facts.is_own_load else Severity.INFO,
        f"Sampling itself took {share:.0f} % of a CPU"
        if costly
        else f"{late:.0f} % of the samples came late or not at all",
        f"{cost or 0.0:.2f} s of CPU time for {plural(facts.samples, 'sample')} in "
        f"{facts.wall:.1f} s; {facts.late} came late or not at all.",
        "Sample less often: --rate 2.",
        place(View.SCHEDULING),
        fingerprint("sched-sampler"),
        weight=4,
    )


def _unsteady(facts: SchedulingFacts, limits: Thresholds) -> Iterator[Finding]:
    import numpy as np

    use = np.nansum(facts.run, axis=0)
    half = len(use) // 2
    if half < 2 * _FEWEST_SAMPLES:
        return
    first, second = float(use[:half].mean()), float(use[half:].mean())
    larger = max(first, second)
    change = 100 * abs(first - second) / larger if larger > 0 else 0.0
    if change < limits.unsteady_percent or larger < limits.hot_thread_percent / 100:
        return
    yield Finding(
        "trust-unsteady",
        Severity.INFO,
        "The run is far from steady",
        f"The target used {100 * first:.0f} % of a CPU in the first half of its samples and "
        f"{100 * second:.0f} % in the second: means of the whole describe neither.",
        "Look at the curves, or record a part that is steady.",
        place(View.SCHEDULING),
        fingerprint("trust-unsteady"),
        weight=1,
    )
