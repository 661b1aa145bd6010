"""A fleet of four phones on two workers, one of which is killed; a phone is unplugged."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from profiler.fleet.ledger import CellState, Ledger
from profiler.fleet.plan import load_plan
from profiler.manifest import State
from profiler.store import open_session
from tests.phone.stand_in import StandIn, missing_programs
from tests.profiler.fleet.cluster import SECONDS, Cluster, kill_worker

pytestmark = pytest.mark.phone
REPEATS = 2


@pytest.fixture(scope="module")
def phones() -> Iterator[list[StandIn]]:
    """Four phones, all of them at the first one's adb server."""
    missing = missing_programs()
    if missing or shutil.which("musl-gcc") is None:
        pytest.skip(f"the stand-in phone needs {', '.join(missing) or 'musl-gcc'}")
    allowed = subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], check=False)
    if allowed.returncode:
        pytest.skip("the stand-in phone needs root or user namespaces")
    running = [StandIn() for _ in range(4)]
    for phone in running[1:]:
        running[0].adb("connect", phone.serial)
    yield running
    for phone in running:
        phone.close()


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("musl")
    source = folder / "naps.c"
    source.write_text("#include <unistd.h>\nint main(void) { usleep(2000000); return 0; }\n")
    made = folder / "naps"
    subprocess.run(["musl-gcc", "-static", "-o", made, source], check=True, timeout=60)
    return made


def test_every_cell_ends_done_once(
    phones: list[StandIn], program: Path, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.toml"
    devices = "".join(
        f'[[devices]]\nserial = "{phone.serial}"\nname = "phone{place}"\n'
        for place, phone in enumerate(phones)
    )
    plan.write_text(
        f'tools = ["schedstat"]\nrepeats = {REPEATS}\nretries = 3\n{devices}'
        f'[[targets]]\nname = "naps"\nprogram = ["{program}"]\n'
    )
    server = {
        "ANDROID_ADB_SERVER_HOST": "127.0.0.1",
        "ANDROID_ADB_SERVER_PORT": str(phones[0].server_port),
    }
    serials = [phone.serial for phone in phones]
    with Cluster(tmp_path, [serials[:2], serials[2:]], server) as cluster:
        words = ["fleet", str(plan), "--json", "--scheduler"]
        fleet = subprocess.Popen(
            [sys.executable, "-m", "tui.cli", *words, cluster.address],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        )
        wait_for_a_run(phones[3])
        kill_worker(phones[0].serial)
        phones[3].wire.cut(away_seconds=3)
        out, err = fleet.communicate(timeout=4 * SECONDS)
    assert fleet.returncode == 0, err.decode()
    cells = json.loads(out)["cells"]
    assert [cell["state"] for cell in cells] == ["done"] * len(phones) * REPEATS
    loaded = load_plan(plan)
    entries = Ledger(loaded.output).entries()
    assert {entry.state for entry in entries} == {CellState.DONE}
    sessions = sorted(path.parent.name for path in loaded.output.glob("*/session.json"))
    assert sessions == [entry.id for entry in entries]
    for name in sessions:
        assert open_session(loaded.output / name).state is State.COMPLETE


def wait_for_a_run(phone: StandIn) -> None:
    """Until the phone runs the target."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        for comm in phone.root.glob("proc/*/comm"):
            if comm.read_text() == "naps\n":
                return
        done = subprocess.run(["pgrep", "-x", "naps"], capture_output=True, check=False)
        if done.returncode == 0:
            return
        time.sleep(0.1)
    raise AssertionError("the target never ran")
