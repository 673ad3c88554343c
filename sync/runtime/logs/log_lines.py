"""What a line of a log looks like: one JSON object, in which nothing foreign ends the line or moves a terminal.

JSON itself escapes only the oldest controls. Here everything that has no shape of its own is written as an escape: the
other ends of lines, the controls that a terminal takes for an escape sequence, marks that turn text around. Words of
any script stay readable.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

_SHAPE_OR_BLANK = re.compile(r"[^ -~]")


def log_line(value: Any, **dumps: Any) -> str:
    """An object as JSON in one line, of characters that a person can see."""
    text = json.dumps(value, **{**dumps, "ensure_ascii": False})
    return text if text.isascii() and text.isprintable() else _SHAPE_OR_BLANK.sub(_seen, text)


def _seen(match: re.Match[str]) -> str:
    return match[0] if match[0].isprintable() else json.dumps(match[0])[1:-1] if match[0] != "\x7f" else "\\u007f"


class LibraryLines(logging.Formatter):
    """Lines of libraries, which log by Python's own means, in the same form: their words may be a stranger's."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """One line, the stack of an exception included."""
        said = {
            "event": record.getMessage(),
            "logger": record.name,
            "service": self._service,
            "level": record.levelname.lower(),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
        }
        if record.exc_info and record.exc_info[0] is not None:
            said["exception"] = self.formatException(record.exc_info)
        return log_line(said)
