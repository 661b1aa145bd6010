import pytest

from collectors.records.shared import Frame
from profiler.own_code import OwnCode

TARGET = OwnCode.guessed(["/home/a/build/app", "--fast"])


@pytest.mark.parametrize(
    ("fn", "file", "obj", "own"),
    [
        ("main", "/home/a/src/main.cpp", "/home/a/build/app", True),
        ("main", None, "/data/local/tmp/app", True),  # stripped, but the target itself
        (
            "std::vector<int>::push_back",
            "/usr/include/c++/12/bits/stl_vector.h",
            "/b/app",
            False,
        ),
        ("decode", None, "/home/a/build/libcodec.so", True),
        ("malloc", None, "/usr/libexec/valgrind/vgpreload_memcheck-amd64-linux.so", False),
        ("fopen", "/build/glibc/iofopen.c", "/usr/lib/x86_64-linux-gnu/libc.so.6", False),
        ("art::Run", None, "/apex/com.android.art/lib64/libart.so", False),
        ("conv", "/home/a/src/conv.cpp", None, True),  # Cachegrind knows no objects
        ("_dl_lookup", "./elf/./elf/dl-lookup.c", None, False),
        ("???", "???", None, False),
        ("core::fmt", "/rustc/abc/library/core/src/fmt/mod.rs", None, False),
    ],
)
def test_what_is_own_is_guessed_from_target_and_places(
    fn: str, file: str | None, obj: str | None, own: bool
) -> None:
    assert TARGET.owns_code(fn, file, obj) is own


def test_globs_say_what_is_own_and_nothing_else() -> None:
    own = OwnCode(("libcodec.so", "*/engine/*", "ncnn::*"))
    assert own.owns_code("decode", None, "/x/y/libcodec.so")
    assert own.owns_code("f", "/src/engine/a.cpp", None)
    assert own.owns_code("ncnn::Mat::create(int)", None, "/usr/lib/libncnn.so")
    assert not own.owns_code("main", "/home/a/main.cpp", "/home/a/app")


def test_the_innermost_own_frame_leads() -> None:
    inner = Frame(1, "memcpy", "/lib/libc.so.6")
    own = Frame(2, "decode", "/home/a/build/app", None, "decode.cpp", 5)
    outer = Frame(3, "main", "/home/a/build/app", None, "main.cpp", 9)
    assert TARGET.frame((inner, own, outer)) is own
    assert OwnCode(("main",)).frame((inner, own, outer)) is outer
    assert TARGET.frame((inner,)) is inner  # better than nothing
