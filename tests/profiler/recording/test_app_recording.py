"""Recordings of installed apps: each way to get around one, and each refusal."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.devices.adb import AdbDevice, open_device
from collectors.devices.apps import check_value
from collectors.devices.thermal import Thermal
from collectors.errors import DeviceError, UsageError
from collectors.tools.tool import ToolSettings
from profiler import summarise
from profiler.doctor.android import app_checks
from profiler.doctor.check import Check, Level
from profiler.manifest import State
from profiler.recording.cleanup import cleanup
from profiler.recording.journal import journals
from profiler.recording.plan import Plan
from profiler.recording.progress import SilentObserver
from profiler.recording.wrap_sh import write_wrap_sh
from profiler.session import run_plan
from profiler.store import Session
from tests.conftest import DATA
from tests.phone import apps
from tests.phone.stand_in import StandIn
from tests.profiler.conftest import TOOLS, VALGRIND, BuildC, device_state, processes
from tests.profiler.recording.test_device_recording import droidgrind
from tui.cli import main

pytestmark = [pytest.mark.phone, pytest.mark.valgrind]
PACKAGE = "com.example.demo"


class Watching(SilentObserver):
    def __init__(self) -> None:
        self.said: list[str] = []

    def warning(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture
def device(phone: StandIn, adb_device: AdbDevice, valgrind: str) -> Iterator[AdbDevice]:
    """The phone with Android's programs for apps; not rooted."""
    if not (phone.root / "system/framework").exists():
        if shutil.which("musl-gcc") is None:
            pytest.skip("musl-gcc is not installed")
        apps.add_app_support(phone.root, phone.folder)
    apps.set_rooted(phone.root, phone.folder, rooted=False)
    yield open_device(phone.serial)
    apps.set_rooted(phone.root, phone.folder, rooted=False)
    apps.set_engineering(phone.root, debuggable=False)
    for folder in (phone.root / "data/app").iterdir():
        apps.uninstall_app(phone.root, folder.name)


@pytest.fixture
def several_uids() -> None:
    if os.getuid() != 0:
        pytest.skip("a user namespace has one uid, which is root: run the suite as root")


def demo(build_c: BuildC) -> Path:
    return build_c("demo-app", source=apps.PROGRAM)


def record_app(
    device: AdbDevice,
    folder: Path,
    tools: tuple[str, ...],
    valgrind: str | None,
    app: str = PACKAGE,
) -> tuple[Session, list[str]]:
    watching = Watching()
    musl = ToolSettings(("--soname-synonyms=somalloc=NONE",))  # older Valgrinds need it
    plan = Plan(None, tools, {"memcheck": musl}, app=app, timeout=3.0)
    session = run_plan(plan, device, folder, valgrind=valgrind, observer=watching).session
    return session, watching.said


def check_whole(session: Session, package: str = PACKAGE) -> None:
    assert session.state is State.COMPLETE, session.captures
    assert session.manifest.target.label == package
    lost = summarise(session)["memcheck"]["leaks"]["definitely_lost"]
    assert lost == {"bytes": 1234, "blocks": 1}
    assert f"app {package}\n".encode() in (session.folder("memcheck") / "stdout").read_bytes()
    assert session.captures[-1].exit_status == 143


def doctor(app: str, serial: str) -> dict[str, Check]:
    return {check.name: check for check in app_checks(open_device(serial), app)}


@pytest.mark.usefixtures("several_uids")
@pytest.mark.parametrize(
    ("root", "package"),
    [
        ("magisk", PACKAGE),
        ("aosp", f"{PACKAGE}.{'with_a_name_longer_than_a_property_may_be' * 2}"),
        ("adb root", PACKAGE),
    ],
    ids=["su -c", "su 0", "adb root"],
)
def test_wrap_property_where_there_is_root(
    phone: StandIn,
    device: AdbDevice,
    valgrind: str,
    build_c: BuildC,
    tmp_path: Path,
    root: str,
    package: str,
) -> None:
    apps.install_app(phone.root, package, demo(build_c), debuggable=False)
    way = {"magisk": "su -c", "aosp": "su 0", "adb root": "adbd"}[root]
    if root == "adb root":
        apps.set_engineering(phone.root, debuggable=True)
    else:
        apps.set_rooted(phone.root, phone.folder, rooted=True, kind=root)
    before = device_state(phone)
    check = doctor(package, phone.serial)["way"]
    assert check.level is Level.OK
    assert ("asks for `adb root`" if root == "adb root" else f"here ({way})") in check.found
    session, said = record_app(
        open_device(phone.serial), tmp_path, ("memcheck",), valgrind, package
    )
    check_whole(session, package)
    assert any(f"wrap property, since commands can be root's here ({way})" in s for s in said)
    assert any("Android waits 30 s for its process" in text for text in said)
    assert any("SELinux is permissive" in text for text in said)
    assert device_state(phone) == before
    assert (phone.root / "data/misc/selinux").read_text() == "Enforcing\n"
    assert processes(phone) == []
    assert list(journals()) == []


def test_wrap_sh_without_root(
    phone: StandIn, device: AdbDevice, build_c: BuildC, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    libraries = apps.install_app(phone.root, PACKAGE, demo(build_c), debuggable=True)
    written = write_wrap_sh(PACKAGE, "x86_64", tmp_path / "module", valgrind=TOOLS)
    assert "src/main/resources/lib/x86_64/wrap.sh" in written.files
    assert b"\r" not in (written.folder / written.files[0]).read_bytes()
    for file in (written.folder / "src/main/resources/lib/x86_64").iterdir():
        shutil.copy2(file, libraries)
    shutil.copy2(DATA / "thermalservice.txt", phone.root / "data/misc/thermal")
    before = device_state(phone)
    checks = doctor(PACKAGE, phone.serial)
    assert checks["way"].found.startswith("wrap.sh: its APK brings a wrap.sh")
    assert checks["its valgrind"].level is Level.OK
    session, said = record_app(device, tmp_path, ("schedstat", "memcheck"), None)
    check_whole(session)
    assert any("wrap.sh, since its APK brings a wrap.sh" in text for text in said)
    assert summarise(session)["schedstat"]["threads"]
    hot = Thermal("moderate", 71.3, "CPU2")
    assert session.manifest.native is not None
    assert session.manifest.native.thermal == (hot, hot)
    assert main(["show", str(session.directory)]) == 0
    shown = capsys.readouterr().out
    assert "thermal status moderate before, moderate after; CPU2 71 °C, 71 °C before" in shown
    assert device_state(phone) == before
    assert processes(phone) == []


@pytest.mark.usefixtures("several_uids")
def test_samplers_alone_where_nothing_else_works(
    phone: StandIn, device: AdbDevice, build_c: BuildC, tmp_path: Path
) -> None:
    apps.install_app(phone.root, PACKAGE, demo(build_c), debuggable=False)
    before = device_state(phone)
    default = ("vmstat", "schedstat", "memcheck", "cachegrind", "massif")
    session, said = record_app(device, tmp_path, default, None)
    assert session.state is State.COMPLETE
    assert session.tools == ("vmstat", "schedstat")
    (line,) = [text for text in said if text.startswith("only vmstat and schedstat")]
    assert "not debuggable" in line
    (thread,) = summarise(session)["schedstat"]["threads"]
    assert thread["run_seconds"] > 0
    assert device_state(phone) == before
    assert processes(phone) == []


@pytest.mark.usefixtures("several_uids")
def test_each_refusal_has_its_own_words(
    phone: StandIn, device: AdbDevice, build_c: BuildC, tmp_path: Path
) -> None:
    apps.install_app(phone.root, PACKAGE, demo(build_c), debuggable=False)
    long = "com.example.a_rather_long_package_name"
    apps.install_app(phone.root, long, demo(build_c), debuggable=False)
    apps.install_app(phone.root, "com.example.service", demo(build_c), debuggable=True)
    (phone.root / "data/app/com.example.service/activity").unlink()
    apps.install_app(phone.root, "com.example.nowrap", demo(build_c), debuggable=True)
    before = device_state(phone)

    def refusal(app: str, kind: type[Exception] = DeviceError) -> str:
        """What a recording says; the doctor said the same before."""
        with pytest.raises(kind) as caught:
            record_app(open_device(phone.serial), tmp_path, ("memcheck",), VALGRIND, app)
        said = str(caught.value)
        check = list(doctor(app, phone.serial).values())[-1]
        expected = Level.PROBLEM if kind is UsageError else Level.WARNING
        assert (check.name, check.level) == ("app" if kind is UsageError else "way", expected)
        assert check.found.removeprefix("samplers only: ") in said
        assert check.remedy
        assert check.remedy in said
        return said

    assert "com.example.gone is not installed on" in refusal("com.example.gone", UsageError)
    assert "has no activity that a launcher" in refusal("com.example.service", UsageError)
    assert "write PACKAGE or PACKAGE/ACTIVITY" in refusal("demo", UsageError)
    assert "is not debuggable and" in refusal(PACKAGE)
    assert "brings no wrap.sh: add one with" in refusal("com.example.nowrap")
    apps.set_rooted(phone.root, phone.folder, rooted=True, kind="denies")
    said = refusal(PACKAGE)
    assert "has a su that refuses the shell user (Permission denied; its root manager" in said
    apps.set_rooted(phone.root, phone.folder, rooted=False)
    properties = phone.root / "system/build.prop"
    text = properties.read_text()
    properties.write_text(text.replace("version.sdk=33", "version.sdk=25"))
    try:
        assert "wrap.sh works from Android 8.1 on" in refusal("com.example.nowrap")
        apps.set_rooted(phone.root, phone.folder, rooted=True)
        assert "before Android 8 a name has at most 31" in refusal(long)
    finally:
        properties.write_text(text)
        apps.set_rooted(phone.root, phone.folder, rooted=False)
    apps.set_rooted(phone.root, phone.folder, rooted=True)
    with pytest.raises(DeviceError) as caught:  # only starting it shows
        record_app(
            open_device(phone.serial), tmp_path, ("memcheck",), VALGRIND, f"{PACKAGE}/.Nothing"
        )
    said = str(caught.value)
    assert "does not start: Error type 3" in said or "Activity class" in said
    apps.set_rooted(phone.root, phone.folder, rooted=False)
    assert {k: v for k, v in device_state(phone).items() if "system/bin/su" not in k} == {
        k: v for k, v in before.items() if "system/bin/su" not in k
    }
    assert list(journals()) == []
    assert os.listdir(phone.root / "data/local/tmp") == ["valgrind"]  # noqa: PTH208


def test_a_property_that_android_would_cut_is_refused() -> None:
    assert check_value("sh /data/local/tmp/x") == "sh /data/local/tmp/x"
    with pytest.raises(DeviceError, match="would have 92 characters, of 91 that are possible"):
        check_value("x" * 92)


@pytest.mark.usefixtures("several_uids")
def test_a_wrap_sh_without_valgrind_is_doubted_before_it_is_waited_for(
    phone: StandIn, device: AdbDevice, build_c: BuildC
) -> None:
    libraries = apps.install_app(phone.root, PACKAGE, demo(build_c), debuggable=True)
    (libraries / "wrap.sh").write_text("#!/system/bin/sh\n", encoding="utf-8")
    check = doctor(PACKAGE, device.serial)["way"]
    assert check.level is Level.WARNING
    assert "brings a wrap.sh but no Valgrind" in check.found
    assert check.remedy == "add its files with `droidgrind wrap-sh`"


@pytest.mark.usefixtures("several_uids")
@pytest.mark.parametrize("root", ["su -c", "adb root"])
def test_killed_amid_a_wrapped_app_everything_is_put_back(
    phone: StandIn,
    device: AdbDevice,
    valgrind: str,
    build_c: BuildC,
    tmp_path: Path,
    root: str,
) -> None:
    apps.install_app(phone.root, PACKAGE, demo(build_c), debuggable=False)
    if root == "adb root":
        apps.set_engineering(phone.root, debuggable=True)
    else:
        apps.set_rooted(phone.root, phone.folder, rooted=True)
    before = device_state(phone)
    process = droidgrind(
        "record", "-s", device.serial, "--app", PACKAGE, "-t", "memcheck",
        "--valgrind", valgrind, cwd=tmp_path,
    )  # fmt: skip
    running = phone.root / f"data/system/running.{PACKAGE}"
    deadline = time.monotonic() + 60
    while not running.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.communicate(timeout=60)
    assert (phone.root / f"data/property/wrap.{PACKAGE}").exists()
    assert (phone.root / "data/misc/selinux").read_text() == "Permissive\n"
    (cleaned,) = cleanup()
    assert cleaned.left == ()
    assert {change.split()[0] for change in cleaned.undone} == {
        "folder", "setting", "app-folder", "selinux", "debug-app", "property", "app-started",
        *(["adb-root"] if root == "adb root" else []),
    }  # fmt: skip
    assert device_state(phone) == before
    assert processes(phone) == []
