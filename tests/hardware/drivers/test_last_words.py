"""The last lines of a device process are a code where they are known, and words in any case."""

from __future__ import annotations

import pytest

from hardware.drivers.last_words import MOST_CHARS, explained


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("[video4linux2,v4l2 @ 0x5581] ioctl(VIDIOC_STREAMON): Device or resource busy", "busy"),
        ("[video4linux2,v4l2 @ 0x5581] Cannot open video device /dev/video0: Permission denied", "permission"),
        ("/dev/v4l/by-path/x: No such file or directory", "missing"),
        ("ioctl(VIDIOC_S_FMT): Invalid argument", "format"),
        ("film.mp4: Invalid data found when processing input", "codec"),
        ("av_interleaved_write_frame(): No space left on device", "disk"),
    ],
)
def test_what_devices_say_has_a_code_and_keeps_their_words(line: str, code: str) -> None:
    found, words = explained(["frame= 1", line, ""])
    assert found == code
    assert line.split("] ")[-1] in words
    assert "0x5581" not in words


def test_the_device_is_named_also_where_its_line_is_another() -> None:
    """As release 7 of ffmpeg writes it."""
    lines = [
        "[in#0 @ 0x55d0] Error opening input: No such file or directory",
        "Error opening input file /dev/v4l/by-path/x.",
        "Error opening input files: No such file or directory",
    ]
    assert explained(lines)[0] == "missing"
    assert explained(lines)[1].count("/dev/v4l/by-path/x") == 1


def test_what_nobody_knows_is_said_as_it_is_and_not_at_any_length() -> None:
    assert explained(["one", "two"]) == ("", "two")
    assert explained([]) == ("", "")
    assert len(explained(["x" * 5000])[1]) == MOST_CHARS
