"""Metrics of a real recording, and the names that a person types."""

from pathlib import Path

import pytest

from collectors.errors import UsageError
from profiler import record, summarise
from profiler.metrics import MEANINGS, Unit, metric_name, session_metrics
from tests.conftest import Build

PROGRAM = """
#include <cstdlib>
#include <cstring>
int main() {
  char *kept = static_cast<char *>(std::malloc(1 << 20));
  std::memset(kept, 1, 1 << 20);
  int sum = 0;
  for (int i = 0; i < 1 << 20; i += 64) sum += kept[i];
  return kept[4096] + (sum & 1) == 1 ? 0 : 1;
}
"""


@pytest.mark.valgrind
def test_metrics_are_the_figures_of_the_summary(build: Build, tmp_path: Path) -> None:
    session = record([str(build("lose", PROGRAM))], sessions=tmp_path)
    summary = summarise(session)
    found = {(metric.tool, metric.name): metric for metric in session_metrics(session)}
    assert found["memcheck", "errors"].value == summary["memcheck"]["errors"]
    lost = summary["memcheck"]["leaks"]["still_reachable"]["bytes"]
    assert found["memcheck", "still_reachable"].value == lost
    assert found["cachegrind", "Ir"].value == summary["cachegrind"]["events"]["Ir"]
    assert 0 < found["cachegrind", "d1_miss"].value < 100
    peak = found["massif", "peak_heap"]
    assert (peak.value, peak.unit) == (summary["massif"]["peak"]["total_bytes"], Unit.BYTES)
    assert found["massif", "peak_useful"].value >= 1 << 20
    assert found["native", "wall_time"].value == summary["native"]["wall_seconds"]
    known = {name for _, name in found if name in MEANINGS}
    assert {"run_time", "d1_miss", "ll_miss", "branch_miss"} <= known


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("ir", "Ir"),
        ("PEAK-HEAP", "peak_heap"),
        ("InvalidRead", "InvalidRead"),
        ("race", "Race"),
    ],
)
def test_names_as_a_person_types_them(word: str, name: str) -> None:
    assert metric_name(word) == name


def test_unknown_name_brings_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no metric 'peak_hep'; did you mean peak_heap\?"):
        metric_name("peak_hep")


def test_a_misspelt_kind_is_no_limit_that_always_holds() -> None:
    for word, meant in (("InvalidRaed", "InvalidRead"), ("Irr", "Ir")):
        with pytest.raises(UsageError, match=rf"'{word}'; did you mean {meant}\?"):
            metric_name(word)
    assert metric_name("BadTagCheck") == "BadTagCheck"  # of a Valgrind that is to come


def test_every_metric_is_documented() -> None:
    text = Path("docs/metrics.md").read_text(encoding="utf-8")
    assert [name for name in MEANINGS if f"`{name}`" not in text] == []
