"""Fresh runs of real programs: our function totals against those of Valgrind's annotators."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from collectors.readers.cachegrind_out import parse_cachegrind
from collectors.readers.callgrind_out import parse_callgrind
from collectors.records.cost import CostProfile

pytestmark = [
    pytest.mark.valgrind,
    pytest.mark.skipif(not shutil.which("valgrind"), reason="needs Valgrind"),
]

PROGRAMS = {
    "true": ["true"],
    "seq": ["seq", "300"],
    "sort": ["sort", "/etc/passwd"],
    "grep": ["grep", "-c", "ro*t", "/etc/passwd"],
    "awk": ["awk", "BEGIN { for (i = 0; i < 99; i++) s += i; print s }"],
}
_ROW = re.compile(r"^ *([\d,]+) \( *[\d.]+%\)  (\S.*?)(?: \[[^\]]*\])?$", re.MULTILINE)


def run(tool: str, program: str, out: Path, *options: str) -> None:
    argv = ["valgrind", f"--tool={tool}", f"--{tool}-out-file={out}", *options]
    subprocess.run([*argv, *PROGRAMS[program]], capture_output=True, check=True)


def ours(profile: CostProfile) -> dict[str, int]:
    sums: dict[str, int] = {}
    for row, count in enumerate(profile.counts[0]):
        function = profile.symbols[profile.row_symbol[row]].fn
        name = f"{profile.files[profile.row_file[row]]}:{function}"
        sums[name] = sums.get(name, 0) + count
    return sums


def annotated(*argv: str) -> tuple[dict[str, int], int]:
    """What an annotator prints of functions, and the program's total."""
    text = subprocess.run(argv, capture_output=True, check=True).stdout.decode()
    sums: dict[str, int] = {}
    for count, name in _ROW.findall(text):
        sums[name] = sums.get(name, 0) + int(count.replace(",", ""))
    return sums, sums.pop("PROGRAM TOTALS")


@pytest.mark.parametrize("program", PROGRAMS)
def test_cachegrind_functions_are_those_of_cg_annotate(program: str, tmp_path: Path) -> None:
    out = tmp_path / "cachegrind.out"
    run("cachegrind", program, out, "--cache-sim=no")
    profile = parse_cachegrind(out)
    theirs, total = annotated("cg_annotate", "--threshold=0", "--auto=no", str(out))
    assert profile.damage == ()
    assert profile.totals()["Ir"] == total
    assert len(theirs) > 50
    mine = ours(profile)
    assert {name: mine.get(name) for name in theirs} == theirs


@pytest.mark.parametrize("program", PROGRAMS)
def test_callgrind_functions_are_those_of_callgrind_annotate(
    program: str, tmp_path: Path
) -> None:
    out = tmp_path / "callgrind.out"
    run("callgrind", program, out)
    profile = parse_callgrind(out)
    theirs, total = annotated("callgrind_annotate", "--threshold=100", "--auto=no", str(out))
    assert profile.damage == ()
    assert profile.totals()["Ir"] == total
    assert len(theirs) > 50
    mine = ours(profile)
    assert {name: mine.get(name) for name in theirs} == theirs
