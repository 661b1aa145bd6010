"""The form for a new recording: each field's problem beside it, and what it all means."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from textual.events import Key
from textual.widgets import Button, Input, RadioSet, Static

from collectors import registry
from collectors.errors import UsageError
from profiler.recording.form import Typed, last_typed, remember
from tui.app import Dashboard
from tui.recording_form import TOOL_ANSWERS, command_words, problems, request_of
from tui.screens.new_recording import NewRecordingScreen
from tui.widgets.form_field import FormField, Tick
from tui.widgets.frame_lines import Notice, TextLine

SLEEP = Typed("sleep 1")


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def test_every_tool_is_offered() -> None:
    assert set(TOOL_ANSWERS) == set(registry.tool_names())


def test_a_field_says_once_what_it_is_about() -> None:
    found = problems(replace(SLEEP, command="./fliter"))
    assert found == {"command": "./fliter: there is no such program"}


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("command", "/no/such/program", "no such program"),
        ("command", "sleep '1", "quote"),
        ("command", "", "type the program"),
        ("tools", "", "at least one tool"),
        ("tools", "vmstat,nonsense", "nonsense"),
        ("timeout", "soon", "not a number"),
        ("timeout", "-1", "not a number above 0"),
        ("timeout", "nan", "not a number above 0"),
        ("cwd", "/no/such/folder", "no such folder"),
        ("env", "HOME", "NAME=VALUE"),
        ("push", "/no/such/model", "no such file"),
        ("symbols", "/no/such/symbols", "no such file or directory"),
        ("suppressions", "/no/such.supp", "no such"),
        ("tool_args", "massif", "TOOL=ARG"),
        ("tool_args", "nonsense=--x", "nonsense"),
        ("repeat", "0", "whole number"),
        ("repeat", "1.5", "whole number"),
        ("rate", "fast", "not a number"),
        ("labels", "1=2", "NAME=VALUE"),
    ],
)
def test_the_field_at_fault_is_named(field: str, value: str, said: str) -> None:
    found = problems(replace(SLEEP, **{field: value}))
    assert list(found) == [field]
    assert said in found[field].lower() or said in found[field]


def test_what_stands_against_each_other_is_said() -> None:
    assert "--repeat" in problems(replace(SLEEP, tools="memcheck", repeat="3"))["repeat"]
    app = Typed("org.example.app", kind="app")
    assert "--timeout" in problems(app)["timeout"]
    assert not problems(replace(app, timeout="5"))
    assert "package" in problems(Typed("nonsense", kind="app"))["command"]


def test_fields_are_the_words_of_record(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"1")
    typed = Typed(
        "sleep 1",
        "memcheck,massif",
        "local",
        "20",
        cwd=str(tmp_path),
        env="A=1 'B=two words'",
        push=str(tmp_path / "model.bin"),
        symbols=str(tmp_path),
        tool_args="massif=--depth=60",
        labels="build=7",
    )
    assert command_words(typed)[:7] == [
        *("record", "-t", "memcheck,massif", "-s", "local", "--timeout", "20")
    ]
    assert command_words(typed)[-3:] == ["--", "sleep", "1"]
    request = request_of(typed)
    plan = request.plan
    assert plan.target is not None
    assert plan.target.argv == ("sleep", "1")
    assert plan.target.cwd == tmp_path
    assert plan.target.env == {"A": "1", "B": "two words"}
    assert [pushed.file for pushed in plan.target.push] == [tmp_path / "model.bin"]
    assert plan.tools == ("memcheck", "massif")
    assert plan.timeout == 20
    assert plan.labels == {"build": "7"}
    assert plan.settings_of("massif").arguments == ("--depth=60",)
    assert request.symbols == (tmp_path,)
    assert request.serial == "local"


def test_what_runs_already_is_only_sampled() -> None:
    by_name = request_of(Typed("surfaceflinger", kind="process")).plan
    assert by_name.subject.name == "surfaceflinger"
    assert by_name.tools == ("vmstat", "schedstat")
    assert request_of(Typed("1", kind="process")).plan.subject.pid == 1
    assert request_of(Typed("ignored", kind="system")).plan.target is None
    with pytest.raises(UsageError, match="number or name"):
        request_of(Typed(kind="process"))


def test_a_named_target_brings_its_own_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "droidgrind.toml").write_text(
        '[targets.nap]\nprogram = ["sleep", "2"]\ntools = ["massif"]\ntimeout = 9\n'
    )
    monkeypatch.chdir(tmp_path)
    plan = request_of(Typed("nap")).plan
    assert plan.target is not None
    assert plan.target.argv == ("sleep", "2")
    assert (plan.tools, plan.timeout) == (("massif",), 9)
    assert request_of(Typed("nap", "memcheck")).plan.tools == ("memcheck",)


def test_what_was_typed_is_kept_also_by_an_older_version(tmp_path: Path) -> None:
    typed = replace(SLEEP, env="A=1", kind="system")
    remember(typed)
    assert last_typed() == typed
    file = next((tmp_path / "state").rglob("*.json"))
    older = {name: asdict(typed)[name] for name in ("command", "tools", "serial", "timeout")}
    file.write_text(json.dumps(older))
    assert last_typed() == SLEEP
    for damaged in ("[]", "{", '{"command": 3}'):
        file.write_text(damaged)
        assert last_typed() == Typed()


async def test_problems_stand_beside_their_fields(tmp_path: Path) -> None:
    app = Dashboard(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("r")
        await pilot.pause()
        form = app.screen
        assert isinstance(form, NewRecordingScreen)
        await app.workers.wait_for_complete()
        verdict = form.query_one("#verdict", Notice)
        assert "type the program" in verdict.text
        assert form.query_one("#start", Button).disabled
        await pilot.press(*"sleep", "space", "1", "tab", "tab", *"soon")
        await pilot.pause()
        field = form.query_one("#field-timeout", FormField)
        assert field.has_class("-wrong")
        assert "not a number" in field.query_one(TextLine).text
        assert "time limit" in verdict.text
        await pilot.press("enter")  # refused: the form stays
        assert app.screen is form
        await pilot.press(*["backspace"] * 4)
        await pilot.pause()
        assert not field.has_class("-wrong")
        assert verdict.severity == "ok"
        await pilot.press("tab", "space")  # the first tool is taken out
        await pilot.pause()
        said = str(form.query_one("#command-line", Static).content)
        assert "-t schedstat,memcheck,cachegrind,massif" in said
        assert said.endswith("-- sleep 1")
        form.query_one("#serial", Input).value = "nowhere"
        await pilot.pause()
        assert (
            "not plugged in"
            in form.query_one("#field-serial", FormField).query_one(TextLine).text
        )
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is not form


async def test_a_burst_of_keys_is_taken_in_order(tmp_path: Path) -> None:
    app = Dashboard(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("r")
        await pilot.pause()
        line = app.screen.query_one("#command", Input)
        line.value = "./engin 100"
        line.action_end()
        burst = [Key("backspace", "\x7f")] * 4 + [
            Key("e", "e"),
            Key("space", " "),
            Key("3", "3"),
        ]
        for key in burst:
            app.post_message(Key(key.key, key.character))  # no pause, as from a slow link
        for _ in burst:
            await pilot.pause()
        assert line.value == "./engine 3"


async def test_the_kind_changes_what_is_asked(tmp_path: Path) -> None:
    app = Dashboard(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("r")
        await pilot.pause()
        form = app.screen
        form.query_one("#kind", RadioSet).focus()
        await pilot.press("right", "right", "space")
        await pilot.pause()
        assert "number or name" in form.query_one("#verdict", Notice).text
        assert form.query_one("#tool-memcheck", Tick).disabled
        await pilot.click("#kind-system")
        await pilot.pause()
        assert not form.query_one("#field-command", FormField).display
        assert form.query_one("#verdict", Notice).severity == "ok"
        assert "--system" in str(form.query_one("#command-line", Static).content)
