"""Text for XML: whatever a name holds, the document stays well-formed."""

import re

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escaped(text: str) -> str:
    """For element content and attributes; characters that XML cannot hold become U+FFFD."""
    text = _NOT_XML.sub("\ufffd", text)
    for character, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot")):
        text = text.replace(character, f"&{name};")
    return text
