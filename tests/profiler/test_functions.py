"""What an inlined lambda is called: debug information says `operator()` and no more."""

from pathlib import Path

import pytest

from collectors.records.shared import Frame
from profiler.findings import session_findings
from profiler.functions import name_in_stack, short_name
from profiler.importing import import_files

FILL = "0x109435: operator() (l.cpp:8)", "0x109435: ns::S::fill(int) (l.cpp:8)"
EACH = (
    "0x109395: operator()<int> (l.cpp:11)",
    "0x109395: void ns::S::each<ns::S::generic(int)::{lambda(auto:1)#1}>(int) (l.cpp:10)",
)
INVOKED = (
    "0x1093E5: operator() (l.cpp:9)",
    "0x1093E5: __invoke_impl<void, ns::S::viafn(int)::<lambda(int)>&, int> (invoke.h:61)",
    "0x1093E5: std::_Function_handler<void (int)>::_M_invoke(std::_Any_data const&) (f.h:290)",
)


def stack(places: tuple[str, ...]) -> tuple[Frame, ...]:
    return tuple(
        Frame.from_place(int(ip, 16), place)
        for ip, _, place in (text.partition(": ") for text in places)
    )


@pytest.mark.parametrize(
    ("places", "name"),
    [
        (FILL, "operator() in ns::S::fill"),
        (EACH, "lambda in generic"),
        (INVOKED, "lambda in viafn"),
        # Clang's debug information names a lambda by its place
        (
            (
                "0x1: operator() (a.cpp:8)",
                "0x1: each<(lambda at a.cpp:8:3)> (each.h:3)",
                "0x1: (anonymous namespace)::run(int) (a.cpp:9)",
            ),
            "lambda in run",
        ),
        # the caller is another function: nothing holds the code
        (("0x1: operator() (a.cpp:8)", "0x2: run() (a.cpp:9)"), "operator()"),
        (("0x1: operator() (a.cpp:8)",), "operator()"),
        (("0x1: Less::operator()(int) (a.cpp:8)", "0x1: run() (a.cpp:9)"), "Less::operator()"),
        (("0x1: run(int) (a.cpp:8)", "0x1: main (a.cpp:9)"), "run"),
    ],
)
def test_an_inlined_call_is_named_by_what_it_is_in(places: tuple[str, ...], name: str) -> None:
    assert short_name(name_in_stack(stack(places), 0) or "") == name


def test_lambdas_of_several_functions_are_no_single_owner(tmp_path: Path) -> None:
    head = ["desc: (none)", "cmd: ./l", "time_unit: i"]
    lines = list(head)
    for number in range(2):
        lines += [
            "#-----------",
            f"snapshot={number}",
            "#-----------",
            f"time={number * 1000}",
            f"mem_heap_B={number * 9_000_000}",
            "mem_heap_extra_B=0",
            "mem_stacks_B=0",
            f"heap_tree={'detailed' if number else 'empty'}",
        ]
    lines.append("n2: 9000000 (heap allocation functions) malloc/new/new[], --alloc-fns, etc.")
    for size, places in ((6_000_000, FILL), (3_000_000, EACH)):
        for depth, place in enumerate(places, start=1):
            below = 1 if depth < len(places) else 0
            lines.append(f"{' ' * depth}n{below}: {size} {place}")
    file = tmp_path / "massif.out.1"
    file.write_text("\n".join(lines) + "\n")
    session = import_files([file], tmp_path / "sessions")
    (owner,) = (f for f in session_findings(session) if f.rule == "heap-owner")
    assert (
        owner.title == "operator() in ns::S::fill holds 67 % of the heap at its peak: l.cpp:8"
    )
