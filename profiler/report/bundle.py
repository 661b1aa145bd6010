"""The Plotly library that a page carries; the only module that touches plotly.

Reports use a bundle of plotly.js with just the trace types that are drawn, which
scripts/build-plotly-bundle makes. Where it is missing, the full library of the installed
plotly package does the same, four times as large.
"""

import base64
import gzip
import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

BUNDLE = "plotly.min.js.gz"
FACTS = "plotly.json"


@dataclass(frozen=True)
class Library:
    """The JavaScript text of plotly.js, gzipped, and its digest.

    A page takes it as it is: unpacked, hashed and packed again it would cost a tenth of the
    time that a page takes. `custom` is False for the full fallback.
    """

    gzipped: bytes
    digest: bytes
    custom: bool

    @cached_property
    def content(self) -> bytes:
        return gzip.decompress(self.gzipped)

    @property
    def sha256(self) -> str:
        """As a Content-Security-Policy names it: base64."""
        return base64.b64encode(self.digest).decode("ascii")

    @property
    def packed(self) -> str:
        return base64.b64encode(self.gzipped).decode("ascii")

    @property
    def file_name(self) -> str:
        """The name under which many pages share it: of its content, so never stale."""
        return f"plotly-{self.digest.hex()[:12]}.min.js"


def library(*, full: bool = False) -> Library:
    """The custom bundle; the installed plotly's own where that is missing or `full` is set."""
    assets = files("profiler.report") / "assets"
    if not full and (assets / BUNDLE).is_file():
        facts = json.loads((assets / FACTS).read_bytes())
        return Library(
            (assets / BUNDLE).read_bytes(), bytes.fromhex(facts["sha256"]), custom=True
        )
    content = (files("plotly") / "package_data" / "plotly.min.js").read_bytes()
    return Library(
        gzip.compress(content, mtime=0), hashlib.sha256(content).digest(), custom=False
    )
