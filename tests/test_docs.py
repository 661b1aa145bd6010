"""Every command and tool has its page, and no page points nowhere."""

import argparse
import re
from pathlib import Path

import pytest

from collectors import registry
from collectors.errors import (
    CommandFailed,
    DeviceError,
    DroidgrindError,
    InputError,
    Interrupted,
    ToolError,
    UsageError,
)
from profiler.demo import demo_session
from profiler.rules.catalogue import RULES, rule_page
from profiler.thresholds import meanings, threshold_text
from tui.cli import COMMANDS, load_command, main

DOCS = Path("docs")
PAGES = [
    Path("README.md"),
    Path("README.zh-CN.md"),
    Path("CONTRIBUTING.md"),
    *sorted(DOCS.rglob("*.md")),
]


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_a_page_that_is_listed(name: str) -> None:
    page = (DOCS / "commands" / f"{name}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# droidgrind {name}\n")
    assert f"[{name}]({name}.md)" in (DOCS / "commands/index.md").read_text(encoding="utf-8")


def test_every_option_of_record_is_in_its_table() -> None:
    parser = argparse.ArgumentParser(prog="droidgrind", add_help=False)
    load_command("record").configure(parser)
    page = (DOCS / "commands/record.md").read_text(encoding="utf-8")
    rows = "\n".join(line for line in page.splitlines() if line.startswith("| `-"))
    for option in re.findall(r"(--?[A-Za-z][a-z-]*)(?: |,|\])", parser.format_usage()):
        assert re.search(rf"`{option}[` ]", rows), option


@pytest.mark.parametrize("name", registry.tool_names())
def test_tool_has_a_page_that_says_what_it_costs_and_cannot_see(name: str) -> None:
    page = (DOCS / "tools" / f"{name}.md").read_text(encoding="utf-8")
    assert page.lower().startswith(f"# {name}\n")
    assert "**Costs**" in page
    assert "**Cannot see**" in page
    assert f"[{name}]({name}.md)" in (DOCS / "tools/index.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if not link.startswith("http"):
            assert (page.parent / link).exists(), link


@pytest.mark.parametrize("rule", RULES)
def test_rule_has_a_page_that_is_listed(rule: str) -> None:
    page = rule_page(rule)
    assert page.startswith(f"# {rule}\n\n{RULES[rule]}\n")
    for title in ("When it speaks", "Why it matters", "What to do", "When it is no problem"):
        assert f"\n## {title}\n\n" in page
    assert f"[{rule}]({rule}.md)" in (DOCS / "findings/index.md").read_text(encoding="utf-8")


def test_rules_and_their_pages_are_the_same_as_those_in_the_code() -> None:
    code = "".join(file.read_text("utf-8") for file in Path("profiler/rules").glob("*.py"))
    groups = "|".join(sorted({rule.partition("-")[0] for rule in RULES}))
    assert set(re.findall(rf'"((?:{groups})-[a-z-]+)"', code)) == set(RULES)
    pages = {page.stem for page in (DOCS / "findings").glob("*.md")}
    assert pages - set(RULES) == {"index", "thresholds", "accuracy"}


def test_thresholds_are_documented() -> None:
    text = (DOCS / "findings/thresholds.md").read_text(encoding="utf-8")
    for name, (default, meaning) in meanings().items():
        assert f"\n| `{name}` | {default:,.10g} | {meaning} |\n" in text


def test_rule_pages_name_thresholds_by_their_present_values() -> None:
    known = meanings()
    named: set[str] = set()
    for page in (DOCS / "findings").glob("*.md"):
        text = page.read_text(encoding="utf-8")
        for name, value in re.findall(r"`([a-z0-9_]+)`\s+\((\d[^)\s]*)\)", text):
            assert name in known, (page, name)
            assert value == threshold_text(known[name][0]), (page, name)
            named.add(name)
    assert len(named) > len(known) / 2


def test_exit_codes_are_documented() -> None:
    text = (DOCS / "commands/index.md").read_text(encoding="utf-8")
    errors = (DroidgrindError, UsageError, InputError, DeviceError, ToolError, Interrupted)
    for error in (*errors, CommandFailed):
        assert f"\n| {error.exit_code} | " in text


def test_the_readme_in_chinese_names_every_command_that_the_other_does() -> None:
    named = [
        set(re.findall(r"droidgrind ([a-z][a-z-]*)", Path(name).read_text("utf-8")))
        for name in ("README.md", "README.zh-CN.md")
    ]
    assert set(COMMANDS) & named[0] <= named[1]


def test_what_the_readme_shows_is_what_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Line by line but for figures, those of another run of the same program."""

    def shape(line: str) -> str:
        figure = r"(0x[0-9a-f]+|\d[\d.,:T+-]*)( ([kMG]|([KMG]i)?B)\b)?"
        return re.sub(r"\s+", " ", re.sub(figure, "N", line)).replace("samples", "sample")

    assert main(["show", str(demo_session(tmp_path).directory)]) == 0
    printed = [shape(line) for line in capsys.readouterr().out.splitlines()]
    text = Path("README.md").read_text("utf-8").partition("$ droidgrind show\n")[2]
    blocks = re.split(r"```(?:console)?\n", text.partition("\n## ")[0])[::2]
    # the target and the machine are others
    lines = [line for line in "\n".join(blocks).splitlines() if line.strip(" …")][2:]
    assert len(lines) > 30
    lines[0] = lines[0].partition(",")[0].replace("20261124-193719-sample", "demo-sample")
    for line in lines:
        shown = shape(line.partition("…")[0]).rstrip()
        assert any(one.startswith(shown) for one in printed), line
