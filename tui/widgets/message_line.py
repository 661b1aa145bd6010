"""What has just been done or failed, in lines of its own: it covers nothing."""

from tui.widgets.frame_lines import Notice

_SEVERITIES = {"information": "info", "warning": "warning", "error": "error"}


class MessageLine(Notice):
    """Stands above the keys for a while; a modal screen has it at its lower edge."""

    def __init__(self, text: str, severity: str, *, over: bool) -> None:
        """`severity` in Textual's words; `over` where the screen has no line of keys."""
        super().__init__(classes="-over" if over else "")
        self.text = text
        self.severity = _SEVERITIES[severity]
