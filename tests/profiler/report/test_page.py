import base64
import hashlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collectors.errors import InputError, UsageError
from collectors.readers.dhat_out import parse_dhat
from collectors.records.cost import CostProcess
from collectors.records.errors import ErrorProcess, ErrorProfile, ErrorRecord, FatalSignal
from collectors.records.shared import Frame
from profiler.manifest import CaptureEntry, State
from profiler.report.content import ReportInput
from profiler.report.headline import Headline, worst_first
from profiler.report.overview import MOST_FOLDED, MOST_SHOWN, findings_section
from profiler.report.pack import unpack
from profiler.report.page import check_output, publish, render_report
from profiler.store import Reading
from tests.conftest import DATA
from tests.profiler.report.made_session import (
    content,
    cost_profile,
    damaged_content,
    error_profile,
    heap_profile,
    schedstat_profile,
    vmstat_profile,
)

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(2)>",
    "\"'&<>`${alert(3)}",
    "line\nbreak\r\u2028",
    "right\u202eto\u2066left",
    "surrogate\ud800\udcff",
    "<sub>x</sub>" * 10_000,
)


def parts(page: str) -> dict[str, dict[str, Any]]:
    found = re.findall(
        r'<script type="application/x-droidgrind" id="part-([^"]+)">([^<]*)<', page
    )
    return {name: unpack(text) for name, text in found}


@pytest.fixture(scope="module")
def page() -> str:
    return render_report(content())


def test_what_was_not_simulated_is_not_told_of() -> None:
    """Callgrind names its caches in any case, and says nothing behind the names."""
    cost = cost_profile()
    counted = replace(
        cost,
        events=("Ir",),
        counts=cost.counts[:1],
        processes=(CostProcess(description=("I1 cache: ", "D1 cache: ", "LL cache: ")),),
    )
    page = render_report(content(cachegrind=(counted,)))
    assert "No cache was simulated" in page
    assert "Simulated cache" not in page
    assert "colour: share of data accesses" not in page
    assert "colour: share of data accesses" in render_report(content())


def test_the_same_session_gives_the_same_bytes(page: str) -> None:
    assert render_report(content()) == page


def test_the_page_names_no_host(page: str) -> None:
    """Nothing in the page's own markup can fetch; the library's texts are packed."""
    markup = page[: page.rindex("<script>")]
    assert re.findall(r"(?:src|href|action|srcset)\s*=\s*[\"']?(?!#)[^\"'\s>]+", markup) == []
    assert not re.search(r"url\(|@import", page)


def test_the_policy_names_the_two_scripts_and_forbids_the_rest(page: str) -> None:
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert found is not None
    rules = dict(rule.strip().split(" ", 1) for rule in found[1].split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["base-uri"] == rules["form-action"] == "'none'"
    script = page[page.rindex("<script>") + 8 : page.rindex("</script>")]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert rules["script-src"].split()[0] == f"'sha256-{digest}'"
    assert len(rules["script-src"].split()) == 2
    assert "unsafe-inline" not in rules["script-src"]


def test_sharing_is_off(page: str) -> None:
    assert "showSendToCloud: false" in page


def test_a_session_of_five_tools_has_all_parts(page: str) -> None:
    names = set(parts(page))
    assert {"scheduling", "heap-0", "heap-0-tree-8", "cost", "errors"} <= names
    for place in ("overview", "scheduling", "heap", "cache", "errors", "made"):
        assert f'<section id="{place}"' in page


def test_the_page_is_small(page: str) -> None:
    assert len(page.encode()) < 800_000


def test_every_figure_has_its_place_and_every_place_its_figure(page: str) -> None:
    places = dict(re.findall(r'<figure id="([^"]+)" data-part="([^"]+)"', page))
    documents = parts(page)
    drawn = {name: part for part, doc in documents.items() for name in doc.get("figures", {})}
    assert places == drawn
    assert len(places) >= 8


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text(name: str) -> None:
    frame = Frame(1, name, f"/lib/{name}", "/src", name, 3)
    record = ErrorRecord(name, name, (frame,), thread_name=name, suppression=name)
    base = content(memcheck=(ErrorProfile([record]),))
    manifest = replace(
        base.manifest,
        id=name,
        target=replace(base.manifest.target, argv=(name, name), cwd=name),
    )
    captures = tuple(replace(c, argv=(name,), note=name, version=name) for c in base.captures)
    page = render_report(replace(base, manifest=manifest, captures=captures))
    page.encode("utf-8")  # no lone surrogate is left
    assert len(re.findall(r"<script", page)) == len(
        re.findall(r"<script", render_report(content()))
    )
    for sign in ("<script>alert", "<img", "onerror=alert(2)>", "\u202e", "\u2066", "\u2028"):
        assert sign not in page
    assert len(page) < 900_000


@pytest.mark.parametrize(
    ("tool", "place"),
    [("massif", "heap"), ("cachegrind", "cache"), ("memcheck", "errors")],
)
def test_a_missing_tool_is_said_with_its_remedy(tool: str, place: str) -> None:
    page = render_report(content(**{tool: ()}))
    section = page[page.index(f'<section id="{place}"') :]
    assert f"record with <code>-t {tool}</code>" in section[: section.index("</section>")]


def test_without_samplers_the_section_says_so() -> None:
    page = render_report(content(vmstat=(), schedstat=()))
    assert "No system load: record with <code>-t vmstat</code>" in page
    assert "No thread scheduling: record with <code>-t schedstat</code>" in page


@pytest.mark.parametrize("tool", ["vmstat", "schedstat", "memcheck", "cachegrind", "massif"])
def test_one_tool_alone_makes_a_page(tool: str) -> None:
    """With the chart library only where it is drawn with."""
    others = dict.fromkeys(("vmstat", "schedstat", "memcheck", "cachegrind", "massif"), ())
    del others[tool]
    page = render_report(content(**others))
    assert len(parts(page)) >= 1
    assert ('id="plotly-library"' in page) == (tool != "memcheck")
    assert ("Plotly, Inc." in page) == (tool != "memcheck")


def test_an_empty_session_makes_a_page() -> None:
    page = render_report(
        content(vmstat=(), schedstat=(), memcheck=(), cachegrind=(), massif=())
    )
    assert "No verdict" in page
    assert "✔" not in page.partition('<section id="scheduling"')[0]
    assert "No tool was run" in page
    assert "What the figures are not" not in page


def test_several_tools_of_a_shape_are_named() -> None:
    dhat = parse_dhat(DATA / "dhat/3.19-x86_64/dhat.heap.json")
    page = render_report(content(dhat=(dhat,), helgrind=(ErrorProfile([]),)))
    assert "Memcheck, Helgrind; each error once" in page
    assert "DHAT tells of its peak and its end alone" in page
    assert "Mean lifetime, instr." in page
    assert "DHAT counts accesses" in page
    assert "DRD sees" not in page
    only = render_report(content(memcheck=(), drd=(ErrorProfile([]),)))
    assert "DRD found no error" in only


def test_one_sample_is_no_figure_of_time() -> None:
    page = render_report(content(vmstat=(), schedstat=(schedstat_profile(samples=1),)))
    assert "One sample" in page
    assert not {"cpu-time", "thread-lanes"} & set(parts(page)["scheduling"]["figures"])


def test_damage_and_failure_are_said() -> None:
    page = render_report(damaged_content())
    assert "Memcheck damaged, Massif failed" in page
    assert page.count("out.xml:12: the document ends inside an element; later errors miss") == 3
    assert "massif ended as failed: Valgrind was killed by signal 9" in page


@pytest.mark.parametrize(
    ("signal", "note", "said"),
    [
        ("SIGTERM", "it was stopped after 2 s (--timeout)",
         "●</span> Process 7 was ended by droidgrind's --timeout (SIGTERM)."),
        ("SIGTERM", "it was stopped before its end", "●</span> Process 7 was ended (SIGTERM)."),
        ("SIGSEGV", "it was stopped after 2 s (--timeout)", "✖ Process 7 ended by SIGSEGV."),
    ],
)  # fmt: skip
def test_a_signal_that_was_sent_is_a_note(signal: str, note: str, said: str) -> None:
    process = ErrorProcess(7, tool="memcheck", fatal_signal=FatalSignal(1, signal))
    made = content(memcheck=(ErrorProfile([], (process,)),))
    captures = [
        replace(entry, state=State.PARTIAL, note=note) if entry.tool == "memcheck" else entry
        for entry in made.captures
    ]
    page = render_report(replace(made, captures=tuple(captures)))
    errors = page.partition('<section id="errors"')[2].partition("</section>")[0]
    assert said in errors
    assert errors.count("✖") == (signal == "SIGSEGV")


def test_memcheck_without_errors_is_good_news() -> None:
    page = render_report(content(memcheck=(ErrorProfile([]),)))
    assert "Memcheck found no error" in page


def overview(page: str) -> str:
    return page.partition('<section id="scheduling"')[0]


def quiet(**profiles: object) -> ReportInput:
    """A session in which no rule finds anything."""
    nothing = dict.fromkeys(("vmstat", "schedstat", "cachegrind", "massif"), ())
    return content(**{"memcheck": (ErrorProfile([]),), **nothing, **profiles})


def test_nothing_found_is_good_news_only_where_all_was_looked_at() -> None:
    whole = quiet()
    assert "✔ 0 errors" in overview(render_report(whole))
    failed = CaptureEntry("helgrind", State.FAILED, note="no such tool")
    page = render_report(
        replace(
            whole,
            captures=(*whole.captures, failed),
            load=lambda tool: (
                Reading(tool, (), (), ()) if tool == "helgrind" else whole.load(tool)
            ),
        )
    )
    assert "✔" not in overview(page)
    assert "Helgrind failed" in overview(page)
    assert "Memcheck found no error" in page
    assert "Not whole: Helgrind." in page
    sampled = overview(render_report(quiet(memcheck=(), vmstat=(vmstat_profile(),))))
    assert "✔" not in sampled
    assert "no tool looked for memory errors" in sampled


def test_a_tool_that_was_cut_short_found_nothing_for_sure() -> None:
    whole = quiet()
    captures = tuple(replace(c, state=State.PARTIAL) for c in whole.captures)
    page = render_report(replace(whole, captures=captures))
    assert "found no error" not in page
    assert "Not whole: Memcheck." in page


def test_a_kind_bears_the_sign_of_its_findings() -> None:
    """A few bytes that are lost once are worth a note, not a red cross."""
    own = Frame(1, "start", "/home/me/app", "/home/me", "app.cpp", 3)
    lost = ErrorRecord(
        "Leak_DefinitelyLost", "16 bytes lost", (own,), leaked_bytes=16, leaked_blocks=1
    )
    along = ErrorRecord(
        "Leak_IndirectlyLost", "8 bytes lost", (own,), leaked_bytes=8, leaked_blocks=1
    )
    page = render_report(content(memcheck=(ErrorProfile([lost, along]),)))
    chips = dict(re.findall(r'data-kind="([^"]+)" data-severity="([^"]+)"', page))
    assert chips == {"Leak_DefinitelyLost": "info", "Leak_IndirectlyLost": "info"}
    written = ErrorRecord("InvalidWrite", "Invalid write of size 4", (own,))
    page = render_report(content(memcheck=(ErrorProfile([lost, written]),)))
    chips = dict(re.findall(r'data-kind="([^"]+)" data-severity="([^"]+)"', page))
    assert list(chips.items()) == [("InvalidWrite", "error"), ("Leak_DefinitelyLost", "info")]


def test_a_thousand_findings_are_cut_and_the_page_says_so() -> None:
    found = [Headline("info", f"info {n}", "", "", "heap") for n in range(1234)]
    page = findings_section(found, "", judged=True, whole=True)
    assert page.count("<li") == MOST_SHOWN + MOST_FOLDED
    assert f"{1234 - MOST_SHOWN - MOST_FOLDED:,} of the least weight are left out" in page


def test_source_is_embedded_and_can_be_left_out(tmp_path: Path) -> None:
    file = tmp_path / "conv.cpp"
    file.write_text("".join(f"int line{n}; // secret{n}\n" for n in range(1, 12)), "utf-8")
    made = content(cachegrind=(cost_profile(str(file)),), memcheck=(error_profile(str(file)),))
    with_source = parts(render_report(made))
    assert with_source["source-0"]["lines"][2] == "int line3; // secret3"
    held = with_source["source-0"]
    costs = dict(zip(held["line"], held["counts"][0], strict=True))
    assert costs == {3: 9000, 4: 1000, 8: 8000}
    assert with_source["errors"]["snippets"][str(file)]["4"] == "int line4; // secret4"
    without = render_report(made, source=False)
    assert "secret" not in str(parts(without))
    assert "left out (<code>--no-source</code>)" in without


def test_the_worst_stand_first_and_the_rest_can_be_opened() -> None:
    found = [Headline("info", f"info {n}", "", "", "heap", "heap-kept", n) for n in range(20)]
    found += [
        Headline("error", "the <worst>", "why & how", "do", "errors/record=3", "leak-once")
    ]
    page = findings_section(worst_first(found), "", judged=True, whole=True)
    first = page.partition("<details")[0]
    assert first.index("the &lt;worst&gt;") < first.index("info 19") < first.index("info 18")
    assert first.count("<li") == MOST_SHOWN
    assert f"{21 - MOST_SHOWN} more" in page
    assert page.count("<li") == 21
    assert 'href="#errors/record=3"' in first
    assert 'title="droidgrind explain leak-once"' in first


def test_existing_output_needs_force(tmp_path: Path) -> None:
    output = tmp_path / "report.html"
    output.write_text("mine", "utf-8")
    with pytest.raises(UsageError, match=r"report\.html exists: use --force"):
        check_output(output, force=False)
    check_output(output, force=True)
    with pytest.raises(UsageError, match="is a directory"):
        check_output(tmp_path, force=True)


def test_an_output_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(UsageError, match="there is no folder"):
        publish("page", tmp_path / "file" / "report.html")
    with pytest.raises(UsageError, match=r"there is no folder .*none: create it first"):
        check_output(tmp_path / "none" / "report.html", force=False)
    assert not (tmp_path / "none").exists()


def test_a_full_disk_leaves_the_old_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "report.html"
    output.write_text("old", "utf-8")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        publish("new", output)
    assert output.read_text("utf-8") == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_two_tools_that_count_are_not_added_up() -> None:
    made = content(callgrind=(cost_profile(),))
    assert made.costs()[0] == "cachegrind"
    alone = content(cachegrind=(), callgrind=(cost_profile(),))
    assert alone.costs()[0] == "callgrind"
    assert "Callgrind, self cost" in render_report(alone)
    cycles = parts(render_report(made))["cost"]["total_cycles"]
    assert cycles == parts(render_report(content()))["cost"]["total_cycles"]


def test_thinning_is_said() -> None:
    page = render_report(
        content(
            vmstat=(vmstat_profile(9000),),
            schedstat=(schedstat_profile(20, 2000),),
            massif=(heap_profile(5000),),
        )
    )
    assert "9,000 samples drawn as 4,000 spans" in page
    assert "2,000 samples drawn as 1,500 spans" in page
    assert "The 16 busiest of 20 threads" in page
    assert "of 5,000 snapshots are drawn" in page


def test_of_very_many_processes_the_largest_heaps_are_shown() -> None:
    page = render_report(content(massif=tuple(heap_profile(2 + n) for n in range(12))))
    assert "The 8 largest of 12 processes" in page
    assert 'data-heap="7"' in page
    assert 'data-heap="8"' not in page


def test_a_tool_that_this_version_does_not_know_is_listed_only() -> None:
    made = content()
    other = replace(made.captures[0], tool="of-the-future")
    page = render_report(replace(made, captures=(*made.captures, other)))
    assert "<td>of-the-future</td>" in page


def test_several_processes_each_have_a_heap() -> None:
    page = render_report(content(massif=(heap_profile(), heap_profile(6))))
    assert 'data-heap="1"' in page
    assert {"heap-0", "heap-1"} <= set(parts(page))
