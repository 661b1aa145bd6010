import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from profiler.demo import demo_session
from tests.conftest import DATA
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
        (["record", "-t", "massif", "-t", "gdb", "--", "true"], 2, "there is no tool 'gdb'"),
        (["record", "-t", "gdb", "-t", "massif", "--", "true"], 2, "there is no tool 'gdb'"),
        (["fleet-worker", "lab", "-s", "x"], 2, "lab: write a scheduler's address as tcp://"),
        (["query", "", "--sessions", "."], 2, "not answered: write one statement, not 0"),
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
        (("show", "--frobnicate"), "unrecognized arguments: --frobnicate"),
        (("show", "--jsn"), "unrecognized arguments: --jsn; did you mean --json?"),
        (("devices", "--all"), "unrecognized arguments: --all"),
        (("shwo",), "there is no command 'shwo'; did you mean show?"),
        (("record", "--timeout", "abc"), "argument --timeout: 'abc' is not a number"),
        (("record", "--timeout", "nan"), "argument --timeout: 'nan' is not a number"),
        (("watch", "--pid", "x"), "argument --pid: 'x' is not a whole number"),
        (("devices", "-P", "99999"), "argument -P: '99999' is not a port: 1 to 65535"),
        (("diff", "a"), "the following arguments are required: SESSION"),
    ],
)
def test_wrong_words_are_answered_by_their_command(words: tuple[str, ...], said: str) -> None:
    done = run(*words)
    assert done.returncode == 2
    command = f"droidgrind {words[0]}" if len(words) > 1 else "droidgrind"
    assert done.stderr == f"droidgrind: {said} (`{command} --help` explains)\n"


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


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (
            "[" * 100_000,
            "session.json: not JSON: it is nested too deeply; what the tools",
        ),
        ("{}", "session.json: schema is not a whole number; what the tools wrote is in"),
        (
            '{"schema": 99}',
            "written by a newer droidgrind (schema 99, this one reads 1): up",
        ),
        (None, "is not a session: it has no session.json (`droidgrind sessions` lists"),
    ],
)
def test_a_session_that_cannot_be_read_says_why_and_leaves_the_list_whole(
    document: str | None,
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    broken = tmp_path / "droidgrind-sessions" / "broken"
    broken.mkdir(parents=True)
    if document is not None:
        (broken / "session.json").write_text(document)
    demo_session(tmp_path / "droidgrind-sessions")
    assert main(["show", str(broken)]) == 3
    assert said in capsys.readouterr().err
    assert main(["sessions"]) == 0
    assert "demo-sample" in capsys.readouterr().out


def test_what_a_newer_tool_left_is_said_and_the_rest_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    directory = demo_session(tmp_path).directory
    manifest = directory / "session.json"
    known = manifest.read_text()
    manifest.write_text(known.replace('"tool": "massif"', '"tool": "lackey"'))
    assert main(["show", str(directory)]) == 0
    shown = capsys.readouterr().out
    assert "lackey: this droidgrind does not know that tool; its results are not shown" in shown
    assert "Is memory used correctly?" in shown
    (tmp_path / "symbols").mkdir()
    assert main(["symbolize", str(directory), "--symbols", "symbols"]) == 3  # nothing fits
    # a name is a folder's below raw/, and never one elsewhere
    manifest.write_text(known.replace('"tool": "massif"', '"tool": "../../etc"'))
    assert main(["show", str(directory)]) == 3
    assert "'../../etc' is no tool's name" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [("show",), ("show", "--json"), ("export", "--format", "sarif"), ("explain",)]
)
def test_output_that_finds_no_room_is_one_line(words: tuple[str, ...], tmp_path: Path) -> None:
    session = [str(demo_session(tmp_path).directory)] if words[0] != "explain" else []
    for redirected, code in ((">/dev/full", 3), (">&-", 0)):
        command = shlex.join([sys.executable, "-m", "tui.cli", words[0], *session, *words[1:]])
        done = subprocess.run(
            ["sh", "-c", f"{command} {redirected}"],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code
        said = "cannot write the output: No space left on device: make room, or write elsewhere"
        assert done.stderr == (f"droidgrind: {said}\n" if code else "")


def test_what_the_system_refuses_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    long = "a" * 5000
    for words in (["show", long], ["import", long], ["sessions", "--sessions", long]):
        assert main(words) == 3
        said = capsys.readouterr().err
        assert "aaa…aaa" in said
        assert ": File name too long (`droidgrind --debug …` shows where" in said
        assert len(said.splitlines()) == 1
    with pytest.raises(OSError, match="File name too long"):
        main(["--debug", "show", long])
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert main(["sessions"]) == 3
    assert "was removed: change to another one" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)


def test_a_baseline_that_could_not_be_written_is_not_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").write_text("hello\n")
    for output, said in (
        ("text", "text:1: no suppression: it must begin with { and begins with hello"),
        ("none/x.supp", "there is no folder none"),
        ("/proc/x.supp", "cannot write /proc/x.supp: "),
    ):
        assert main(["baseline", "-s", "local", "-o", output]) == 3
        assert said in capsys.readouterr().err
    assert not (tmp_path / "droidgrind-sessions").exists()


def test_what_is_there_already_is_no_new_session(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = DATA / "memcheck/3.19-x86_64/memcheck-bugs.txt"
    for place in (log, tmp_path):
        (tmp_path / "x").touch()
        assert main(["import", str(log), "-o", str(place)]) == 3
        said = f"{place} is there already: a session needs a new folder"
        assert said in capsys.readouterr().err


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
