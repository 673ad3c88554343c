"""Secrets live in files of their own, which only their service may read."""

from __future__ import annotations

from pathlib import Path

from sync.errors import ConfigError
from sync.runtime.files.handwritten import read_text

MAX_BYTES = 1 << 20


def read_secret(path: Path, what: str) -> str:
    """A secret from a file of its own, without the blanks around it; `ConfigError` when anybody may read it."""
    try:
        # Not the group: systemd hands credentials over with an access list, which stat shows as the group's rights.
        if path.stat().st_mode & 0o007:
            raise ConfigError(f"{what} {path} is open to everybody on this machine; chmod 0600 it")
    except OSError as error:
        raise ConfigError(f"{what} {path} cannot be read: {error}") from error
    return read_text(path, what, most=MAX_BYTES).strip()
