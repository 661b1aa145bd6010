"""docs/dashboard.md names every key, in the section of the screen that it is a key of."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import tui
from tui.key_names import key_name

INTRODUCTION = ""
SECTIONS = {
    "Dashboard": INTRODUCTION,
    "LineTable": INTRODUCTION,
    "FilterInput": INTRODUCTION,
    "HelpScreen": INTRODUCTION,
    "ExportScreen": INTRODUCTION,
    "ConfirmScreen": INTRODUCTION,
    "HomeScreen": "Devices and sessions",
    "SessionTable": "Devices and sessions",
    "DoctorScreen": "Devices and sessions",
    "ComparisonScreen": "Devices and sessions",
    "NewRecordingScreen": "Recording",
    "RecordingScreen": "Recording",
    "SchedulingView": "Scheduling",
    "WatchScreen": "Scheduling",
    "ProcessesScreen": "Scheduling",
    "HeapScreen": "Heap",
    "HeapTimeline": "Heap",
    "FlameGraph": "Heap",
    "TreeTable": "Heap",
    "SourceScreen": "Heap",
    "CacheScreen": "Cache",
    "SourceView": "Cache",
    "ErrorsScreen": "Errors",
    "StackPane": "Errors",
    "FindingsScreen": "Findings",
}
ELSEWHERE = {"FleetApp"}  # docs/fleet.md


def bindings() -> dict[str, list[Binding]]:
    """The bindings of each class of the dashboard."""
    found: dict[str, list[Binding]] = {}
    for module in pkgutil.walk_packages(tui.__path__, "tui."):
        if module.name.startswith("tui.commands"):
            continue
        for kind in vars(importlib.import_module(module.name)).values():
            own = isinstance(kind, type) and kind.__module__ == module.name
            if own and issubclass(kind, DOMNode) and "BINDINGS" in vars(kind):
                found[kind.__name__] = list(Binding.make_bindings(kind.BINDINGS))
    return found


def documented() -> dict[str, set[str]]:
    """What stands between backticks in each section."""
    page = Path("docs/dashboard.md").read_text(encoding="utf-8")
    first, *others = re.split(r"^## ", page, flags=re.MULTILINE)
    sections = {INTRODUCTION: first}
    for section in others:
        sections[re.split(r"[\s:(]*[:(\n]", section)[0].strip()] = section
    return {name: set(re.findall(r"`([^`\n]+)`", text)) for name, text in sections.items()}


@pytest.mark.parametrize("owner", sorted(bindings().keys() - ELSEWHERE))
def test_every_key_is_documented(owner: str) -> None:
    known = documented()[SECTIONS[owner]]
    alternatives: dict[str, set[str]] = {}
    for binding in bindings()[owner]:
        shown = binding.key_display or key_name(binding.key)
        alternatives.setdefault(binding.action, set()).add(shown)
    missing = {action: keys for action, keys in alternatives.items() if not keys & known}
    assert not missing
