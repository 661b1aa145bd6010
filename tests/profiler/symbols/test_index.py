"""Where unstripped files are found, and which one is taken."""

import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from profiler.symbols.elf import Detail, build_id_of
from profiler.symbols.index import build_index, unpacked
from profiler.symbols.resolver import Resolver
from tests.profiler.symbols.conftest import Compiled, Twins, strip

CODE = "extern int g; int run(int x) { return x + 1; }\nint other(int x) { return x * 3; }\n"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with DWARF, of one build."""
    folder = tmp_path_factory.mktemp("library")
    (folder / "code.c").write_text(CODE, encoding="utf-8")
    words = ["gcc", "-O1", "-g", "-shared", "-fPIC", "-Wl,--build-id", "-o", "libcode.so"]
    subprocess.run([*words, "code.c"], cwd=folder, check=True)
    return folder / "libcode.so"


@pytest.fixture(scope="module")
def build_id(whole: Path) -> str:
    found = build_id_of(whole)
    assert found is not None
    assert len(found) == 40
    return found


def copied(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(source.read_bytes())
    return target


def names(file: Path, folder: Path) -> set[str | None]:
    """What the functions of a file are called, asked for at the library's own addresses."""
    found = (
        Resolver(folder).resolve(file, None, range(0x1000, 0x1200)).of(range(0x1000, 0x1200))
    )
    return {fn for _, frames in found for fn, _, _ in frames}


def test_a_gradle_project_is_looked_through_where_unstripped_files_are(
    whole: Path, build_id: str, tmp_path: Path
) -> None:
    build = tmp_path / "app/build"
    right = build / "intermediates/merged_native_libs/debug/out/lib/arm64-v8a/libcode.so"
    copied(whole, right)
    strip(
        whole, build / "intermediates/stripped_native_libs/debug/out/lib/arm64-v8a/libcode.so"
    )
    copied(whole, build / "intermediates/javac/debug/libcode.so")
    copied(whole, tmp_path / "node_modules/x/libcode.so")
    index = build_index([tmp_path], tmp_path / "cache")
    assert [candidate.path for candidate in index.candidates] == [right]
    assert index.by_build_id(build_id) == index.candidates[0]


def test_the_least_stripped_of_one_build_is_taken(
    whole: Path, build_id: str, tmp_path: Path
) -> None:
    strip(whole, tmp_path / "a/libcode.so")
    strip(whole, tmp_path / "b/libcode.so", "--strip-debug")
    debug = tmp_path / "c/libcode.so.debug"
    debug.parent.mkdir()
    subprocess.run(["objcopy", "--only-keep-debug", str(whole), str(debug)], check=True)
    index = build_index([tmp_path / "a", tmp_path / "b"], tmp_path / "cache")
    best = index.by_build_id(build_id)
    assert best is not None
    assert (best.path.parent.name, best.facts.detail) == ("b", Detail.SYMBOLS)
    best = build_index([tmp_path], tmp_path / "cache").by_build_id(build_id)
    assert best is not None
    assert (best.path, best.facts.detail) == (debug, Detail.LINES)
    assert {"run", "other"} <= names(debug, tmp_path / "answers")


def test_two_different_files_with_one_build_id_are_said(
    whole: Path, build_id: str, tmp_path: Path
) -> None:
    copied(whole, tmp_path / "a/libcode.so")
    longer = copied(whole, tmp_path / "b/libcode.so")
    longer.write_bytes(longer.read_bytes() + b"more")
    index = build_index([tmp_path], tmp_path / "cache")
    assert index.by_build_id(build_id) is not None
    index.by_build_id(build_id)
    (note,) = index.notes
    assert build_id in note
    assert str(tmp_path / "a/libcode.so") in note
    assert str(tmp_path / "b/libcode.so") in note


def test_zip_files_are_looked_into(whole: Path, build_id: str, tmp_path: Path) -> None:
    archive = tmp_path / "native-debug-symbols.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        out.write(whole, "arm64-v8a/libcode.so.dbg")
        out.writestr("readme.txt", "no ELF")
    index = build_index([archive], tmp_path / "cache")
    best = index.by_build_id(build_id)
    assert best is not None
    assert best.entry == "arm64-v8a/libcode.so.dbg"
    file = unpacked(best, tmp_path / "cache")
    assert file.read_bytes() == whole.read_bytes()
    assert unpacked(best, tmp_path / "cache") == file


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("libx.so", bytes(60_000_000))
    index = build_index([tmp_path], tmp_path / "cache")
    assert not index.candidates
    assert "unpacks to too much" in index.notes[0]


def test_a_library_stored_in_an_apk_is_found_by_its_place(
    whole: Path, build_id: str, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "base.apk", "w", zipfile.ZIP_STORED) as out:
        out.writestr("classes.dex", b"dex" * 100)
        out.write(whole, "lib/arm64-v8a/libcode.so")
    index = build_index([tmp_path], tmp_path / "cache")
    (candidate,) = index.candidates
    assert candidate.data_offset is not None
    content = (tmp_path / "base.apk").read_bytes()
    assert content[candidate.data_offset :].startswith(b"\x7fELF")
    inside = index.in_archive("/data/app/x/base.apk", candidate.data_offset + 100)
    assert inside == candidate
    assert index.in_archive("/data/app/x/base.apk", 3) is None


def test_a_debug_link_is_followed_if_its_checksum_fits(
    whole: Path, build_id: str, tmp_path: Path
) -> None:
    debug = tmp_path / "code.debug"
    subprocess.run(["objcopy", "--only-keep-debug", str(whole), str(debug)], check=True)
    bare = strip(whole, tmp_path / "libcode.so", "-R", ".note.gnu.build-id")
    link = ["objcopy", f"--add-gnu-debuglink={debug}", str(bare)]
    subprocess.run(link, check=True)
    index = build_index([tmp_path], tmp_path / "cache")
    stripped = next(c for c in index.candidates if c.path == bare)
    linked = index.linked(stripped)
    assert linked is not None
    assert linked.path == debug
    debug.write_bytes(debug.read_bytes() + b"x")
    index = build_index([tmp_path], tmp_path / "cache")
    stripped = next(c for c in index.candidates if c.path == bare)
    assert index.linked(stripped) is None


def test_names_of_gnu_debugdata_are_read(whole: Path, tmp_path: Path) -> None:
    """Made as Fedora and Android make it: the symbol table alone, packed by xz."""
    import lzma

    mini = tmp_path / "mini"
    subprocess.run(["objcopy", "--only-keep-debug", str(whole), str(mini)], check=True)
    subprocess.run(["strip", "--strip-debug", str(mini)], check=True)
    packed = tmp_path / "mini.xz"
    packed.write_bytes(lzma.compress(mini.read_bytes()))
    file = strip(whole, tmp_path / "libcode.so")
    words = ["objcopy", f"--add-section=.gnu_debugdata={packed}", str(file)]
    subprocess.run(words, check=True)
    index = build_index([file], tmp_path / "cache")
    assert index.candidates[0].facts.detail is Detail.MINI
    assert {"run", "other"} <= names(file, tmp_path / "answers")


def test_a_directory_that_cannot_be_read_is_said(whole: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    copied(whole, tmp_path / "shut/libcode.so")
    (tmp_path / "shut").chmod(0)
    try:
        index = build_index([tmp_path], tmp_path / "cache")
    finally:
        (tmp_path / "shut").chmod(0o700)
    assert "Permission denied" in index.notes[0]


def test_what_was_learnt_is_kept_until_a_file_changes(
    whole: Path, build_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = copied(whole, tmp_path / "symbols/libcode.so")
    first = build_index([tmp_path / "symbols"], tmp_path / "cache")
    monkeypatch.setattr("profiler.symbols.index.facts_of", None)  # no file is read again
    second = build_index([tmp_path / "symbols"], tmp_path / "cache")
    assert second.candidates == first.candidates
    monkeypatch.undo()
    strip(whole, file)
    third = build_index([tmp_path / "symbols"], tmp_path / "cache")
    assert third.candidates[0].facts.detail is Detail.EXPORTS


def test_answers_come_from_the_cache_without_the_worker(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolver = Resolver(tmp_path)
    first = dict(resolver.resolve(whole, None, [0x1100, 0x1110]).of([0x1100, 0x1110]))
    monkeypatch.setattr("profiler.symbols.resolver.subprocess", None)
    again = dict(resolver.resolve(whole, None, [0x1110]).of([0x1100, 0x1110]))
    assert again == first
    for file in tmp_path.rglob("*.npz"):
        file.write_bytes(file.read_bytes()[:100])  # a damaged cache is made again
    monkeypatch.undo()
    assert dict(resolver.resolve(whole, None, [0x1100, 0x1110]).of([0x1100, 0x1110])) == first


def test_programs_without_a_build_id_are_matched_by_name_and_layout(
    compiled: Compiled, twins: Twins, tmp_path: Path
) -> None:
    index = build_index([twins.whole.parent], tmp_path / "cache")
    text = index.candidates[0].facts.text
    assert text is not None
    assert index.by_name("/data/local/tmp/net", text) == index.candidates[0]
    assert index.by_name("/data/local/tmp/net", text + 16) is None
    assert index.by_name("/data/local/tmp/other", text) is None
