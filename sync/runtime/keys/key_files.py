"""Files of private keys: mode 0600, made once and never replaced, whole or not there."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

from sync.errors import ConfigError
from sync.runtime.files.durable_files import new_file


def read_key_file(path: Path) -> bytes:
    """The bytes of the key in `path`; `ConfigError` when it is missing, unreadable or open to others."""
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"the key {path} may be read by others; chmod 0600 it")
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"the key {path} cannot be read: {error}") from error


def make_key_file(path: Path, data: bytes) -> None:
    """Write `data`, synced, unless somebody else has just made the file: then that one stands. `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Whole or not at all: a power cut in the middle must not leave half a key under the name.
    fresh = path.with_suffix(f".{threading.get_native_id()}.new")
    with os.fdopen(new_file(fresh, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    try:
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        fresh.unlink()
