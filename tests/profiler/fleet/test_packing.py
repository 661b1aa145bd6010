"""Sessions on their way from a worker: whole, or refused."""

import io
import tarfile
from pathlib import Path

import pytest

from collectors.errors import InputError
from profiler.fleet.recording import pack_session, unpack_session


def test_a_session_comes_back_as_it_was(tmp_path: Path) -> None:
    session = tmp_path / "here"
    (session / "raw" / "empty").mkdir(parents=True)
    (session / "raw" / "file").write_bytes(b"\0\xff")
    unpack_session(pack_session(session), tmp_path / "there")
    assert (tmp_path / "there/raw/file").read_bytes() == b"\0\xff"
    assert (tmp_path / "there/raw/empty").is_dir()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here", "there"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("session/../../out", tarfile.REGTYPE),
        ("/tmp/out", tarfile.REGTYPE),
        ("other/out", tarfile.REGTYPE),
        ("session/out", tarfile.SYMTYPE),
        ("session/out", tarfile.FIFOTYPE),
    ],
)
def test_what_is_no_part_of_a_session_is_refused(
    tmp_path: Path, name: str, kind: bytes
) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.type = kind
        member.linkname = "/etc/passwd"
        archive.addfile(member)
    with pytest.raises(InputError, match="cannot write"):
        unpack_session(packed.getvalue(), tmp_path / "there")
    assert not list(tmp_path.iterdir())
