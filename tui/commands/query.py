"""droidgrind query"""

import argparse

from tui.commands import options


class QueryCommand:
    """Ask all stored sessions a question in SQL.

    Tables: sessions, metrics, functions, errors, heap, threads (docs/archive.md has their
    columns). Sessions that are new are added to the archive first. Needs DuckDB
    (`pip install duckdb`).
    """

    name = "query"
    example = "droidgrind query 'SELECT metric,max(value) FROM metrics GROUP BY metric'"

    def configure(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("sql", metavar="SQL", help="one SQL statement, DuckDB's dialect")
        options.add_sessions(parser)
        options.add_json(parser)
        parser.add_argument("--csv", action="store_true", help="print CSV")

    def run(self, args: argparse.Namespace) -> int:
        from collectors.errors import UsageError
        from profiler.archive.opening import open_archive
        from profiler.store import sessions_root
        from tui.archive_text import tell_progress, warn_of_failures
        from tui.text import print_csv, print_json, print_table

        if args.json and args.csv:
            raise UsageError("choose one of --json and --csv")
        with open_archive(sessions_root(args.sessions), tell_progress()) as (database, updated):
            warn_of_failures(updated)
            answer = database.ask(args.sql)
        if args.json:
            print_json([dict(zip(answer.columns, row, strict=True)) for row in answer.rows])
        elif args.csv:
            print_csv(answer.columns, answer.rows)
        else:
            numeric = [
                place
                for place in range(len(answer.columns))
                if any(isinstance(row[place], int | float) for row in answer.rows)
            ]
            cells = [[_written(value) for value in row] for row in answer.rows]
            print_table(answer.columns, cells, right=numeric)
        return 0


def _written(value: object) -> str:
    """A value in a table, in six figures. Metrics are floats, also those that count bytes."""
    if value is None:
        return "–"
    if not isinstance(value, float):
        return str(value)
    whole = value.is_integer() or abs(value) >= 1e6  # else `1.23457e+06`
    return f"{value:.0f}" if whole else f"{value:.6g}"


COMMAND = QueryCommand()
