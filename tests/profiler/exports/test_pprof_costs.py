"""pprof's costs, read back by protobuf: per line while they are few, per function above."""

import gzip
import io
from collections import Counter
from typing import Any

import numpy as np
import pytest

from profiler.exports import pprof
from profiler.exports.protobuf import Columns, message, number, packed
from profiler.importing import import_files
from profiler.store import Session
from tests.conftest import DATA
from tests.profiler.exports.test_exports import profile_message

CACHEGRIND = DATA / "cachegrind/3.19-x86_64/cachegrind.sort-cache.out"
EDGES = [0, 1, 127, 128, 16383, 16384, (1 << 31) - 1, 1 << 56, (1 << 63) - 1, -1, -(1 << 63)]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return import_files([CACHEGRIND, CACHEGRIND], tmp_path_factory.mktemp("pprof"))


def exported(session: Session) -> Any:
    out = io.BytesIO()
    pprof.write(session, out)
    profile = profile_message()
    profile.ParseFromString(gzip.decompress(out.getvalue()))
    return profile


def sums(profile: Any) -> Counter[tuple[str, str, str]]:
    """(event, function, file) → cost."""
    texts = list(profile.string_table)
    functions = {f.id: (texts[f.name], texts[f.filename]) for f in profile.function}
    assert len(functions) == len(profile.function)
    places = {p.id: functions[p.line[0].function_id] for p in profile.location}
    assert len(places) == len(profile.location)
    found: Counter[tuple[str, str, str]] = Counter()
    for sample in profile.sample:
        (place,) = sample.location_id
        for kind, value in zip(profile.sample_type, sample.value, strict=True):
            found[texts[kind.type], *places[place]] += value
    return found


def expected(session: Session) -> Counter[tuple[str, str, str]]:
    found: Counter[tuple[str, str, str]] = Counter()
    for profile in session.profiles("cachegrind"):
        for event, column in zip(profile.events, profile.counts, strict=True):  # type: ignore[union-attr]
            for symbol, count in zip(profile.row_symbol, column, strict=True):  # type: ignore[union-attr]
                named = profile.symbols[symbol]  # type: ignore[union-attr]
                found[event, named.fn, named.file] += count
    return found


def test_costs_are_per_line_and_the_sums_are_the_profiles(session: Session) -> None:
    profile = exported(session)
    lines = [place.line[0].line for place in profile.location]
    assert len(set(lines)) > 100
    assert sums(profile) == expected(session)


def test_above_a_size_costs_are_per_function_and_the_profile_says_so(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = sum(map(len, session.profiles("cachegrind")))  # type: ignore[arg-type]
    monkeypatch.setattr(pprof, "MOST_LINES", rows - 1)
    profile = exported(session)
    assert {place.line[0].line for place in profile.location} == {0}
    assert len(profile.sample) == len(profile.location) == len(profile.function) < rows
    assert sums(profile) == expected(session)
    said = f"costs are per function: {rows} source lines are more than {rows - 1}"
    assert said in list(profile.string_table)


@pytest.mark.parametrize("rows", [0, 1, len(EDGES)])
def test_columns_are_encoded_as_rows_are(rows: int) -> None:
    values = np.array(EDGES[:rows], dtype=np.int64)
    body = Columns(rows)
    body.packed(1, [values, values[::-1]])
    inner = Columns(rows)
    inner.number(300, values)
    body.message(4, inner)
    one_by_one = b"".join(
        packed(1, [value, other]) + message(4, number(300, value) or b"\xe0\x12\x00")
        for value, other in zip(values.tolist(), values[::-1].tolist(), strict=True)
    )
    assert body.encoded() == one_by_one
