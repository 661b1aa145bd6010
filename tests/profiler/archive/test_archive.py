"""An archive of sessions imported from real outputs, asked by DuckDB and by others."""

# pyright: basic

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.dataset  # type: ignore[import-untyped]
import pytest

from collectors.errors import UsageError
from profiler.archive.database import Database
from profiler.archive.layout import TABLES, Archive
from profiler.archive.opening import open_archive
from profiler.archive.update import archive_of
from profiler.importing import import_files
from profiler.manifest import manifest_to_json
from profiler.store import MANIFEST_FILE, open_session
from profiler.summary import summarise
from tests.conftest import DATA

OUTPUTS = (
    "memcheck/3.19-x86_64/memcheck-bugs.xml",
    "cachegrind/3.19-x86_64/cachegrind.sort-cache.out",
    "massif/3.19-x86_64/massif.heap.out",
)


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sessions of the same outputs, two builds."""
    root = tmp_path_factory.mktemp("archive")
    for build in ("1", "1", "2"):
        import_files([DATA / name for name in OUTPUTS], root, labels={"build": build})
    return root


@pytest.fixture
def database(sessions: Path) -> Iterator[Database]:
    with open_archive(sessions) as (opened, updated):
        assert updated.failed == ()
        yield opened


def test_a_second_look_adds_nothing(sessions: Path, database: Database) -> None:
    assert database.ask("SELECT count(*) FROM sessions").rows == [(3,)]
    with open_archive(sessions) as (_, updated):
        assert updated.added == 0


def test_figures_are_those_of_the_summary(sessions: Path, database: Database) -> None:
    session = open_session(min(p.parent for p in sessions.glob(f"*/{MANIFEST_FILE}")))
    summary = summarise(session)
    (row,) = database.ask(
        "SELECT sum(Ir), sum(D1mr), count(*) FROM functions WHERE session = ?", [session.id]
    ).rows
    events = summary["cachegrind"]["events"]
    assert row == (events["Ir"], events["D1mr"], summary["cachegrind"]["functions"])
    kinds = database.ask(
        "SELECT kind, count(*) FROM errors WHERE session = ? GROUP BY kind", [session.id]
    ).rows
    assert dict(kinds) == summary["memcheck"]["by_kind"]
    (peak,) = database.ask(
        "SELECT max(heap_bytes + extra_bytes + stacks_bytes) FROM heap WHERE session = ?",
        [session.id],
    ).rows
    assert peak == (summary["massif"]["peak"]["total_bytes"],)
    assert database.ask(
        "SELECT value FROM metrics WHERE metric = 'peak_heap' AND session = ?", [session.id]
    ).rows == [(float(peak[0]),)]


def test_a_changed_session_is_read_anew_and_a_deleted_one_stays(tmp_path: Path) -> None:
    session = import_files([DATA / OUTPUTS[2]], tmp_path, labels={"build": "1"})
    with open_archive(tmp_path) as (_, updated):
        assert updated.added == 1
    changed = replace(session.manifest, labels={"build": "2"})
    file = session.directory / MANIFEST_FILE
    file.write_text(json.dumps(manifest_to_json(changed)))
    with open_archive(tmp_path) as (opened, updated):
        assert updated.added == 1
        assert opened.ask("SELECT build FROM sessions").rows == [("2",)]
    session.directory.rename(tmp_path / "elsewhere")
    file.unlink(missing_ok=True)
    with open_archive(tmp_path) as (opened, _):
        assert opened.ask("SELECT count(*) FROM sessions").rows == [(1,)]


def test_a_broken_session_is_named_and_the_others_are_there(tmp_path: Path) -> None:
    import_files([DATA / OUTPUTS[2]], tmp_path)
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / MANIFEST_FILE).write_text("{")
    with open_archive(tmp_path) as (opened, updated):
        ((directory, reason),) = updated.failed
        assert directory == broken
        assert "not JSON" in reason
        assert opened.ask("SELECT count(*) FROM sessions").rows == [(1,)]


def test_an_empty_folder_has_empty_tables(tmp_path: Path) -> None:
    with open_archive(tmp_path) as (opened, _):
        for table, columns in TABLES.items():
            answer = opened.ask(f"SELECT * FROM {table}")  # noqa: S608
            assert answer.rows == []
            assert answer.columns == (*columns, "day")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "COPY (SELECT 1) TO '/tmp/droidgrind-must-not-be-there.csv'",
        "ATTACH '/tmp/droidgrind-must-not-be-there.db'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "DROP TABLE sessions",
        "SELECT 1; SELECT 2",
    ],
)
def test_a_query_reaches_nothing_else(database: Database, sql: str) -> None:
    with pytest.raises(UsageError, match="the query was not answered: "):
        database.ask(sql)
    assert not list(Path("/tmp").glob("droidgrind-must-not-be-there*"))


def test_wrong_sql_is_answered_in_one_line(database: Database) -> None:
    with pytest.raises(UsageError) as caught:
        database.ask("SELECT nothing FROM sessions")
    assert "\n" not in str(caught.value)
    assert "nothing" in str(caught.value)
    with pytest.raises(UsageError, match=r"metrcs does not exist! Did you mean \"metrics\"\?$"):
        database.ask("SELECT * FROM metrcs")


def test_what_asks_is_answered_however_it_is_written(database: Database) -> None:
    for sql in ("FROM sessions", "DESCRIBE sessions", "SHOW TABLES", "EXPLAIN SELECT 1"):
        assert database.ask(sql).rows


def test_hostile_names_are_data(tmp_path: Path) -> None:
    raw = tmp_path / "cachegrind.1.out"
    raw.write_bytes(
        b"desc: x\ncmd: ./a'; DROP TABLE sessions\nevents: Ir\n"
        b"fl=/tmp/\xff'.c\nfn='; DELETE FROM functions; --\n1 7\nsummary: 7\n"
    )
    import_files([raw], tmp_path / "s'essions", labels={"build": "'; --"})
    with open_archive(tmp_path / "s'essions") as (opened, updated):
        assert updated.failed == ()
        assert opened.ask("SELECT function, Ir FROM functions").rows == [
            ("'; DELETE FROM functions; --", 7)
        ]
        assert opened.ask("SELECT build FROM sessions").rows == [("'; --",)]


def test_numbers_too_large_for_a_column_are_not_measured(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    row = ["s", "cachegrind", "f", "a.c", None, *[1 << 70] * 13]
    with Database(archive) as database:
        database.write("functions", [tuple(row)], archive.file("functions", "", "s"))
        database.open_views()
        assert database.ask("SELECT function, object, Ir FROM functions").rows == [
            ("f", None, None)
        ]


def test_another_engine_reads_the_same_files(sessions: Path, database: Database) -> None:
    archive = archive_of(sessions)
    expected = database.ask(
        "SELECT metric, sum(value) FROM metrics GROUP BY metric ORDER BY metric"
    ).rows
    data = pyarrow.dataset.dataset(archive.root / "metrics", partitioning="hive")
    assert {"day", "session", "metric", "value"} <= set(data.schema.names)
    sums = data.to_table().group_by("metric").aggregate([("value", "sum")]).to_pylist()
    assert sorted((row["metric"], row["value_sum"]) for row in sums) == expected


def test_archives_of_several_machines_are_one_data_set(
    sessions: Path, database: Database, tmp_path: Path
) -> None:
    archive = archive_of(sessions)
    for machine in ("rack1", "rack2"):  # with the same ids
        for table in ("metrics", "sessions"):
            shutil.copytree(archive.root / table, tmp_path / table / f"machine={machine}")
    metrics, found = (
        pyarrow.dataset.dataset(tmp_path / table, partitioning="hive").to_table()
        for table in ("metrics", "sessions")
    )
    assert {"machine", "day"} <= set(metrics.schema.names)
    ((rows,),) = database.ask("SELECT count(*) FROM metrics").rows
    keys = ["machine", "session"]
    assert metrics.join(found.select([*keys, "build"]), keys).num_rows == 2 * rows


def test_spark_reads_the_same_files(sessions: Path, database: Database) -> None:
    """Opt-in: `pip install --group spark`, and a Java (Debian: default-jre-headless)."""
    spark_sql: Any = pytest.importorskip("pyspark.sql")
    if shutil.which("java") is None:
        pytest.skip("java is not installed")
    archive = archive_of(sessions)
    builder = spark_sql.SparkSession.builder.master("local[1]")
    for key, value in (("ui.enabled", "false"), ("driver.host", "127.0.0.1")):
        builder = builder.config(f"spark.{key}", value)
    spark = builder.getOrCreate()
    try:
        for table in TABLES:
            rows = database.ask(f"SELECT count(*) FROM {table}").rows  # noqa: S608
            if (archive.root / table).exists():
                found = spark.read.parquet(str(archive.root / table))
                found.createOrReplaceTempView(table)
                assert rows == [(found.count(),)]
            else:
                assert rows == [(0,)]
        asked = (
            "SELECT s.build, m.metric, avg(m.value), count(DISTINCT m.day) FROM metrics m "
            "JOIN sessions s USING (session) GROUP BY s.build, m.metric ORDER BY 1, 2"
        )
        assert [tuple(row) for row in spark.sql(asked).collect()] == database.ask(asked).rows
    finally:
        spark.stop()


def test_session_ids_never_leave_the_archive() -> None:
    archive = Archive(Path("/a"))
    file = archive.file("heap", "nonsense", "../../.etc/passwd")
    assert file == Path("/a/heap/day=1970-01-01/_.._.etc_passwd.parquet")
