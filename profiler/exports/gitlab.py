"""GitLab's code quality report: a subset of Code Climate's, one object an error."""

import json
from typing import BinaryIO

from profiler.error_kinds import kind_words
from profiler.exports.content import need_errors, own_code, severity, source_path
from profiler.fingerprint import error_fingerprint, fingerprint
from profiler.store import Session
from profiler.visible import visible

_SEVERITIES = {"error": "critical", "warning": "major", "info": "info"}


def write(session: Session, out: BinaryIO) -> None:
    own = own_code(session)
    seen: dict[str, int] = {}
    out.write(b"[")
    first = True
    for tool, profile in need_errors(session):
        for record in profile.records:
            frame = own.frame(record.frames)
            mark = error_fingerprint(record)
            seen[mark] = seen.get(mark, 0) + 1
            if seen[mark] > 1:  # GitLab drops what has another's fingerprint
                mark = fingerprint(mark, str(seen[mark]))
            issue = {
                "description": f"{kind_words(record.kind).title}: {visible(record.what)}",
                "check_name": f"{tool}.{record.kind}",
                "fingerprint": mark,
                "severity": _SEVERITIES[severity(record)],
                "location": {
                    "path": visible(source_path(frame) or (frame and frame.obj) or "unknown"),
                    "lines": {"begin": (frame and frame.line) or 1},
                },
            }
            out.write(b"\n" if first else b",\n")
            out.write(json.dumps(issue, ensure_ascii=True).encode())
            first = False
    out.write(b"\n]\n")
