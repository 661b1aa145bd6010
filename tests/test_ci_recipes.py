"""The recipes of docs/ci.md: as their services want them, with options that there are."""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from profiler.check.limits import check_settings, parse_fail_on, parse_max
from tui.cli import COMMANDS, build_parser

PAGE = (Path(__file__).parent.parent / "docs/ci.md").read_text(encoding="utf-8")


def blocks(language: str, head: str) -> list[str]:
    """The code of a section."""
    section = PAGE.partition(f"\n## {head}\n")[2].partition("\n## ")[0]
    found = re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert found
    return found


@pytest.mark.parametrize(
    ("head", "schema"),
    [("GitHub Actions", "vendor.github-workflows"), ("GitLab", "vendor.gitlab-ci")],
)
def test_a_recipe_fits_its_services_schema(head: str, schema: str, tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.yml" for number in range(len(blocks("yaml", head)))]
    for file, text in zip(files, blocks("yaml", head), strict=True):
        file.write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *files],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="actionlint not installed")
def test_actionlint_has_nothing_to_say_of_the_workflows(tmp_path: Path) -> None:
    folder = tmp_path / ".github/workflows"
    folder.mkdir(parents=True)
    for number, text in enumerate(blocks("yaml", "GitHub Actions")):
        (folder / f"{number}.yml").write_text(text)
    done = subprocess.run(
        ["actionlint", *folder.iterdir()],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.stdout, done.returncode) == ("", 0)


def test_the_commands_are_droidgrinds() -> None:
    parser = build_parser(list(COMMANDS))
    lines = re.findall(r"(?<![\w/-])(?:venv/bin/)?droidgrind ([a-z].*)", PAGE)
    commands = [shlex.split(re.sub(r"\)$|'$", "", line), comments=True) for line in lines]
    assert len(commands) > 20
    for words in commands:
        assert parser.parse_args(words).command == words[0]


def test_the_projects_file_is_read_as_it_stands() -> None:
    (text,) = blocks("toml", "droidgrind.toml, ready to copy")
    settings = check_settings(tomllib.loads(text)["check"], "ci.md")
    assert [parse_max(word) for word in settings.most]
    assert [limit for terms in settings.fail_on for limit in parse_fail_on(terms)]
