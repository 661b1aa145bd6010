"""The scripted sessions of scripts/examples do what their comments say."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.valgrind

EXAMPLES = Path("scripts/examples").absolute()


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("sample") / "sample"
    subprocess.run(["scripts/sample/build.sh", str(program)], check=True, timeout=120)
    return program


def run(name: str, *words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(EXAMPLES / name), *map(str, words)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )


def test_record_and_assert_fails_for_the_sample_and_names_its_errors(
    sample: Path, tmp_path: Path
) -> None:
    done = run("record_and_assert.py", sample, "--images", "4", "--size", "64", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "definitely lost: 1000 bytes in 1 blocks" in done.stdout
    assert "write_past_boxes() (sample.cpp:" in done.stdout


def test_record_and_assert_passes_for_the_clean_sample(sample: Path, tmp_path: Path) -> None:
    words = ("--clean", "--images", "4", "--size", "64")
    done = run("record_and_assert.py", sample, *words, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    session = tmp_path / done.stdout.splitlines()[0]
    assert (session / "session.json").is_file()


def test_sweep_shows_misses_growing_with_the_image(sample: Path, tmp_path: Path) -> None:
    done = run("sweep.py", sample, "--size", "64", "512", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    header, small, large = done.stdout.splitlines()
    assert header.split() == ["--size", "peak", "heap", "Ir", "D1", "misses", "D1", "miss"]
    assert [row.split()[0] for row in (small, large)] == ["64", "512"]
    # 64 rows of 64-byte lines stay in the first-level cache, 512 do not
    assert float(small.split()[-2]) < 8 < float(large.split()[-2])


@pytest.mark.parametrize("name", ["record_and_assert.py", "sweep.py"])
def test_an_example_without_words_says_how_to_use_it(name: str, tmp_path: Path) -> None:
    done = run(name, cwd=tmp_path)
    assert done.returncode == 2
    assert f"usage: {name}" in done.stderr


def test_the_inference_example_runs_or_says_what_it_needs(tmp_path: Path) -> None:
    done = run("ncnn_net.py", "32", cwd=tmp_path)
    if find_spec("ncnn") is None:
        assert (done.returncode, done.stderr) == (
            2,
            "ncnn is not installed: pip install ncnn\n",
        )
    else:
        assert done.returncode == 0, done.stderr
        assert done.stdout.count(",") == 9
