"""GitLab's code quality report, a subset of Code Climate's: one object a kind and own line."""

import json
from typing import BinaryIO

from profiler.error_kinds import kind_words
from profiler.exports.content import error_groups, own_code, source_path
from profiler.store import Session
from profiler.visible import visible

_SEVERITIES = {"error": "critical", "warning": "major", "info": "info"}


def write(session: Session, out: BinaryIO) -> None:
    own = own_code(session)
    out.write(b"[")
    first = True
    for group in error_groups(session, own):
        record = group.records[0]
        frame = group.frame
        several = f" ({len(group.records)} stacks)" if len(group.records) > 1 else ""
        issue = {
            "description": f"{kind_words(record.kind).title}: {visible(record.what)}{several}",
            "check_name": f"{group.tool}.{record.kind}",
            "fingerprint": group.mark,  # GitLab drops what has another's
            "severity": _SEVERITIES[group.severity],
            "location": {
                "path": visible(source_path(frame) or (frame and frame.obj) or "unknown"),
                "lines": {"begin": (frame and frame.line) or 1},
            },
        }
        out.write(b"\n" if first else b",\n")
        out.write(json.dumps(issue, ensure_ascii=True).encode())
        first = False
    out.write(b"\n]\n")
