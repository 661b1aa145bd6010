"""Files with symbols come from anywhere: damage costs their symbols and nothing else."""

import random
import struct
import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from profiler.symbols.abbrevs import without_linkage_names
from profiler.symbols.elf import BadElf, Elf, build_id_of_head
from profiler.symbols.index import build_index
from profiler.symbols.modules import modules_in_log
from profiler.symbols.resolver import Resolver
from profiler.symbols.symtab import symbol_table

SOURCE = """static inline int twice(int x) { return 2 * x; }
int run(int x) { return twice(x) + x; }
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("small")
    (folder / "small.c").write_text(SOURCE, encoding="utf-8")
    words = ["gcc", "-O1", "-g", "-gdwarf-5", "-shared", "-fPIC", "-Wl,--build-id"]
    subprocess.run([*words, "-o", "small.so", "small.c"], cwd=folder, check=True)
    return (folder / "small.so").read_bytes()


def read_everything(content: bytes) -> None:
    """All that is read of a file in this process."""
    build_id_of_head(content[:8192])
    elf = Elf(BytesIO(content), len(content))
    elf.facts()
    inner = elf.mini()
    for part in (elf, inner):
        if part is not None:
            table = symbol_table(part)
            table.find(table.ranges()[0][:100])
    without_linkage_names(elf.content(".debug_abbrev"))


def survives(content: bytes) -> bool:
    try:
        read_everything(content)
    except BadElf:
        return False
    return True


def test_the_whole_file_is_read(library: bytes) -> None:
    assert survives(library)


def test_any_byte_of_any_header_may_be_wrong(library: bytes) -> None:
    sections = struct.unpack_from("<Q", library, 40)[0]
    headers = [*range(4, 64), *range(64, 64 + 56 * 10, 3), *range(sections, len(library), 9)]
    good = 0
    for number, at in enumerate(headers):
        broken = bytearray(library)
        broken[at] = (0x00, 0xFF, 0x7F, 0x80)[number % 4]
        good += survives(bytes(broken))
    assert good > len(headers) / 10  # what does not matter does no harm


def test_a_file_that_ends_anywhere(library: bytes) -> None:
    for end in range(0, len(library), 97):
        survives(library[:end])


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    changes=st.lists(
        st.tuples(st.integers(0, 1 << 20), st.binary(min_size=1, max_size=9)), max_size=12
    )
)
def test_random_changes(library: bytes, changes: list[tuple[int, bytes]]) -> None:
    broken = bytearray(library)
    for at, new in changes:
        start = at % len(broken)
        broken[start : start + len(new)] = new[: len(broken) - start]
    survives(bytes(broken))


@given(st.binary(max_size=400))
def test_abbreviations_of_any_bytes_keep_their_size(content: bytes) -> None:
    assert len(without_linkage_names(content)) == len(content)


@given(st.binary(max_size=300))
def test_a_log_of_any_bytes(content: bytes) -> None:
    modules_in_log(b"--1-- Reading syms from /x\n" + content)


def test_repeated_abbreviations_take_time_in_proportion(library: bytes) -> None:
    part = b"\x01\x2e\x01\x6e\x0e\x03\x08\x00\x00"
    assert without_linkage_names(part * 100_000) == part.replace(b"\x6e", b"\x06") * 100_000


def section(content: bytes, name: str) -> tuple[int, int]:
    place = Elf(BytesIO(content), len(content)).section(name)
    assert place is not None
    return place.offset, place.size


def zeroed(name: str) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        offset, size = section(content, name)
        return content[:offset] + bytes(size) + content[offset + size :]

    return change


def noise(name: str, seed: int) -> Callable[[bytes], bytes]:
    """Random bytes over a tenth of a section: offsets lead anywhere, in circles too."""

    def change(content: bytes) -> bytes:
        offset, size = section(content, name)
        changed = bytearray(content)
        chance = random.Random(seed)  # noqa: S311  # damage, not secrets
        for _ in range(size // 10):
            changed[offset + chance.randrange(size)] = chance.randrange(256)
        return bytes(changed)

    return change


def endless(content: bytes) -> bytes:
    """Every reference in the tree of functions leads to the tree's first entry."""
    offset, size = section(content, ".debug_info")
    body = bytearray(content[offset : offset + size])
    for at in range(12, size - 4):
        if 0x20 < int.from_bytes(body[at : at + 4], "little") < size:
            body[at : at + 4] = (0x0C).to_bytes(4, "little")
    return content[:offset] + bytes(body) + content[offset + size :]


@pytest.mark.parametrize(
    "change",
    [
        zeroed(".debug_abbrev"),
        zeroed(".debug_line"),
        noise(".debug_info", 1),
        noise(".debug_line", 2),
        noise(".debug_abbrev", 3),
        endless,
        lambda content: content[: section(content, ".debug_info")[0] + 40],
        lambda content: b"\x7fELF" + b"\xff" * 5000,
    ],
    ids=["abbrev-0", "line-0", "info", "line", "abbrev", "circle", "cut", "headers"],
)
def test_damaged_debug_info_costs_no_more_than_its_answers(
    library: bytes, change: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    file = tmp_path / "broken.so"
    file.write_bytes(change(library))
    table = symbol_table(Elf(BytesIO(library), len(library)))
    answers = Resolver(tmp_path / "cache").resolve(file, None, table.ranges()[0].tolist())
    assert len(answers) or answers.problem
    assert answers.problem is None or "\n" not in answers.problem


def test_a_worker_that_dies_is_a_problem_with_a_reason(
    library: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker's own end, here by its limit of memory."""
    file = tmp_path / "small.so"
    file.write_bytes(library)
    hook = tmp_path / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text("import os\nos.kill(os.getpid(), 11)\n")
    monkeypatch.setenv("PYTHONPATH", str(hook))
    answers = Resolver(tmp_path / "cache").resolve(file, None, [1])
    assert answers.problem == "reading it failed (signal 11): it is damaged"


def test_damaged_files_in_a_directory_are_named_and_left_out(
    library: bytes, tmp_path: Path
) -> None:
    (tmp_path / "good.so").write_bytes(library)
    (tmp_path / "bad.so").write_bytes(library[:500])
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04" + b"\0" * 200)
    index = build_index([tmp_path], tmp_path / "cache")
    assert [candidate.path.name for candidate in index.candidates] == ["good.so"]
    notes = "\n".join(index.notes)
    assert "bad.so" in notes
    assert "bad.zip" in notes
