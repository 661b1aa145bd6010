"""Suppressions: parsed, matched as Valgrind does, made from errors, merged."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.errors import ParseError
from collectors.readers.valgrind_log import parse_valgrind_log
from collectors.records.errors import LEAK_KINDS, ErrorProfile, ErrorRecord
from collectors.records.shared import Frame
from profiler.importing import import_files
from profiler.suppressions.apply import apply_suppressions, matches, subject_of
from profiler.suppressions.make import add_to_file, breadth, merged, suppression_of
from profiler.suppressions.text import (
    PACKS,
    Suppression,
    parse_suppressions,
    read_suppressions,
    suppression_file,
    suppressions_text,
)
from tests.conftest import DATA
from tui.cli import main

STACK = (
    Frame(1, "malloc", "/usr/libexec/valgrind/vgpreload_memcheck-amd64-linux.so"),
    Frame(2, "load(int)", "/home/a/libapp.so", "/home/a", "load.cpp", 7),
    Frame(3, "main", "/home/a/app", "/home/a", "main.cpp", 3),
)
LEAK = ErrorRecord(
    "Leak_DefinitelyLost",
    "100 bytes in 1 blocks are definitely lost in loss record 1 of 1",
    STACK,
    leaked_bytes=100,
    leaked_blocks=1,
    suppression="""{
   <insert_a_suppression_name_here>
   Memcheck:Leak
   match-leak-kinds: definite
   fun:malloc
   fun:_Z4loadi
   fun:main
}
""",
)
READ = ErrorRecord("InvalidRead", "Invalid read of size 4", STACK[1:])


def entry(kind: str, *frames: str, **more: object) -> Suppression:
    return replace(Suppression("x", ("Memcheck",), kind, frames), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("made", "record", "hides"),
    [
        (entry("Leak", "fun:malloc", "fun:_Z4loadi"), LEAK, True),
        (entry("Leak", "fun:malloc", "fun:_Z4load?"), LEAK, True),
        (entry("Leak", "fun:_Z4loadi"), LEAK, False),  # a prefix of the stack, not a part
        (entry("Leak", "...", "fun:main"), LEAK, True),
        (entry("Leak", "...", "obj:*/libapp.so", "fun:main"), LEAK, True),
        (entry("Leak", "...", "fun:main", "fun:start"), LEAK, False),
        (entry("Leak", "...", leak_kinds=("definite",)), LEAK, True),
        (entry("Leak", "...", leak_kinds=("possible", "reachable")), LEAK, False),
        (entry("Leak", "...", leak_kinds=("all",)), LEAK, True),
        (entry("Addr4", "fun:load(int)"), READ, True),
        (entry("Addr4", "src:load.cpp:7"), READ, True),
        (entry("Addr4", "src:load.cpp"), READ, True),
        (entry("Addr4", "src:load.cpp:8"), READ, False),
        (entry("Addr8", "fun:load(int)"), READ, False),
        (entry("Addr4", "obj:/home/a/[lib]app.so"), READ, False),  # no class of letters
        (entry("Cond", "..."), READ, False),
    ],
)
def test_entries_match_as_valgrind_s_manual_says(
    made: Suppression, record: ErrorRecord, hides: bool
) -> None:
    assert matches(made, subject_of(record)) is hides


def test_what_is_written_is_read_back() -> None:
    entries = (
        entry("Param", "obj:*/libx.so", "...", detail="write(buf)"),
        entry("Leak", "fun:malloc", leak_kinds=("definite", "possible")),
        entry("Addr4", "fun:f", name="a name: with {words}"),
    )
    assert parse_suppressions(suppressions_text(entries), "x") == entries


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("# a comment\nhello", 2, "it must begin with { and begins with hello"),
        ("{\n x\n Memcheck:Cond\n fun:f\n", 4, "ends inside"),
        ("{\n x\n}\n", 1, "needs a name, a kind and a frame"),
        ("\n{\n x\n Cond\n fun:f\n}\n", 2, "TOOL:KIND"),
        ("{\n x\n Memcheck:Cond\n f\n}\n", 1, "expected fun:"),
        ("{\n x\n Memcheck:Leak\n match-leak-kinds: all\n}\n", 1, "needs a frame"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_suppressions(text, "x.supp")
    assert f"x.supp:{line}: " in str(caught.value)
    assert says in str(caught.value)


def test_an_entry_made_from_an_error_hides_it_elsewhere_too() -> None:
    made = suppression_of(LEAK)
    assert made.kind == "Leak"
    assert "fun:_Z4loadi" in made.frames
    elsewhere = replace(
        LEAK, frames=tuple(replace(f, obj=f"/data/local/tmp/{i}") for i, f in enumerate(STACK))
    )
    assert matches(made, subject_of(elsewhere))
    assert not matches(made, subject_of(READ))


def test_without_valgrind_s_entry_objects_stand_for_mangled_names() -> None:
    made = suppression_of(READ)
    assert made.frames == ("obj:*/libapp.so", "fun:main")
    assert matches(made, subject_of(READ))


def test_merging_drops_what_another_entry_covers() -> None:
    wide = entry("Leak", "...", "obj:*/libapp.so", leak_kinds=("definite", "possible"))
    narrow = entry("Leak", "fun:malloc", "obj:/home/a/libapp.so", leak_kinds=("definite",))
    other = entry("Leak", "fun:malloc", "obj:/home/a/libother.so")
    assert merged((narrow, wide, other)) == (wide, other)


def test_leaks_of_one_stack_become_one_entry() -> None:
    one = entry("Leak", "fun:f", leak_kinds=("definite",))
    two = entry("Leak", "fun:f", leak_kinds=("possible",))
    (both,) = merged((one, two, one))
    assert both.leak_kinds == ("definite", "possible")


def test_a_file_keeps_its_comments_and_grows_only_by_what_is_new(tmp_path: Path) -> None:
    file = tmp_path / "known.supp"
    file.write_text("# ours\n" + entry("Cond", "fun:g").text)
    assert add_to_file([suppression_of(LEAK), suppression_of(LEAK)], file) == 2
    assert add_to_file([suppression_of(LEAK)], file) == 2
    assert file.read_text().startswith("# ours\n")
    assert len(read_suppressions([file])) == 2


def test_hidden_leaks_do_not_come_back_from_valgrind_s_summary() -> None:
    log = parse_valgrind_log(DATA / "memcheck/3.19-x86_64/memcheck-bugs.txt")
    assert log.leak_totals()["definitely_lost"].blocks
    every = entry("Leak", "...")
    hidden = {LEAK_KINDS[record.kind] for record in log.records if record.is_leak}
    totals = apply_suppressions(log, [every]).profile.leak_totals()
    assert not any(totals[kind].blocks for kind in hidden)


def test_hidden_errors_are_counted_by_entry() -> None:
    entries = (entry("Cond", "..."), suppression_of(LEAK))
    applied = apply_suppressions(ErrorProfile([LEAK, READ]), entries)
    assert list(applied.profile.records) == [READ]
    assert applied.hits == (0, 1)


WORDS = ("{", "}", "name", "Memcheck:Leak", "Memcheck:Param", ":", "fun:f", "obj:", "...")
LINES = st.lists(st.sampled_from((*WORDS, "match-leak-kinds:", "# x", "", "src:")) | st.text())


@given(LINES)
def test_any_text_is_read_or_refused(lines: list[str]) -> None:
    try:
        entries = parse_suppressions("\n".join(lines), "x.supp")
    except ParseError:
        return
    assert all(entry.frames for entry in entries)
    for made in entries:
        matches(made, subject_of(LEAK))
    assert len(merged(entries)) <= len(entries)


# --------------------------------------------------------------------- the packs


def error(kind: str, what: str, *frames: tuple[str | None, str]) -> ErrorRecord:
    return ErrorRecord(
        kind, what, tuple(Frame(i, fn, obj) for i, (fn, obj) in enumerate(frames))
    )


LINKER = "/apex/com.android.runtime/bin/linker64"
LIBC = "/apex/com.android.runtime/lib64/bionic/libc.so"
ART = "/apex/com.android.art/lib64/libart.so"
VULKAN = "/vendor/lib64/hw/vulkan.adreno.so"
APP = "/data/app/x/lib/arm64/libapp.so"
NOISE = {
    "bionic": [
        error("InvalidRead", "Invalid read of size 8", ("__dl_memcpy", LINKER), (None, LINKER)),
        error("UninitCondition", "Conditional jump", (None, LINKER)),
        error("InvalidFree", "Invalid free()", ("free", "/x/vgpreload.so"), (None, LINKER)),
        error(
            "Leak_PossiblyLost", "304 bytes", ("calloc", "/x/v.so"), ("pthread_create", LIBC)
        ),
    ],
    "art": [
        error("UninitCondition", "Conditional jump", ("art::gc::Sweep()", ART)),
        error("InvalidRead", "Invalid read of size 4", (None, "/system/framework/boot.oat")),
        error("Leak_StillReachable", "9 bytes", ("malloc", "/x/v.so"), ("art::Init", ART)),
    ],
    "gpu": [
        error(
            "SyscallParam",
            "Syscall param ioctl(generic) points to uninitialised byte(s)",
            ("__ioctl", LIBC),
            (None, "/vendor/lib64/egl/libGLES_mali.so"),
        ),
        error(
            "Leak_PossiblyLost",
            "9 bytes",
            ("malloc", "/x/v.so"),
            (None, "/vendor/lib64/hw/vulkan.adreno.so"),
        ),
    ],
}
OWN = [
    error("InvalidWrite", "Invalid write of size 4", ("decode", APP), ("main", APP)),
    error("InvalidRead", "Invalid read of size 8", ("memcpy", "/x/v.so"), ("decode", APP)),
    error("UninitCondition", "Conditional jump", ("decode", APP), ("art_call", ART)),
    error("Leak_DefinitelyLost", "9 bytes", ("malloc", "/x/v.so"), ("decode", APP), ("f", ART)),
]


@pytest.mark.parametrize("pack", PACKS)
def test_a_pack_hides_its_noise_and_no_error_of_an_app(pack: str) -> None:
    entries = read_suppressions([suppression_file(pack)])
    for record in NOISE[pack]:
        assert any(matches(e, subject_of(record)) for e in entries), record
    for record in OWN:
        assert not any(matches(e, subject_of(record)) for e in entries), record


@pytest.mark.valgrind
@pytest.mark.parametrize("pack", PACKS)
def test_valgrind_reads_the_pack(pack: str) -> None:
    true = shutil.which("true")
    assert true is not None
    done = subprocess.run(
        ["valgrind", "-q", f"--suppressions={suppression_file(pack)}", true],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def suppress(*words: str) -> int:
    return main(["suppress", "session", *words])


@pytest.fixture
def own_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A session in a folder of its own whose errors are all own code's."""
    xml = Path("tests/data/memcheck/3.19-x86_64/memcheck-bugs.xml").absolute()
    monkeypatch.chdir(tmp_path)
    import_files([xml], tmp_path, directory=tmp_path / "session")
    return tmp_path


def test_no_likely_noise_is_said_and_nothing_is_written(
    own_errors: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in ((), ("-o", "my.supp")):
        assert suppress("--mine", "*", *words) == 0
        said = capsys.readouterr()
        assert said.out == ""
        assert "is likely noise: choose with" in said.err
    assert not (own_errors / "my.supp").exists()
    assert suppress("--unused", "none.supp") == 2
    assert "--unused none.supp: there is no such file" in capsys.readouterr().err


def test_the_numbers_of_show_are_those_that_suppress_takes(
    own_errors: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def numbers() -> dict[str, str]:
        assert main(["show", "session"]) == 0
        return dict(re.findall(r"^  #(\d+) (\w+)[:,]", capsys.readouterr().out, re.MULTILINE))

    shown = numbers()
    assert len(shown) > 3
    for number, kind in shown.items():
        assert suppress("--record", number) == 0
        assert capsys.readouterr().out.splitlines()[1].split()[0] == kind
    # What the project hides moves the numbers, for both alike.
    assert suppress("--record", "0", "-o", "my.supp") == 0
    assert 'write suppressions = ["my.supp"] into' in capsys.readouterr().err
    (own_errors / "droidgrind.toml").write_text('suppressions = ["my.supp"]\n')
    fewer = numbers()
    assert fewer != shown
    for number, kind in fewer.items():
        assert suppress("--record", number) == 0
        assert capsys.readouterr().out.splitlines()[1].split()[0] == kind


def test_an_entry_of_one_frame_is_broad() -> None:
    assert breadth(entry("Addr4", "fun:main")) == (
        "every Memcheck:Addr4 in main, whichever line it is at"
    )
    assert breadth(entry("Addr4", "...", "fun:main")) is not None
    assert breadth(entry("Cond", "...")) == "every Memcheck:Cond, wherever it is"
    assert breadth(entry("Addr4", "fun:read", "fun:main")) is None
