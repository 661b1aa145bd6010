"""DuckDB over an archive: one view a table, and nothing else within reach."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collectors.errors import InputError, UsageError
from profiler.archive.layout import TABLES, Archive, Row
from profiler.extras import not_installed

if TYPE_CHECKING:
    import duckdb


_ROWS_AT_ONCE = 1 << 14  # as Python's objects; DuckDB holds them in a fraction of that
_SMALL = ("sessions", "metrics")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gave: names of the columns, and the rows."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def load_duckdb() -> Any:
    """The module. Raises `UsageError` with the remedy where it is not installed."""
    try:
        import duckdb
    except ImportError as error:
        raise not_installed("DuckDB", "duckdb") from error
    return duckdb


class Database:
    """A connection in memory; close it, or use it in a `with`."""

    def __init__(self, archive: Archive) -> None:
        self._engine = load_duckdb()
        self._archive = archive
        self._connection: duckdb.DuckDBPyConnection = self._engine.connect()
        # Thousands of small files: more threads cost twice the time and save none.
        self._connection.execute("SET threads = 1")
        self._stored: set[str] = set()

    def __enter__(self) -> "Database":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def write(self, table: str, rows: Iterable[Row], file: Path) -> None:
        """Write rows as one Parquet file, whole or not at all.

        A number that its column cannot hold becomes NULL.
        """
        unfinished = file.with_name(f".{file.name}.new")
        columns = ", ".join(f'"{name}" {kind}' for name, kind in TABLES[table].items())
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot write {file}: {error.strerror}") from error
        try:
            self._connection.execute(f"CREATE TEMP TABLE outgoing ({columns})")
            waiting = iter(rows)
            while some := list(islice(waiting, _ROWS_AT_ONCE)):
                self._insert(table, some)
            self._connection.execute(
                f"COPY outgoing TO '{_quoted(unfinished)}' (FORMAT parquet, COMPRESSION zstd)"
            )
            unfinished.replace(file)
        except (self._engine.Error, OSError) as error:
            raise InputError(f"cannot write {file}: {_first_line(error)}") from error
        finally:
            self._forget(table)
            self._connection.execute("DROP TABLE IF EXISTS outgoing")
            unfinished.unlink(missing_ok=True)

    def _insert(self, table: str, rows: Sequence[Row]) -> None:
        import numpy as np

        columns = TABLES[table]
        values: dict[str, Any] = {}
        for place, name in enumerate(columns):
            column = np.empty(len(rows), dtype=object)
            column[:] = [_plain(row[place]) for row in rows]
            values[name] = column
        typed = ", ".join(f'TRY_CAST("{name}" AS {kind})' for name, kind in columns.items())
        self._connection.register("incoming", values)
        try:
            self._connection.execute(
                f"INSERT INTO outgoing SELECT {typed} FROM incoming"  # noqa: S608
            )
        finally:
            self._connection.unregister("incoming")

    def _forget(self, table: str) -> None:
        """Read the table anew when it is next asked for: its files have changed."""
        if table in self._stored:
            self._connection.execute(f"DROP TABLE {table}")
            self._stored.discard(table)

    def stamps(self) -> set[str]:
        """The stamps of the sessions that the archive holds."""
        self._define("sessions", stored=True)
        return {
            row[0] for row in self._connection.execute("SELECT stamp FROM sessions").fetchall()
        }

    def open_views(self) -> None:
        """Define every table, then shut everything else out: files, network, settings."""
        for table in TABLES:
            # Small tables are asked several times, and opening their files is what takes time.
            self._define(table, stored=table in _SMALL)
        root = _quoted(self._archive.root.resolve())
        for setting in (
            "RESET threads",
            f"SET allowed_directories = ['{root}']",
            "SET enable_external_access = false",
            "SET lock_configuration = true",
        ):
            self._connection.execute(setting)

    def ask(self, sql: str, values: Sequence[object] = ()) -> Answer:
        """Run one query. Raises `UsageError` with DuckDB's own words, or for what is none."""
        try:
            self._refuse_other_than_queries(sql)
            cursor = self._connection.execute(sql, list(values))
            described = cursor.description
            rows = cursor.fetchall()
        except self._engine.Error as error:
            raise UsageError(f"the query was not answered: {_first_line(error)}") from error
        return Answer(tuple(str(column[0]) for column in described or ()), rows)

    def _refuse_other_than_queries(self, sql: str) -> None:
        """The tables are made from the sessions: a change of them would be lost at once."""
        kinds = self._engine.StatementType
        statements = self._connection.extract_statements(sql)
        if len(statements) != 1:
            raise UsageError(
                f"the query was not answered: write one statement, not {len(statements)}"
            )
        if statements[0].type not in {kinds.SELECT, kinds.EXPLAIN, kinds.MULTI}:
            raise UsageError(
                f"the query was not answered: {statements[0].type.name} is none: write SELECT, "
                "DESCRIBE, SHOW or EXPLAIN; sessions are not changed from here"
            )

    def _define(self, table: str, *, stored: bool) -> None:
        if table in self._stored:
            return
        columns = TABLES[table]
        empty = ", ".join(f'CAST(NULL AS {kind}) AS "{name}"' for name, kind in columns.items())
        source = f"(SELECT {empty}, CAST(NULL AS DATE) AS day WHERE false)"
        if self._archive.has(table):
            pattern = _quoted(self._archive.root.resolve() / table / "*" / "*.parquet")
            files = f"read_parquet('{pattern}', hive_partitioning = true"
            if table == "sessions":
                # Files of sessions that are gone by now may lack columns that came later.
                source += f" UNION ALL BY NAME FROM {files}, union_by_name = true)"
            else:
                source = f"{files})"
        kind = "TABLE" if stored else "VIEW"
        self._connection.execute(
            f"CREATE OR REPLACE {kind} {table} AS SELECT * FROM {source}"  # noqa: S608
        )
        if stored:
            self._stored.add(table)


def _plain(value: object) -> object:
    """Texts without lone surrogates (bytes that were no UTF-8), which no database takes."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    return value


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _first_line(error: BaseException) -> str:
    """What went wrong in one line; DuckDB goes on with what was meant, and a picture."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    meant = next((f" {line}" for line in lines[1:] if line.startswith("Did you mean")), "")
    return lines[0] + meant if lines else type(error).__name__
