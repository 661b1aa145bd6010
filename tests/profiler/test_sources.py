import os
from pathlib import Path

import pytest

from profiler.sources import MOST_BYTES, Sources


def test_a_source_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.cpp"
    file.write_text("one\ntwo\nthree\n", encoding="utf-8")
    source = Sources().read(str(file))
    assert source is not None
    assert source.lines == ("one", "two", "three")
    assert not source.newer
    assert Sources(recorded=1.0).read(str(file)) == source.__class__(
        str(file), source.lines, newer=True
    )


@pytest.mark.parametrize(
    "name", ["id_rsa", "secrets.env", "shadow", "notes.txt", "report.json"]
)
def test_what_is_no_source_code_is_never_read(tmp_path: Path, name: str) -> None:
    """A profile names its files: a crafted one must not carry a key into a report."""
    file = tmp_path / name
    file.write_text("secret", encoding="utf-8")
    assert Sources().read(str(file)) is None


def test_a_link_does_not_make_a_secret_a_source(tmp_path: Path) -> None:
    (tmp_path / "id_rsa").write_text("secret", encoding="utf-8")
    (tmp_path / "a.cpp").symlink_to(tmp_path / "id_rsa")
    assert Sources().read(str(tmp_path / "a.cpp")) is None


def test_a_fifo_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.c")
    assert Sources().read(str(tmp_path / "a.c")) is None


@pytest.mark.parametrize(
    "name", ["???", "a.cpp", "./elf/dl-lookup.c", "/no/such.c", "/a\0b.c", ""]
)
def test_names_that_lead_nowhere_give_nothing(name: str) -> None:
    assert Sources().read(name) is None


def test_a_loop_of_links_and_a_huge_file_give_nothing(tmp_path: Path) -> None:
    (tmp_path / "loop.c").symlink_to(tmp_path / "loop.c")
    (tmp_path / "huge.c").write_bytes(b"x" * (MOST_BYTES + 1))
    assert Sources().read(str(tmp_path / "loop.c")) is None
    assert Sources().read(str(tmp_path / "huge.c")) is None


def test_no_source_reads_none(tmp_path: Path) -> None:
    file = tmp_path / "a.cpp"
    file.write_text("one\n", encoding="utf-8")
    assert Sources(allowed=False).read(str(file)) is None
    assert Sources(allowed=False).around(str(file), 1) == {}


def test_lines_around_stay_inside_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.rs"
    file.write_bytes(b"1\n2\n\xff\n4\n5\n")
    around = Sources().around(str(file), 2, context=2)
    assert list(around) == [1, 2, 3, 4]
    assert around[3] == "\ufffd"
    assert Sources().around(str(file), 6) == {}
    assert Sources().around(str(file), 0) == {}
