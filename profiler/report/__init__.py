"""Reports: a session as one HTML page that needs nothing else, not even a network."""

from profiler.report.comparison import write_comparison
from profiler.report.page import write_report

__all__ = ["write_comparison", "write_report"]
