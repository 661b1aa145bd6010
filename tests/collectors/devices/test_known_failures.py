"""Which versions of Valgrind fail on which devices."""

import pytest

from collectors.devices.device import DeviceFacts
from collectors.devices.known_failures import KNOWN_FAILURES, failures_of


def names(version: tuple[int, ...], abi: str, sdk: int | None) -> set[str]:
    return {known.name for known in failures_of(version, abi, DeviceFacts("x", sdk=sdk))}


@pytest.mark.parametrize(
    ("version", "abi", "sdk", "fatal"),
    [
        ((3, 25, 1), "arm64-v8a", 34, True),
        ((3, 26, 0), "arm64-v8a", 34, False),
        ((3, 19, 0), "arm64-v8a", 33, False),
        ((3, 19, 0), "x86_64", 35, False),
        ((3, 19, 0), "armeabi-v7a", 35, False),
    ],
)
def test_android_14_needs_3_26_on_arm64(
    version: tuple[int, ...], abi: str, sdk: int, fatal: bool
) -> None:
    facts = DeviceFacts("x", sdk=sdk)
    assert any(known.fatal for known in failures_of(version, abi, facts)) is fatal


def test_newer_versions_have_fewer() -> None:
    assert names((3, 15, 0), "arm64-v8a", 33) > names((3, 19, 0), "arm64-v8a", 33)
    assert names((3, 22, 0), "arm64-v8a", 33) > names((3, 23, 0), "arm64-v8a", 33)
    assert names((3, 27, 1), "arm64-v8a", 35) == set()


def test_android_10_alone_has_execute_only_libraries() -> None:
    assert "execute-only-memory" in names((3, 27, 1), "arm64-v8a", 29)
    assert "execute-only-memory" not in names((3, 27, 1), "arm64-v8a", 30)
    assert "execute-only-memory" not in names((3, 27, 1), "arm64-v8a", 28)


def test_every_row_says_what_to_do() -> None:
    assert len({known.name for known in KNOWN_FAILURES}) == len(KNOWN_FAILURES)
    for known in KNOWN_FAILURES:
        assert known.cause
        assert known.remedy
        assert known.pattern or known.note or known.fatal
