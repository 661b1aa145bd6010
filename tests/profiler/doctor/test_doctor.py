"""What the doctor finds on the stand-in phone and on this machine."""

import json
import zipfile
from pathlib import Path

import pytest

from collectors.devices.device import CacheGeometry, Caches, DeviceFacts
from collectors.devices.local import LocalDevice
from profiler.cache_words import simulated_words
from profiler.doctor import android
from profiler.doctor.android import Answers
from profiler.doctor.bundle import Masker
from profiler.doctor.check import Check, Level
from profiler.doctor.examine import examine
from profiler.doctor.toolchain import version_checks
from tests.phone.stand_in import StandIn
from tui.cli import main

TOOLS = "/usr/libexec/valgrind"


def test_caches_are_said_as_recordings_say_them() -> None:
    caches = Caches(
        CacheGeometry(32 << 10, 8, 64), CacheGeometry(48 << 10, 12, 64),
        CacheGeometry(260 << 20, 20, 64), "/sys",
    )  # fmt: skip
    said = android.cache_check(DeviceFacts("local", caches=caches)).found
    assert said == (
        "I1 32 KiB 8-way, 64 B lines; D1 48 KiB 12-way, 64 B lines; LL 260 MiB 20-way, "
        "64 B lines, simulated as 264 MiB 33-way (Cachegrind needs a power of two of sets) "
        "(/sys)"
    )
    line = "LL cache:         276824064 B, 64 B, 33-way associative"
    assert simulated_words(line) == "LL 264 MiB 33-way, 64 B lines"
    assert simulated_words("D1 cache: 64 B, 64 B, direct-mapped") == (
        "D1 64 B direct-mapped, 64 B lines"
    )


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


@pytest.mark.phone
@pytest.mark.valgrind
class TestOnThePhone:
    def test_from_nothing_to_green(
        self, plugged: StandIn, capsys: pytest.CaptureFixture[str]
    ) -> None:
        serial = plugged.serial
        main(["install", "--remove"])
        assert main(["doctor"]) == 1
        said = capsys.readouterr().out
        assert "PROBLEM  valgrind" in said
        assert f"→ droidgrind install --from-apt -s {serial}" in said
        assert main(["install", TOOLS, "--tools", "massif"]) == 0
        capsys.readouterr()
        assert main(["doctor", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["schema"], found["serial"]) == (1, serial)
        levels = {check["name"]: check["level"] for check in found["checks"]}
        assert levels["/data/local/tmp"] == levels["free space"] == levels["toybox"] == "ok"
        assert levels["valgrind massif"] == levels["valgrind memcheck"] == "ok"
        assert "problem" not in levels.values()
        for check in found["checks"]:
            assert check["found"]
            assert check["remedy"] or check["level"] == "ok"

    def test_a_damaged_toolchain_is_a_problem(
        self, plugged: StandIn, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["install", TOOLS, "--tools", "memcheck"]) == 0
        folder = plugged.root / "data/local/tmp/droidgrind-toolchain"
        (folder / "valgrind").write_text("#!/system/bin/sh\n", encoding="utf-8")
        (tool,) = folder.glob("*-linux/memcheck-*")
        tool.write_bytes(b"\x7fELF")
        (folder / "amd64-linux.new").mkdir()
        capsys.readouterr()
        assert main(["doctor"]) == 1
        said = capsys.readouterr().out
        assert "PROBLEM  launcher" in said
        assert f"missing or damaged: {tool.name}" in said
        assert "half an install" in said
        assert main(["install", "--remove"]) == 0

    @pytest.mark.usefixtures("archive")
    def test_fix_installs_the_newest_for_the_same_abi(
        self, plugged: StandIn, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["install", TOOLS, "--tools", "memcheck"]) == 0
        (plugged.root / "data/local/tmp/droidgrind-toolchain/valgrind").unlink()
        status = main(["doctor", "--fix"])
        said = capsys.readouterr()
        assert status == 0, said.out
        assert "Valgrind 3." in said.err
        assert "ready to record" in said.out
        assert main(["install", "--remove"]) == 0

    def test_an_app_that_is_not_there(self, plugged: StandIn) -> None:
        checks = by_name(list(examine(plugged.serial, "com.example.none").checks))
        assert checks["app"].level is Level.PROBLEM

    def test_a_device_that_is_not_there(self, plugged: StandIn) -> None:
        found = examine("nobody")
        assert not found.healthy
        assert by_name(list(found.checks))["device"].level is Level.PROBLEM


@pytest.mark.valgrind
def test_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "-s", "local"]) == 0
    said = capsys.readouterr().out
    assert "runs true" in said
    assert "ready to record" in said


def test_install_refuses_what_cannot_be(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANDROID_SERIAL", raising=False)
    for words, status, said in (
        (["install"], 2, "give one SOURCE"),
        (["install", "a.deb", "--from-apt"], 2, "give one SOURCE"),
        (["install", "https://example.org/a.deb", "-s", "local"], 2, "--sha256"),
        (["install", "a.deb", "--abi", "mips", "-s", "local"], 2, "armeabi-v7a"),
        (["install", "a.deb", "-s", "local"], 4, "apt install valgrind"),
        (["install", "--remove", "a.deb"], 2, "--remove"),
    ):
        assert main(words) == status
        assert said in capsys.readouterr().err


GOOD = {
    "uid": "2000",
    "writable": "1",
    "executable": "1",
    "toybox": "toybox 0.8.11-android",
    "free": "1000000 4096",
    **{f"read {path}": "1" for path in android._READ},
    **{f"has {name}": "1" for name in android.PROGRAMS},
}


@pytest.mark.parametrize(
    ("change", "name", "level"),
    [
        ({}, "free space", Level.OK),
        ({"free": "1000 4096"}, "free space", Level.PROBLEM),
        ({"free": "50000 4096"}, "free space", Level.WARNING),
        ({"free": "what?"}, "free space", Level.WARNING),
        ({"executable": None}, "/data/local/tmp", Level.PROBLEM),
        ({"writable": None}, "/data/local/tmp", Level.PROBLEM),
        ({"has setsid": None}, "commands", Level.PROBLEM),
        ({"read /proc/self/schedstat": None}, "readable /proc", Level.PROBLEM),
        ({"read /proc/pressure/cpu": None}, "not told", Level.OK),
    ],
)
def test_answers_of_a_phone(change: dict[str, str | None], name: str, level: Level) -> None:
    said = {k: v for k, v in {**GOOD, **change}.items() if v is not None}
    answers, facts = Answers(said), DeviceFacts("x", sdk=33)
    checks = [
        *android.system_checks(facts, answers),
        *android.place_checks(answers),
        *android.toybox_checks(answers),
        *android.readable_checks(answers, facts),
    ]
    assert by_name(checks)[name].level is level


@pytest.mark.parametrize(("sdk", "level"), [(23, Level.PROBLEM), (24, Level.OK)])
def test_android_version(sdk: int, level: Level) -> None:
    checks = list(android.system_checks(DeviceFacts("x", sdk=sdk), Answers(GOOD)))
    assert by_name(checks)["android"].level is level


@pytest.mark.parametrize(
    ("said", "note"),
    [("toybox 0.8.9", "softirq percent"), ("toybox 0.8.11-android", "multiplies si and so")],
)
def test_the_bugs_of_each_toybox(said: str, note: str) -> None:
    (check,) = android.toybox_checks(Answers({**GOOD, "toybox": said}))
    assert note in check.found


def test_a_version_with_known_failures() -> None:
    facts = DeviceFacts("x", abi="arm64-v8a", sdk=34)
    levels = [check.level for check in version_checks((3, 19, 0), "3.19.0", facts, "newer")]
    assert levels.count(Level.PROBLEM) == 1
    assert levels.count(Level.WARNING) >= 3
    assert list(version_checks((3, 27, 1), "3.27.1", facts, "newer")) == []


def test_names_are_masked_whole_and_longest_first() -> None:
    masker = Masker({"/home/ann": "HOME", "ann": "USER", "ab": "SHORT"})
    text = masker.mask("/home/ann/x by ann, annotate cab ab ann@a.org 10.0.0.7 127.0.0.1")
    assert text == "HOME/x by USER, annotate cab ab MAIL ADDRESS 127.0.0.1"
    assert masker.counts == {"HOME": 1, "USER": 1, "MAIL": 1, "ADDRESS": 1}


@pytest.mark.valgrind
def test_bundle_shows_its_list_and_holds_no_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "annabelle"
    secret.mkdir()
    monkeypatch.setenv("HOME", str(secret))
    monkeypatch.setenv("LOGNAME", "annabelle")
    program = secret / "spyglass"
    program.symlink_to("/bin/true")
    sessions = ["--sessions", str(tmp_path / "sessions")]
    assert main(["record", *sessions, "-s", "local", "-t", "memcheck", "--", str(program)]) == 0
    file = tmp_path / "report.zip"
    capsys.readouterr()
    main(["doctor", "-s", "local", "--bundle", str(file), *sessions])
    said = capsys.readouterr().err
    assert "will hold" in said
    assert "doctor.json" in said
    assert said.index("will hold") < said.index("wrote")
    with zipfile.ZipFile(file) as packed:
        names = packed.namelist()
        text = b"".join(packed.read(name) for name in names)
    assert {"doctor.json", "versions.json", "device.json", "session/session.json"} <= set(names)
    assert any(name.endswith(".log") for name in names)
    assert b"annabelle" not in text
    assert b"spyglass" not in text
    assert (LocalDevice().facts().kernel or "").encode() in text
    assert main(["doctor", "-s", "local", "--bundle", str(file), *sessions]) == 3
