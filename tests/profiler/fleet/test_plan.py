"""Plans as people write them, and what is wrong with some."""

from pathlib import Path

import pytest

from collectors.errors import DroidgrindError
from profiler.fleet.plan import load_plan

WHOLE = """
tools = ["vmstat,schedstat", "memcheck"]
repeats = 2
retries = 1
timeout = 60
output = "out"
[[devices]]
serial = "R58M12ABC"
name = "pixel7"
[[devices]]
serial = "local"
[[targets]]
name = "bench"
program = ["./bench", "--loops", "4"]
env = { A = "1" }
push = ["model.bin"]
"""
DEVICE = '[[devices]]\nserial = "local"\n'
TARGET = '[[targets]]\nname = "a"\nprogram = ["./a"]\n'


def write(folder: Path, text: str) -> Path:
    file = folder / "plan.toml"
    file.write_text(text)
    return file


def test_matrix_is_every_combination_first_repeats_first(tmp_path: Path) -> None:
    plan = load_plan(write(tmp_path, WHOLE))
    cells = plan.cells()
    assert [cell.id for cell in cells[:4]] == [
        "pixel7_bench_vmstat-schedstat_1",
        "local_bench_vmstat-schedstat_1",
        "pixel7_bench_memcheck_1",
        "local_bench_memcheck_1",
    ]
    assert [cell.repeat for cell in cells] == [1] * 4 + [2] * 4
    assert (plan.retries, plan.timeout, plan.output) == (1, 60.0, tmp_path / "out")
    assert plan.targets[0].program == ("./bench", "--loops", "4")


def test_output_and_tools_have_defaults(tmp_path: Path) -> None:
    plan = load_plan(write(tmp_path, DEVICE + TARGET))
    assert plan.output == tmp_path / "plan-fleet"
    assert plan.tools == ("vmstat,schedstat,memcheck,cachegrind,massif",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the plan is empty: it names no devices: add [[devices]] with a serial"),
        (DEVICE, "it names no targets: add [[targets]] with a name and a program"),
        ("repeat = 2", "the plan: there is no key 'repeat'; did you mean repeats?"),
        ("repeats = 0", "the plan: repeats must be a whole number, 1 or more"),
        ("timeout = -1", "timeout must be a number of seconds above 0"),
        ("repeats = = 2", "not TOML"),
        ("devices = 3", "the plan: devices must be tables: write [[devices]]"),
        ('[[devices]]\nname = "a"', "[[devices]] number 1: serial must be given"),
        (DEVICE * 2 + TARGET, "two devices are 'local'"),
        (DEVICE + TARGET * 2, "two targets' names are 'a'"),
        (DEVICE + '[[targets]]\nname = "a"\n', "[[targets]] number 1: program must be a list"),
        (DEVICE + TARGET + "env = { A = 1 }\n", "env must be a table of texts"),
        ('tools = ["gdb"]\n' + DEVICE + TARGET, "there is no tool 'gdb'"),
        ("repeats = 200000\n" + DEVICE + TARGET, "200,000 cells are more than 100,000"),
    ],
)
def test_a_wrong_plan_is_refused_with_the_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DroidgrindError) as caught:
        load_plan(write(tmp_path, text))
    assert message in str(caught.value)


def test_missing_plan_is_named(tmp_path: Path) -> None:
    with pytest.raises(DroidgrindError, match=r"none\.toml: No such file or directory"):
        load_plan(tmp_path / "none.toml")
