"""Small programs made to show a rule or not to, recorded once each under the real tools."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from collectors.tools.tool import ToolSettings
from profiler.findings import Finding, session_findings
from profiler.session import record
from profiler.store import Session

PROGRAMS = Path(__file__).parent / "programs"
Recorded = Callable[..., Session]


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """`recorded("costs", "columns", "cachegrind")`: compiled and recorded on first use."""
    folder = tmp_path_factory.mktemp("rules")
    sessions: dict[tuple[object, ...], Session] = {}

    def session(
        name: str,
        mode: str,
        *tools: str,
        build: tuple[str, ...] = (),
        arguments: tuple[str, ...] = (),
        timeout: float | None = None,
        interval: float | None = None,
    ) -> Session:
        key = (name, mode, tools, build, arguments, timeout, interval)
        if key not in sessions:
            program = folder / "-".join((name, *(word.strip("-") for word in build)))
            if not program.exists():
                command = ["g++", "-g", "-O1", "-std=c++17", "-pthread", "-fno-builtin", *build]
                command += ["-o", str(program), str(PROGRAMS / f"{name}.cpp"), "-Wno-all"]
                subprocess.run(command, check=True, timeout=120)
            sessions[key] = record(
                [str(program), mode],
                tools=tools,
                directory=folder / f"session-{len(sessions)}",
                settings={
                    tool: ToolSettings(arguments=arguments, interval_seconds=interval)
                    for tool in tools
                },
                timeout=timeout,
            )
        return sessions[key]

    return session


def by_rule(session: Session) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in session_findings(session):
        found.setdefault(finding.rule, []).append(finding)
    return found


def line_of(program: str, mark: str) -> int:
    lines = (PROGRAMS / f"{program}.cpp").read_text(encoding="utf-8").splitlines()
    (number,) = (i for i, line in enumerate(lines, start=1) if f"MARK {mark}" in line)
    return number
