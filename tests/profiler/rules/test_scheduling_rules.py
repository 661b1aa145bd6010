"""Scheduling rules on profiles made by hand: swap, heat, storage and big.LITTLE cannot be
caused on a test machine, and a rule's severity must not depend on who else uses it."""

from array import array
from collections.abc import Callable, Iterator

import pytest

from collectors.devices.device import Cpu, DeviceFacts
from collectors.devices.thermal import Thermal
from collectors.records.samples import Column, Entity, SampleProfile, SampleTable, Scope
from profiler.finding import Finding, Severity
from profiler.manifest import Manifest, NativeRun, State, TargetEntry
from profiler.own_code import OwnCode
from profiler.rules.context import Context
from profiler.rules.scheduling import pool_name, scheduling_findings
from profiler.thresholds import Thresholds

SAMPLES = 50
STEP = 0.1
WALL = (SAMPLES - 1) * STEP
Value = float | Callable[[float, int], float]


def table(
    scope: Scope, entities: list[Entity], columns: dict[str, Value], levels: set[str]
) -> SampleTable:
    """One row a moment and entity; a number is a cumulative column's growth a second."""

    def cell(name: str, value: Value, time: float, entity: int) -> float:
        if callable(value):
            return value(time, entity)
        return value if name in levels else value * time

    moments = [(i * STEP, e) for i in range(SAMPLES) for e in range(len(entities))]
    return SampleTable(
        scope,
        tuple(Column(name, "", "", cumulative=name not in levels) for name in columns),
        entities,
        memoryview(array("d", [time for time, _ in moments])),
        memoryview(array("i", [entity for _, entity in moments])),
        tuple(
            memoryview(array("d", [cell(name, value, *moment) for moment in moments]))
            for name, value in columns.items()
        ),
    )


def schedstat(
    names: tuple[str, ...] = ("main",),
    cpus: tuple[Entity, ...] = (Entity(0), Entity(1)),
    *,
    cost: float = 0.01,
    **columns: Value,
) -> SampleProfile:
    """A quiet target, half busy on an otherwise idle machine, but for what is given."""
    values: dict[str, Value] = {
        "run_seconds": 0.5,
        "wait_seconds": 0.01,
        "user_seconds": 0.45,
        "system_seconds": 0.05,
        "voluntary": 20.0,
        "involuntary": 2.0,
        "cpu": 0.0,
        "cpu_user": 0.27,
        "cpu_system": 0.03,
        "cpu_idle": 0.7,
        "cpu_iowait": 0.0,
        "khz": 2_000_000.0,
        "running": 1.0,
        "blocked": 0.0,
        **columns,
    }

    def chosen(*wanted: str) -> dict[str, Value]:
        return {name: values[name] for name in wanted}

    threads = table(
        Scope.THREAD,
        [Entity(100 + i, name, 100) for i, name in enumerate(names)],
        chosen(
            *("run_seconds", "wait_seconds", "user_seconds", "system_seconds"),
            *("voluntary", "involuntary", "cpu"),
        ),
        {"cpu"},
    )
    of_cpus = table(
        Scope.CPU,
        list(cpus),
        {
            "user_seconds": values["cpu_user"],
            "system_seconds": values["cpu_system"],
            "idle_seconds": values["cpu_idle"],
            "iowait_seconds": values["cpu_iowait"],
            "khz": values["khz"],
        },
        {"khz"},
    )
    system = table(
        Scope.SYSTEM, [Entity(0)], chosen("running", "blocked"), {"running", "blocked"}
    )
    return SampleProfile(
        "proc",
        STEP,
        (threads, of_cpus, system),
        samples=SAMPLES,
        cost_seconds=cost,
        online_cpus=len(cpus),
    )


def context(thresholds: Thresholds | None = None, thermal: tuple[Thermal, ...] = ()) -> Context:
    manifest = Manifest(
        "x",
        State.COMPLETE,
        "2026-11-24T12:00:00+00:00",
        "1",
        TargetEntry(("./app",)),
        DeviceFacts("local", cpus=(Cpu(0), Cpu(1))),
        native=NativeRun(0, WALL, 2.0, thermal=thermal),
    )
    return Context(manifest, thresholds or Thresholds(), OwnCode())


def found(*profiles: SampleProfile, thresholds: Thresholds | None = None) -> dict[str, Finding]:
    named = {f"tool{i}": profile for i, profile in enumerate(profiles)}
    return {f.rule: f for f in scheduling_findings(named, context(thresholds))}


def vmstat(si: float) -> SampleProfile:
    system = table(Scope.SYSTEM, [Entity(0)], {"si": si, "so": si}, {"si", "so"})
    return SampleProfile("procps", 1.0, (system,), samples=SAMPLES)


WORKERS = tuple(f"worker-{i}" for i in range(6))
BIG_LITTLE = (Entity(0, capacity=300), Entity(1, capacity=1024))
CASES = {
    "sched-pool": schedstat(
        WORKERS, run_seconds=0.33, wait_seconds=0.6, cpu_user=1.0, cpu_idle=0.0
    ),
    "sched-saturated": schedstat(
        WORKERS[:2], running=3.5, run_seconds=0.9, wait_seconds=0.1, cpu_user=0.9, cpu_idle=0.1
    ),
    "sched-starved": schedstat(run_seconds=0.5, wait_seconds=0.45),
    "sched-busy-machine": schedstat(run_seconds=0.1, cpu_user=0.9, cpu_idle=0.1),
    "sched-system-time": schedstat(user_seconds=0.2, system_seconds=0.3),
    "sched-io-wait": schedstat(
        run_seconds=0.1, cpu_user=0.05, cpu_idle=0.35, cpu_iowait=0.6, blocked=1.0
    ),
    "sched-switches": schedstat(voluntary=30_000.0),
    "sched-one-thread": schedstat(
        WORKERS, run_seconds=lambda time, thread: 0.0 if thread else 0.95 * time
    ),
    "sched-migrations": schedstat(cpu=lambda time, thread: round(time / STEP) % 2),
    "sched-little-core": schedstat(cpus=BIG_LITTLE, cpu=0.0),
    "sched-capped": schedstat(
        cpus=(Entity(0, max_khz=3_000_000), Entity(1, max_khz=3_000_000)),
        cpu_user=0.95,
        run_seconds=1.0,
        khz=1_500_000.0,
    ),
    "sched-sampler": schedstat(cost=1.0),
    "trust-unsteady": schedstat(run_seconds=lambda time, thread: 0.9 * max(0.0, time - 2.5)),
}


def test_a_quiet_target_has_no_finding() -> None:
    assert found(schedstat()) == {}
    assert found(schedstat(), vmstat(10.0)) == {}


@pytest.mark.parametrize("rule", CASES)
def test_each_rule_sees_its_case(rule: str) -> None:
    findings = found(CASES[rule])
    assert rule in findings
    quiet = {"sched-busy-machine", "sched-migrations", "trust-unsteady"}
    assert findings[rule].severity is (Severity.INFO if rule in quiet else Severity.WARNING)


def test_heat_is_told_by_android_where_clocks_are_not() -> None:
    def capped(status: str, *profiles: SampleProfile) -> Finding | None:
        hot = context(thermal=(Thermal("none"), Thermal(status, 71.0, "CPU2")))
        named = {f"tool{i}": profile for i, profile in enumerate(profiles)}
        return {f.rule: f for f in scheduling_findings(named, hot)}.get("sched-capped")

    assert capped("light", schedstat()) is None
    alone = capped("severe", schedstat())
    assert alone is not None
    assert "thermal status was severe after it" in alone.evidence
    both = capped("severe", CASES["sched-capped"])
    assert both is not None
    assert "1.50 GHz of 3.00 GHz" in both.evidence
    assert "thermal status was severe after it" in both.evidence


def test_swap_is_seen_by_vmstat() -> None:
    assert found(schedstat(), vmstat(3_000.0))["sched-swap"].severity is Severity.WARNING


def test_waiting_for_other_programs_is_no_warning() -> None:
    crowded = schedstat(run_seconds=0.2, wait_seconds=0.7, cpu_user=0.95, cpu_idle=0.0)
    findings = found(crowded)
    assert findings["sched-starved"].severity is Severity.INFO
    assert "other programs" in findings["sched-starved"].evidence


def test_a_queue_of_other_programs_tasks_is_no_warning() -> None:
    busy = found(schedstat(running=5.0, run_seconds=1.0, cpu_user=0.6))["sched-saturated"]
    assert busy.severity is Severity.INFO
    assert "1.0 of them are its own" in busy.evidence


def test_a_pool_too_large_explains_the_waiting() -> None:
    findings = found(CASES["sched-pool"])
    assert findings["sched-starved"].severity is Severity.INFO
    assert "worker" in findings["sched-pool"].evidence


def test_a_big_core_is_no_little_one() -> None:
    assert "sched-little-core" not in found(schedstat(cpus=BIG_LITTLE, cpu=1.0))


def test_a_short_run_is_not_judged() -> None:
    limits = Thresholds(shortest_run=60.0)
    assert all(not found(case, thresholds=limits) for case in CASES.values())


def test_pools_are_known_by_their_names() -> None:
    def names() -> Iterator[str]:
        yield from ("omp-worker-3", "Thread #12", "pool_7", "RenderThread", "7")

    assert [pool_name(name) for name in names()] == [
        "omp-worker",
        "Thread",
        "pool",
        "RenderThread",
        "7",
    ]
