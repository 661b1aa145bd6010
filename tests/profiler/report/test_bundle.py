import hashlib
import json
import re
from importlib.resources import files

import plotly

from profiler.report import bundle


def test_the_bundle_is_of_the_installed_plotlys_version() -> None:
    assets = files("profiler.report") / "assets"
    facts = json.loads((assets / "plotly.json").read_bytes())
    installed = (files("plotly") / "package_data" / "plotly.min.js").read_text("utf-8")[:300]
    found = re.search(r"plotly\.js v(\S+)", installed)
    assert found is not None
    remedy = (
        f"plotly {plotly.__version__} holds another plotly.js: run scripts/build-plotly-bundle"
    )
    assert facts["version"] == found[1], remedy


def test_the_bundle_is_what_its_facts_say() -> None:
    facts = json.loads((files("profiler.report") / "assets" / "plotly.json").read_bytes())
    library = bundle.library()
    assert library.custom
    assert hashlib.sha256(library.content).hexdigest() == facts["sha256"]
    assert len(library.content) == facts["bytes"] < 1_400_000
    assert {"bar", "heatmap", "scatter", "treemap"} == set(facts["traces"])


def test_the_bundle_ships_the_licences_of_all_its_packages() -> None:
    assets = files("profiler.report") / "assets"
    facts = json.loads((assets / "plotly.json").read_bytes())
    licences = (assets / "plotly.LICENSES.txt").read_text("utf-8")
    assert [name for name in facts["packages"] if f"\n{name}\n" not in licences] == []
    assert "Copyright (c) 2016-2024 Plotly Technologies Inc." in licences


def test_the_library_can_stand_in_a_page() -> None:
    for library in (bundle.library(), bundle.library(full=True)):
        assert b"</script" not in library.content.lower()
        assert b"eval(" not in library.content or not library.custom


def test_the_full_library_is_the_fallback() -> None:
    full = bundle.library(full=True)
    assert not full.custom
    assert len(full.content) > 3 * len(bundle.library().content)
