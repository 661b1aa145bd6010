import shutil
import subprocess
from pathlib import Path

import pytest

from collectors.devices.device import CacheGeometry, Caches, DeviceFacts
from collectors.tools.cachegrind import TOOL, simulated
from collectors.tools.tool import ToolSettings

SLICED = CacheGeometry(272_629_760, 20, 64)  # 13 * 2**14 sets, as /sys tells of a server's L3
SMALL = CacheGeometry(32_768, 8, 64)


@pytest.mark.parametrize(
    ("cache", "expected"),
    [
        (SMALL, SMALL),
        (CacheGeometry(48 * 1024, 12, 64), CacheGeometry(48 * 1024, 12, 64)),
        (CacheGeometry(1024**2, 16_384, 64), CacheGeometry(1024**2, 16_384, 64)),
        # 12,288 sets become 8,192, and 16 ways 24: no byte is lost
        (CacheGeometry(12 * 1024**2, 16, 64), CacheGeometry(12 * 1024**2, 24, 64)),
        # what Valgrind 3.19 says it simulates where it finds this cache by itself
        (SLICED, CacheGeometry(276_824_064, 33, 64)),
    ],
)
def test_caches_are_such_as_cachegrind_simulates(
    cache: CacheGeometry, expected: CacheGeometry
) -> None:
    assert simulated(cache) == expected


@pytest.mark.valgrind
def test_valgrind_takes_the_caches_of_a_machine_with_slices(tmp_path: Path) -> None:
    if shutil.which("valgrind") is None:
        pytest.skip("valgrind is not installed")
    facts = DeviceFacts("local", caches=Caches(SMALL, SMALL, SLICED, "/sys"))
    options = TOOL.options((3, 19, 0), str(tmp_path), ToolSettings(), facts)
    run = subprocess.run(
        ["valgrind", "--tool=cachegrind", *options, "true"], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
