"""The question that a tool's figures answer: in texts and in the dashboard."""

from collectors import registry
from collectors.records.shared import Shape

_OF_SHAPE = {
    Shape.SAMPLES: "Who waits for a CPU?",
    Shape.ERRORS: "Is memory used correctly?",
    Shape.COST: "Which code misses the cache?",
    Shape.HEAP: "Where does the heap go?",
}
_OF_TOOL = {
    "callgrind": "What does code cost?",
    "drd": "Do threads race?",
    "helgrind": "Do threads race?",
}
# Helgrind and DRD write errors as Memcheck does, but look for no leaks.
LEAK_CHECKER = "memcheck"


def question(tool: str) -> str:
    """What a known tool is asked for. Raises `UsageError` for another."""
    return _OF_TOOL.get(tool) or _OF_SHAPE[registry.shape(tool)]
