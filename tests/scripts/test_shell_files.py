"""Completions and man page: they are of the commands as they are, and shells take them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path("tui/shell")


def test_files_are_those_of_the_present_commands(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "scripts/shell-files", str(tmp_path)], check=True)
    for made in tmp_path.iterdir():
        stored = (FOLDER / made.name).read_text(encoding="utf-8")
        assert stored == made.read_text(encoding="utf-8"), "run scripts/shell-files"
    assert {made.name for made in tmp_path.iterdir()} == {
        made.name for made in FOLDER.iterdir()
    }


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_reads_its_completions(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} not installed")
    done = subprocess.run(
        [shell, "-n", FOLDER / f"droidgrind.{shell}"], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_bash_completes_commands_and_options() -> None:
    script = (
        f"source {FOLDER}/droidgrind.bash\n"
        'try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _shtab_droidgrind; '
        'echo "${COMPREPLY[*]}"; }\n'
        "try droidgrind sess\n"
        "try droidgrind record --time-u\n"
    )
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.splitlines() == ["sessions", "--time-unit"]
