"""What must be true before a demo starts; each refusal is one line that says what to do."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

from sync.errors import ConfigError

PROGRAMS = {"ffmpeg": "ffmpeg", "mosquitto": "mosquitto", "mosquitto_passwd": "mosquitto"}
"""Program -> the Debian package that brings it."""
MIN_FREE_BYTES = 3 * 1024**3


def check_programs() -> None:
    """`ConfigError` when a program is missing."""
    for program, package in PROGRAMS.items():
        if find_program(program) is None:
            raise ConfigError(f"the program {program} is missing; run `make setup`, or `apt install {package}`")


def find_program(name: str) -> str | None:
    """Where a program is; Debian keeps servers in /usr/sbin, which is not on every user's path."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def check_port(port: int, what: str) -> None:
    """`ConfigError` when a port of this machine is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise ConfigError(
                f"port {port} for {what} is in use; stop what uses it, or choose others with --port-base N"
            ) from None


def check_disk(folder: Path) -> None:
    """`ConfigError` when the folder cannot be written or its disk is nearly full."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".write-test"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        raise ConfigError(
            f"the data folder {folder} cannot be written ({error.strerror}); choose another with --data DIR"
        ) from None
    free = shutil.disk_usage(folder).free
    if free < MIN_FREE_BYTES:
        raise ConfigError(
            f"only {free / 1024**3:.1f} GiB are free at {folder}, a hearing needs {MIN_FREE_BYTES / 1024**3:.0f} GiB; "
            "free some, or choose another disk with --data DIR"
        )
