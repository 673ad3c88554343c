"""GStreamer's RTSP camera as a process of a test (`rtsp_peer.py` says what it can send)."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sync.runtime.process.processes import die_with_parent

_PROGRAM = Path(__file__).with_name("rtsp_peer.py")


@contextmanager
def gstreamer_camera(*options: str) -> Iterator[str]:
    """`host:port/path` of a camera that answers."""
    words = ["/usr/bin/python3", str(_PROGRAM), "0", *options]
    peer = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
    assert peer.stdout is not None
    try:
        yield f"127.0.0.1:{peer.stdout.readline().split()[1]}/main"
    finally:
        peer.kill()
        peer.communicate()
