"""Every reader is fuzzed for some seconds; scripts/fuzz/run does it for longer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.fuzz.targets import TARGETS

pytest.importorskip("atheris")

_SECONDS = 6


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_but_a_value_or_a_parse_error_comes_back(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "scripts/fuzz/run", name, "--seconds", str(_SECONDS)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    _, executions = (tmp_path / "droidgrind-fuzz/total").read_text().split()
    assert int(executions) > 100
