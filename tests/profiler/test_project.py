from pathlib import Path

import pytest

from collectors.errors import InputError
from profiler.project import load_project
from profiler.thresholds import Thresholds


def project(folder: Path, text: str) -> Path:
    (folder / "droidgrind.toml").write_text(text, encoding="utf-8")
    return folder


def test_without_a_file_everything_is_as_by_default(tmp_path: Path) -> None:
    assert load_project(tmp_path).thresholds == Thresholds()


def test_the_nearest_file_above_is_read(tmp_path: Path) -> None:
    project(
        tmp_path,
        """
        mine = "libapp.so"
        suppressions = ["known.supp"]
        [thresholds]
        starved_percent = 40
        [targets.bench]
        program = ["build/bench", "--loops", "4"]
        tools = ["memcheck"]
        env = { A = "1" }
        timeout = 30
        """,
    )
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    found = load_project(below)
    assert found.mine == ("libapp.so",)
    assert found.suppressions == (tmp_path / "known.supp",)
    assert found.thresholds.starved_percent == 40
    assert found.thresholds.starved_seconds == Thresholds().starved_seconds
    bench = found.targets["bench"]
    assert bench.program == (str(tmp_path / "build/bench"), "--loops", "4")
    assert (bench.tools, bench.env, bench.timeout) == (("memcheck",), {"A": "1"}, 30)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tresholds = 1", "'tresholds'; did you mean thresholds?"),
        ("xyzzy = 1", "known are mine, suppressions, thresholds, targets"),
        ("[thresholds]\nstarved_precent = 1", "did you mean starved_percent?"),
        ("[thresholds]\nstarved_percent = true", "must be a number"),
        ("[thresholds]\nstarved_percent = -1", "must be a number"),
        ("mine = [1]", "must be a text or a list of texts"),
        ("[targets]\nbench = 1", "must be a table with `program`"),
        ("[targets.bench]\ntools = []", "has no program"),
        ('[targets.bench]\nprogram = "x"\ntimeout = 0', "above 0"),
        ('[targets.bench]\nprogram = "x"\ntools = ["memchek"]', "memchek"),
        ('[targets.bench]\nprogram = "x"\ntol = "y"', "did you mean tools?"),
        ("mine = [", "droidgrind.toml"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        load_project(project(tmp_path, text))
    assert says in str(caught.value)
    assert "droidgrind.toml" in str(caught.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "droidgrind.toml").write_bytes(b"mine = '\xff'")
    with pytest.raises(InputError, match="not UTF-8 at byte 8"):
        load_project(tmp_path)
