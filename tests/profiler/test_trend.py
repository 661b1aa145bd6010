"""Trends over sessions imported from real outputs of several builds."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from collectors.errors import UsageError
from profiler.archive.database import Database
from profiler.archive.opening import open_archive
from profiler.importing import import_files
from profiler.manifest import TargetEntry
from profiler.metrics import Unit
from profiler.report.trend import render_trend
from profiler.session_writer import SessionWriter
from profiler.trend import Question, Trend, TrendPoint, ask_trend, written
from tests.conftest import DATA
from tui.cli import main
from tui.trend_text import sparkline

# Peaks of these: 1,862,888 and 1,838,096 bytes of the same program; 922,248 of sort.
HEAP = DATA / "massif/3.19-x86_64/massif.heap.out"
SMALLER = DATA / "massif/3.19-x86_64/massif.heap-allocfn.out"
SORT = DATA / "massif/3.19-x86_64/massif.sort.out"


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("trend")
    for file, build in ((SORT, "0"), (HEAP, "a"), (HEAP, "a"), (SMALLER, "b<i>")):
        import_files([file], root, labels={"build": build, "branch": "main"})
    return root


@pytest.fixture
def database(sessions: Path) -> Iterator[Database]:
    with open_archive(sessions) as (opened, _):
        yield opened


def test_groups_are_builds_of_the_newest_sessions_program(database: Database) -> None:
    trend = ask_trend(database, Question("Peak-Heap"))
    assert (trend.metric, trend.unit, trend.tool) == ("peak_heap", Unit.BYTES, "massif")
    assert trend.others == ("sort",)
    assert trend.points == (
        TrendPoint("a", 2, 1_862_888, 1_862_888, 1_862_888),
        TrendPoint("b<i>", 1, 1_838_096, 1_838_096, 1_838_096),
    )
    assert trend.change_percent == pytest.approx(-1.3308, abs=1e-3)


def test_program_and_label_can_be_chosen(database: Database) -> None:
    trend = ask_trend(database, Question("peak_heap", by="branch", program="sort"))
    assert trend.points == (TrendPoint("main", 1, 922_248, 922_248, 922_248),)
    assert trend.change_percent is None


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (Question("peak_hep"), "did you mean peak_heap"),
        (Question("Ir"), "no stored session measured Ir"),
        (
            Question("peak_heap", by="biuld"),
            r"by 'biuld' \(did you mean build\?\): choose from",
        ),
        (Question("peak_heap", program="none"), "no session of 'none' measured peak_heap"),
        (Question("peak_heap", tool="dhat"), "no session fits"),
        (Question("peak_heap", by="x' OR '1"), "cannot be grouped by"),
    ],
)
def test_questions_without_an_answer(
    database: Database, question: Question, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        ask_trend(database, question)


def test_command_prints_table_json_and_page(
    sessions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["trend", "peak_heap", "--sessions", str(sessions)]
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "-1.3 % from first to last" in text
    assert "other programs: sort (--program chooses)" in text
    assert main([*words, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [point["group"] for point in document["points"]] == ["a", "b<i>"]
    page = tmp_path / "trend.html"
    assert main([*words, "-o", str(page)]) == 0
    assert capsys.readouterr().out.strip() == str(page)
    html = page.read_text(encoding="utf-8")
    assert "b&lt;i&gt;" in html
    assert "<i>" not in html.partition("<body>")[2].partition("<script")[0]
    assert main([*words, "-o", str(page)]) == 2
    assert "use --force" in capsys.readouterr().err


def test_query_prints_table_json_and_csv(
    sessions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sql = "SELECT build, 1e0 AS n, '=cmd' AS f, NULL AS x FROM sessions ORDER BY build LIMIT 1"
    words = ["query", sql, "--sessions", str(sessions)]
    assert main([*words, "--csv"]) == 0
    assert capsys.readouterr().out == "build,n,f,x\n0,1.0,'=cmd,\n"
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"build": "0", "n": 1, "f": "=cmd", "x": None}
    ]
    assert main(words) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["0", "1", "=cmd", "–"]
    assert main([*words, "--csv", "--json"]) == 2


def test_fractions_in_a_table_have_six_figures(
    sessions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sql = "SELECT 0.1e0+0.2e0 AS a, 1234567.25e0 AS b, 5e0/2 AS c, 2e-9 AS d, 1e0/0 AS e"
    words = ["query", sql, "--sessions", str(sessions)]
    assert main(words) == 0
    row = capsys.readouterr().out.splitlines()[1].split()
    assert row == ["0.3", "1234567", "2.5", "2e-09", "inf"]
    assert main([*words, "--csv"]) == 0
    assert "0.30000000000000004,1234567.25" in capsys.readouterr().out


def test_what_makes_sessions_no_trend_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = (((), 0), (("300",), 0), (("3", "abort"), 134))
    for day, (words, status) in enumerate(runs, start=1):
        session = import_files([HEAP], tmp_path, labels={"build": "1"})
        (entry,) = session.captures
        manifest = replace(
            session.manifest,
            created=f"2026-11-0{day}T10:00:00+00:00",
            target=TargetEntry(("./engine", *words)),
            captures=(replace(entry, exit_status=status),),
        )
        SessionWriter(session.directory, manifest).save(manifest)
    asked = ["trend", "peak_heap", "--sessions", str(tmp_path)]
    assert main(asked) == 0
    said = capsys.readouterr().out
    assert "different arguments: none, 300, 3 abort (--by target tells them apart)" in said
    assert "1 of 3 sessions was cut off, or its program failed or crashed" in said
    assert main([*asked, "--by", "target"]) == 0
    said = capsys.readouterr().out
    assert "./engine 3 abort         1" in said
    assert "different arguments" not in said


def test_an_archive_keeps_sessions_of_older_versions(tmp_path: Path) -> None:
    session = import_files([HEAP], tmp_path, labels={"build": "1"})
    with open_archive(tmp_path):
        pass
    (file,) = (tmp_path / "archive/sessions").glob("*/*.parquet")
    old = pq.read_table(file).drop_columns(["exit_status"])
    pq.write_table(old, file)
    shutil.rmtree(session.directory)
    with open_archive(tmp_path) as (database, _):
        assert ask_trend(database, Question("peak_heap")).failed == 0


def test_page_is_the_same_each_time() -> None:
    points = (TrendPoint("a", 1, 1.0, 1.0, 1.0), TrendPoint("b", 2, 2.0, 1.0, 3.0))
    trend = Trend("Ir", Unit.COUNT, "cachegrind", "build", None, (), points)
    assert render_trend(trend) == render_trend(trend)


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        (Unit.BYTES, 1_862_888, "1.78 MiB"),
        (Unit.COUNT, 1_234_567, "1,234,567"),
        (Unit.COUNT, 2.5, "2.50"),
        (Unit.SECONDS, 0.1234, "0.123 s"),
        (Unit.PERCENT, 12.34, "12.3 %"),
    ],
)
def test_values_as_people_read_them(unit: Unit, value: float, text: str) -> None:
    assert written(unit, value) == text


def test_sparkline_shows_least_and_most() -> None:
    assert sparkline([1, 2, 3], ascii_only=False) == "▁▅█"
    assert sparkline([1, 1], ascii_only=True) == "++"
