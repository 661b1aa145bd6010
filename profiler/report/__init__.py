"""Reports: one HTML page from a session (or, in `comparison`, from two)."""

from profiler.report.page import write_report

__all__ = ["write_report"]
