"""Every command and tool has its page, and no page points nowhere."""

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
from tui.cli import COMMANDS

DOCS = Path("docs")
PAGES = [Path("README.md"), Path("CONTRIBUTING.md"), *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_a_page_that_is_listed(name: str) -> None:
    page = (DOCS / "commands" / f"{name}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# droidgrind {name}\n")
    assert f"[{name}]({name}.md)" in (DOCS / "commands/index.md").read_text(encoding="utf-8")


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


def test_exit_codes_are_documented() -> None:
    text = (DOCS / "commands/index.md").read_text(encoding="utf-8")
    errors = (DroidgrindError, UsageError, InputError, DeviceError, ToolError, Interrupted)
    for error in (*errors, CommandFailed):
        assert f"\n| {error.exit_code} | " in text
