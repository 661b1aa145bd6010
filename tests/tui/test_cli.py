import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tui.cli import COMMANDS, build_parser, load_command, main

HEAVY = ("textual", "rich", "plotly", "adbutils", "elftools", "numpy", "psutil", "requests")


def run(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tui.cli", *words],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys\n"
        "from tui.cli import main\n"
        "try:\n"
        "    main(['--help'])\n"
        "except SystemExit:\n"
        "    pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr.strip() == "[]"
    assert "record" in done.stdout


def test_shapes_are_known_without_tools_and_readers() -> None:
    """Nor does asking a tool for its files import what reads them."""
    script = (
        "import sys\n"
        "from collectors import registry\n"
        "shapes = [registry.shape(name) for name in registry.tool_names()]\n"
        "print([name for name in sys.modules if name.startswith('collectors.tools')])\n"
        "[registry.tool(name).is_output('x') for name in registry.tool_names()]\n"
        "print([name for name in sys.modules if name.startswith('collectors.readers')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split("\n") == ["[]", "[]", ""]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert f"example:\n  {load_command(name).example}" in text
    assert load_command(name).name == name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_is_a_valid_command_line(name: str) -> None:
    program, *words = shlex.split(load_command(name).example)
    assert program == "droidgrind"
    assert build_parser([name]).parse_args(words).command == name


def test_no_command_prints_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "usage: droidgrind" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["record"], 2, "no program to record: `droidgrind record -- PROGRAM ARGS…`"),
        (["record", "-t", "memchek", "--", "true"], 2, "did you mean memcheck? choose from"),
        (["show", "/etc/passwd"], 3, "/etc/passwd is a file, not a session's folder"),
        (["sessions", "--sessions", "/etc/passwd"], 2, "is a file: sessions live in a folder"),
        (["export", "--format", "x"], 2, "there is no format 'x': choose from junit"),
        (["export", "--format", "sarf"], 2, "'sarf'; did you mean sarif? choose from"),
        (["record", "--", "/no/such"], 2, "/no/such: there is no such program"),
        (["record", "--", "./nope"], 2, " ./nope: there is no such program"),
        (["export", "latest"], 2, "say what to write with --format: junit, sarif"),
        (["record", "-t", "gdb", "--", "true"], 2, "there is no tool 'gdb': choose from"),
        (["record", "-t", "memcheck", "--pid", "1"], 2, "memcheck runs a program of its own"),
        (["record", "--pid", "1", "--", "true"], 2, "--pid watches what is there already"),
        (["record", "--timeout", "0", "--", "true"], 2, "--timeout 0: must be above 0"),
        (["record", "--resume", "x", "--tool-arg", "a=b"], 2, "begun: give no --tool-arg"),
        (["record", "--resume", "x", "--name", "y"], 2, "begun: give no --name"),
        (["record", "--env", "A", "--", "true"], 2, "--env A: write NAME=VALUE"),
        (["record", "--cwd", "/no/such", "--", "true"], 2, "there is no such directory"),
        (["record", "--label", "build", "--", "true"], 2, "--label build: write NAME=VALUE"),
        (["record", "--tool-arg", "massif", "--", "true"], 2, "write TOOL=ARG"),
        (["record", "--tool-arg", "x=--y", "--", "true"], 2, "there is no tool 'x'"),
        (
            ["record", "-t", "massif", "--valgrind", "/no/such", "--", "true"],
            5,
            "/no/such: neither a valgrind program nor a folder with",
        ),
        (
            ["record", "-t", "massif", "--valgrind", "/tmp", "--", "true"],
            5,
            "/tmp: neither a valgrind program nor a folder with",
        ),
        (["record", "--pid", "99999999"], 2, "there is no process 99999999 on local"),
        (["show", "nothing"], 3, "there is no session 'nothing'"),
        (["show"], 3, "no session in droidgrind-sessions yet"),
        (["report", "nothing"], 3, "there is no session 'nothing'"),
        (["import", "/no/such"], 3, "/no/such: No such file or directory"),
        (["import", "/"], 3, "/ is a directory: name the files in it"),
        (["import", "/dev/null"], 3, "/dev/null is a pipe or a device"),
        (
            ["import", "/etc/passwd"],
            3,
            "/etc/passwd is no output that is known here: looked for",
        ),
    ],
)
def test_mistakes_are_answered_with_one_line_and_their_exit_code(
    words: list[str],
    code: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DROIDGRIND_SESSIONS", raising=False)
    assert main(words) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())  # nothing is left of a refused command


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "--frobnicate"), "unrecognized arguments: --frobnicate\n"),
        (("show", "--jsn"), "unrecognized arguments: --jsn; did you mean --json?"),
        (("devices", "--all"), "unrecognized arguments: --all\n"),
        (("shwo",), "there is no command 'shwo'; did you mean show?"),
    ],
)
def test_wrong_words_are_answered_by_their_command(words: tuple[str, ...], said: str) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert said in done.stderr
    usage = f"usage: droidgrind {words[0]} [-h]" if len(words) > 1 else "usage: droidgrind [-h]"
    assert done.stderr.startswith(usage)


def test_a_misspelt_target_is_answered_with_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "droidgrind.toml").write_text('[targets.bench]\nprogram = ["true"]\n')
    assert main(["record", "bnech"]) == 2
    assert "nor a program on PATH; did you mean bench?" in capsys.readouterr().err


def test_an_empty_manifest_says_where_the_raw_files_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "session.json").touch()
    assert main(["show", str(tmp_path)]) == 3
    said = capsys.readouterr().err
    assert "session.json: not JSON: the file is empty; what the tools wrote is in" in said
    assert "`droidgrind import FILE…`" in said


def test_program_that_cannot_run_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plain = tmp_path / "plain"
    plain.write_text("no program")
    assert main(["record", "--", str(plain)]) == 2
    assert "is not executable: chmod +x" in capsys.readouterr().err
    source = tmp_path / "main.cpp"
    source.write_text("int main() {}")
    for word in (str(source), "main.cpp"):
        assert main(["record", "--", word]) == 2
        assert "is a source file: compile it" in capsys.readouterr().err
    (tmp_path / "src").mkdir()
    assert main(["record", "--", "src"]) == 2
    assert "src is a directory, not a program" in capsys.readouterr().err
    plain.chmod(0o755)
    assert main(["record", "--", str(plain)]) == 2
    assert "neither an ELF program nor a script" in capsys.readouterr().err
    assert main(["record", "--", "plain"]) == 2
    assert "write ./plain to run the one here" in capsys.readouterr().err


def test_no_sessions_is_said_and_is_no_error(tmp_path: Path) -> None:
    done = run("sessions", "--sessions", str(tmp_path))
    assert (done.returncode, done.stdout) == (0, "")
    assert "no session in" in done.stderr
    listed = run("sessions", "--sessions", str(tmp_path), "--json")
    assert json.loads(listed.stdout) == []


def test_closed_pipe_is_no_crash() -> None:
    script = f"'{sys.executable}' -m tui.cli sessions --json --sessions /nowhere | true"
    done = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert "Traceback" not in done.stderr


def test_version_is_the_packages() -> None:
    from profiler.version import installed_version

    done = run("--version")
    assert done.stdout.strip() == f"droidgrind {installed_version()}"
