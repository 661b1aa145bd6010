"""A SampleProfile as tables: one a scope, with a row a sample, CPU or thread."""

from dataclasses import asdict
from pathlib import Path

from collectors.records.samples import Column, Entity, SampleProfile, SampleTable, Scope
from collectors.records.shared import Damage
from profiler.tables.group import UNUSABLE, load_group, write_group

SCHEMA = 1
_VALUE = "value:"
_PLAIN = (
    "dialect", "interval_seconds", "started", "samples", "late", "missed", "cost_seconds",
    "online_cpus",
)  # fmt: skip


def write_sample_tables(folder: Path, name: str, raw: Path, profile: SampleProfile) -> None:
    """Write the tables of `profile`, which was read from `raw`. Raises `OSError`."""
    parts = {
        table.scope.value: {
            "time": table.time,
            "entity": table.entity,
            **{
                _VALUE + column.name: values
                for column, values in zip(table.columns, table.values, strict=True)
            },
        }
        for table in profile.tables
    }
    about = {
        "schema": SCHEMA,
        **{field: getattr(profile, field) for field in _PLAIN},
        "since_boot": None if profile.since_boot is None else dict(profile.since_boot),
        "damage": [asdict(damage) for damage in profile.damage],
        "tables": [
            {
                "scope": table.scope.value,
                "columns": [asdict(column) for column in table.columns],
                "entities": [asdict(entity) for entity in table.entities],
            }
            for table in profile.tables
        ],
    }
    write_group(folder, name, raw, {"samples": {}, **parts}, about)


def load_sample_tables(folder: Path, name: str, raw: Path) -> SampleProfile | None:
    """The profile from its tables; None where they are missing, damaged or not of `raw`."""
    try:
        tables, about = load_group(folder, name, raw, "samples", SCHEMA)
        found: list[SampleTable] = []
        for entry in about["tables"]:
            columns = tables[entry["scope"]].columns
            described = tuple(Column(**column) for column in entry["columns"])
            found.append(
                SampleTable(
                    Scope(entry["scope"]),
                    described,
                    tuple(Entity(**entity) for entity in entry["entities"]),
                    columns["time"],
                    columns["entity"],
                    tuple(columns[_VALUE + column.name] for column in described),
                )
            )
        return SampleProfile(
            tables=tuple(found),
            since_boot=about["since_boot"],
            damage=tuple(Damage(**damage) for damage in about["damage"]),
            **{field: about[field] for field in _PLAIN},
        )
    except UNUSABLE:
        return None  # derived from raw: the caller reads that
