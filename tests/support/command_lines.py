"""How processes were called, also such as end just then."""

from __future__ import annotations

import psutil


def command_line(process: psutil.Process) -> str:
    """Its words, with a space between them; nothing of one that has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
