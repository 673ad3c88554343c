"""A log's line is one object in one line, whatever strangers have put into it."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from sync.runtime.logs.log_lines import LibraryLines, log_line

HOSTILE = [
    'a\n{"event": "sign-in", "role": "archivist"}',
    "a\r\nb",
    "a\u2028b\u2029c\x85d",
    "\x1b[2K\x1b[1A\x9b31mred\x7f",
    "\x1b]8;;http://x.example\x07link\x1b]8;;\x07",
    "\u202e\u2066\u200b\ufeff",
    "\ud800 \udfff",
    "\U000e0041\U0001f600",
    "\x00",
    "现在休庭。\u3000",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_it_is_one_line_of_what_can_be_seen_and_says_the_same(text: str) -> None:
    line = log_line({text: [text]})
    assert line.isprintable()
    line.encode()
    assert json.loads(line) == {text: [text]}


def test_words_stay_words() -> None:
    assert log_line({"room": "第三法庭", "face": "\U0001f600"}) == '{"room": "第三法庭", "face": "\U0001f600"}'


@pytest.mark.parametrize("text", HOSTILE)
def test_a_library_s_line_is_no_other(text: str) -> None:
    try:
        raise ValueError(text)
    except ValueError:
        found = sys.exc_info()
    record = logging.LogRecord("uvicorn.error", logging.WARNING, "", 0, "bad %s", (text,), found)
    line = LibraryLines("center").format(record)
    assert line.isprintable()
    said = json.loads(line)
    assert (said["event"], said["service"], said["level"]) == (f"bad {text}", "center", "warning")
    assert "ValueError" in said["exception"]
