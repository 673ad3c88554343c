"""What a terminal may be shown of foreign text: nothing in it moves the cursor, colors a line or turns around."""

from __future__ import annotations


def printable(text: str, *, lines: bool = False) -> str:
    """`text` with U+FFFD for each character that has no shape of its own; `lines` keeps ends of lines and tabs."""
    if text.isprintable():
        return text
    kept = "\n\t" if lines else ""
    return "".join(c if c.isprintable() or c in kept else "\ufffd" for c in text)
