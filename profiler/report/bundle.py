"""The Plotly library that a page carries; the only module that touches plotly.

Reports use a bundle of plotly.js with just the trace types that are drawn, which
scripts/build-plotly-bundle makes. Where it is missing, the full library of the installed
plotly package does the same, four times as large.
"""

import base64
import gzip
import hashlib
import zlib
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

BUNDLE = "plotly.min.js.gz"


@dataclass(frozen=True)
class Library:
    """The JavaScript text of plotly.js; `custom` is False for the full fallback."""

    content: bytes
    custom: bool

    @cached_property
    def sha256(self) -> str:
        """As a Content-Security-Policy names it: base64."""
        return base64.b64encode(hashlib.sha256(self.content).digest()).decode("ascii")

    @cached_property
    def packed(self) -> str:
        return base64.b64encode(zlib.compress(self.content, 9)).decode("ascii")

    @property
    def file_name(self) -> str:
        """The name under which many pages share it: of its content, so never stale."""
        return f"plotly-{hashlib.sha256(self.content).hexdigest()[:12]}.min.js"


def library(*, full: bool = False) -> Library:
    """The custom bundle; the installed plotly's own where that is missing or `full` is set."""
    bundle = files("profiler.report") / "assets" / BUNDLE
    if not full and bundle.is_file():
        return Library(gzip.decompress(bundle.read_bytes()), custom=True)
    return Library(
        (files("plotly") / "package_data" / "plotly.min.js").read_bytes(), custom=False
    )
