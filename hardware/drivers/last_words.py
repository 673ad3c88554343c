"""What ffmpeg said last, as a code and in words for people: a device process that ends is never only a number."""

from __future__ import annotations

import re
from collections.abc import Sequence

MOST_CHARS = 200
_KNOWN: tuple[tuple[str, str, str], ...] = (
    ("busy", r"Device or resource busy", "设备被其他程序占用"),
    ("permission", r"Permission denied|Operation not permitted", "没有使用设备的权限（video 组？）"),
    ("missing", r"No such file or directory|No such device|No such process", "设备不在，请检查连接"),
    ("format", r"Invalid argument|Inappropriate ioctl|not supported|Not a video capture device", "设备不接受这一格式"),
    ("codec", r"codec .*not (?:currently )?supported|Invalid data found", "送来的数据不是可用的画面或声音"),
    ("disk", r"No space left on device", "磁盘已满"),
    ("bandwidth", r"No bandwidth|ENOSPC", "USB 带宽不足"),
)


def explained(lines: Sequence[str]) -> tuple[str, str]:
    """(code, words) of the last lines that a process wrote, masked already; both empty when it wrote none."""
    last = next((line for line in reversed(lines) if line.strip()), "")
    for line in reversed(lines):
        for code, pattern, words in _KNOWN:
            if re.search(pattern, line, re.IGNORECASE):
                return code, f"{words}（{_named(_short(line), lines)}）"
    return "", _short(last)


def _named(said: str, lines: Sequence[str]) -> str:
    """From release 7 on ffmpeg says which device it was in a line of its own."""
    for line in reversed(lines):
        found = re.search(r"Error opening input file (.+)\.\s*$", line)
        if found and found[1] not in said:
            return f"{found[1]}: {said}"[:MOST_CHARS]
    return said


def _short(line: str) -> str:
    return re.sub(r"\[[\w#:,/ ]+ @ 0x[0-9a-f]+\]\s*", "", line).strip()[:MOST_CHARS]
