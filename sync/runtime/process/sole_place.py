"""A place that one process has: whoever comes second is told so, and who dies leaves it free."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from sync.errors import ConfigError


def take_place(path: Path, *, mode: int, taken: str) -> int:
    """Lock `<path>.lock`, made with `mode`; the descriptor, which holds the place until it is closed.

    `ConfigError` with the words `taken` while another process has it. The folder may be another account's: no link is
    followed.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    place = os.open(path.with_name(f"{path.name}.lock"), flags, mode)
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(place)
        raise ConfigError(taken) from None
    return place


@contextlib.contextmanager
def waited_place(path: Path) -> Iterator[None]:
    """Within, this process alone has `path`: it waits until no other has `<path>.lock`."""
    place = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(place, fcntl.LOCK_EX)
        yield
    finally:
        os.close(place)
