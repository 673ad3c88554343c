"""The profile that a room tells the center."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

from server.fleet.told_profiles import read_profile
from sync.errors import WutongError


def target(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    try:
        kept = read_profile(text)
    except WutongError:
        return
    assert kept == text
    assert not tomllib.loads(kept).get("password")


def seeds() -> Iterator[bytes]:
    yield b'[room]\nname = "x"\n[[cameras]]\nid = "bench"\npassword_file = "/etc/x"\n'
    yield b'password = "x"\n'
    yield b'[[cameras]]\nurl = "rtsp://user:word@192.0.2.1/main"\n'
    yield b"a = [[1, {b = 1979-05-27T07:32:00Z}]]\n"
