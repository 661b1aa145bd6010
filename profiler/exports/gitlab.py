"""GitLab's code quality report, a subset of Code Climate's: one object a kind and own line."""

import json
from typing import BinaryIO

from profiler.error_kinds import kind_words
from profiler.exports.content import errors_by_place, own_code, severity, source_path
from profiler.fingerprint import error_fingerprint, fingerprint
from profiler.store import Session
from profiler.visible import visible

_SEVERITIES = {"error": "critical", "warning": "major", "info": "info"}


def write(session: Session, out: BinaryIO) -> None:
    own = own_code(session)
    seen: dict[str, int] = {}
    out.write(b"[")
    first = True
    for tool, records in errors_by_place(session, own):
        record = records[0]
        frame = own.frame(record.frames)
        mark = error_fingerprint(record)
        seen[mark] = seen.get(mark, 0) + 1
        if seen[mark] > 1:  # GitLab drops what has another's fingerprint
            mark = fingerprint(mark, str(seen[mark]))
        several = f" ({len(records)} stacks)" if len(records) > 1 else ""
        issue = {
            "description": f"{kind_words(record.kind).title}: {visible(record.what)}{several}",
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
