"""Sources are found where they are here, and a changed one is said."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from collectors.errors import UsageError
from profiler.report.content import report_input
from profiler.report.page import render_report
from profiler.session import record
from profiler.source_map import SourceMap, guessed_rules, parse_rules, session_sources
from profiler.store import Session, open_session
from profiler.symbols.stored import read_symbols
from profiler.symbols.symbolize import symbolize
from tests.profiler.report.test_page import parts
from tests.profiler.symbols.conftest import SOURCE, strip


def test_a_rule_replaces_whole_folders_only(tmp_path: Path) -> None:
    rules = SourceMap({"/ci/engine/": str(tmp_path)})
    assert rules.place("/ci/engine/src/a.cpp") == str(tmp_path / "src/a.cpp")
    assert rules.place("/ci/engineer/a.cpp") == "/ci/engineer/a.cpp"
    assert rules.place("/ci/engine") == str(tmp_path)


def test_a_path_of_windows_is_mapped(tmp_path: Path) -> None:
    rules = SourceMap({r"C:\work\engine": str(tmp_path)})
    assert rules.place("C:\\work\\engine\\src\\a.cpp") == str(tmp_path / "src/a.cpp")


@pytest.mark.parametrize("word", ["", "=", "/a=", "=/tmp", "/a", "/a=/no/such/folder"])
def test_a_rule_that_cannot_work_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="--source-map"):
        parse_rules([word])


def test_the_project_above_the_symbols_is_guessed(tmp_path: Path) -> None:
    project = tmp_path / "home/engine"
    for name in ("src/a.cpp", "src/deep/b.cpp", "include/c.h"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).touch()
    symbols = project / "build/intermediates/cxx"
    symbols.mkdir(parents=True)
    paths = ["/ci/w/src/a.cpp", "/ci/w/src/deep/b.cpp", "/ci/w/include/c.h", "/ci/w/x/none.cpp"]
    assert guessed_rules(paths, [symbols]) == {"/ci/w": str(project)}
    # a file name alone is no evidence
    (project / "main.cpp").touch()
    assert guessed_rules(["/other/main.cpp"], [symbols]) == {}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Session]:
    """A session of a program that was built elsewhere; its project is here now."""
    folder = tmp_path_factory.mktemp("built")
    elsewhere = folder / "ci/build"
    (elsewhere / "src").mkdir(parents=True)
    (elsewhere / "src/net.cpp").write_text(SOURCE, encoding="utf-8")
    words = ["g++", "-std=c++17", "-O1", "-g", "-Wl,--build-id", "-o", "net"]
    subprocess.run([*words, str(elsewhere / "src/net.cpp")], cwd=elsewhere, check=True)
    project = folder / "project"
    (project / "build").mkdir(parents=True)
    shutil.copytree(elsewhere / "src", project / "src")
    shutil.copy2(elsewhere / "net", project / "build/net")
    stripped = strip(elsewhere / "net", folder / "device/net")
    shutil.rmtree(folder / "ci")
    session = record([str(stripped)], tools=["memcheck"], directory=folder / "session")
    symbolize(session, [project / "build"], cache=folder / "cache")
    return project, open_session(session.directory)


@pytest.mark.valgrind
def test_the_sources_of_a_build_elsewhere_are_found(built: tuple[Path, Session]) -> None:
    project, session = built
    entry = read_symbols(session.directory)
    assert entry is not None
    ((start, here),) = entry.source_map.items()
    assert start.endswith("/ci/build")
    assert here == str(project)
    source = session_sources(session).read(f"{start}/src/net.cpp")
    assert source is not None
    assert "past the end" in "\n".join(source.lines)
    assert not source.newer


@pytest.mark.valgrind
def test_a_source_that_changed_is_said_by_its_content(
    built: tuple[Path, Session], tmp_path: Path
) -> None:
    project, session = built
    entry = read_symbols(session.directory)
    assert entry is not None
    (start,) = entry.source_map
    copy = tmp_path / "copy"
    shutil.copytree(project, copy)
    file = copy / "src/net.cpp"
    rules = {start: str(copy)}
    later = 4_000_000_000
    os.utime(file, (later, later))  # touched, not changed
    same = session_sources(session, rules=rules).read(f"{start}/src/net.cpp")
    assert same is not None
    assert not same.newer
    file.write_text("// another\n" + SOURCE, encoding="utf-8")
    os.utime(file, (1, 1))  # changed, with an old date
    changed = session_sources(session, rules=rules).read(f"{start}/src/net.cpp")
    assert changed is not None
    assert changed.newer


@pytest.mark.valgrind
def test_the_report_shows_source_of_a_stripped_target(built: tuple[Path, Session]) -> None:
    page = parts(render_report(report_input(built[1])))
    found = page["errors"]["snippets"].values()
    assert any("past the end" in line for snippet in found for line in snippet.values())
    assert not parts(render_report(report_input(built[1]), source=False))["errors"]["snippets"]
