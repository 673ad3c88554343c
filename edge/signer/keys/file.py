"""The device's key in a file of mode 0600, in the signer's own folder, to which that of a room of before moves once.

Promises: a key is never replaced and never lost on the way: the old file goes only when the new one is synced. Root,
which moves it, touches either folder with the rights of the account that owns it. Refuses, with `ConfigError`, two
different keys, and to make a key where it cannot see whether there is one.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.errors import ConfigError
from sync.ledger.keys import load_key, make_key
from sync.runtime.files.acting_as import acting_as_owner
from sync.runtime.files.durable_files import replace_file, sync_folder

KEY = "device.key"
LOOKED = "moved"
"""A file that says: root has looked for an earlier key, and there is none any more."""
MOST_BYTES = 10_000


def file_key(folder: Path, earlier: Path) -> Ed25519PrivateKey:
    """The key in `folder`: there, moved from `earlier`, or made."""
    taken = take_earlier(folder, earlier)
    return taken if taken is not None else make_key(folder / KEY)


def take_earlier(folder: Path, earlier: Path) -> Ed25519PrivateKey | None:
    """The key in `folder`, after an earlier one was moved there; None when there is none at either place."""
    own = folder / KEY
    _private(folder)
    with _within(folder):
        there = load_key(own) if own.exists() else None
        looked = (folder / LOOKED).exists()
    if looked:
        return there
    try:
        data = _read_private(earlier)
    except FileNotFoundError:
        return there
    except PermissionError as error:
        if there is not None:
            return there
        raise ConfigError(
            f"whether there is a key at {earlier} cannot be seen by this account, or not by the one to which its folder"
            " belongs; as root, give the key to that account if it is another's, and run once:"
            f" wutong room signer --profile PROFILE --folder {folder} --take-key"
        ) from error
    except OSError as error:
        raise ConfigError(f"the earlier key {earlier} cannot be read: {error.strerror}") from error
    key = _key_of(data, earlier)
    if there is None:
        with _within(folder):
            replace_file(own, data, private=True)
            there = load_key(own)
    if there.public_key() != key.public_key():
        raise ConfigError(
            f"there are two different keys of this device: {own} and {earlier}; the center knows one of them"
            " (wutong enroll --list): move the other away"
        )
    try:
        with acting_as_owner(earlier.parent) as before:
            os.unlink(earlier.name, dir_fd=before)
            os.fsync(before)
    except OSError as error:
        raise ConfigError(
            f"the earlier key {earlier} cannot be taken away: {error.strerror}; the key is moved"
        ) from error
    return there


def take_as_root(folder: Path, earlier: Path) -> bool:
    """What root does before the signer of another account starts: move an earlier key, and note that it has looked.

    Whether there is a key now. The files belong to the folder's owner afterwards.
    """
    key = take_earlier(folder, earlier)
    with _within(folder):
        if not (folder / LOOKED).exists():
            replace_file(folder / LOOKED, b"", private=True)
    return key is not None


def forget_file(folder: Path) -> None:
    """The key is elsewhere now: no plain key stays on the disk."""
    (folder / KEY).unlink()
    sync_folder(folder)


def _private(folder: Path) -> None:
    try:
        if not folder.exists():
            with acting_as_owner(next(place for place in folder.parents if place.exists())):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with acting_as_owner(folder) as opened:
            if os.fstat(opened).st_mode & 0o077:
                os.fchmod(opened, 0o700)
    except OSError as error:
        raise ConfigError(f"the signer's folder {folder} cannot be used: {error.strerror}") from error


@contextlib.contextmanager
def _within(folder: Path) -> Iterator[None]:
    """As the owner of the signer's folder; `ConfigError` when the disk refuses."""
    try:
        with acting_as_owner(folder):
            yield
    except OSError as error:
        raise ConfigError(f"the signer's folder {folder} cannot be used: {error.strerror}") from error


def _read_private(path: Path) -> bytes:
    """Of a plain file that is no link, as the owner of its folder."""
    with acting_as_owner(path.parent) as folder:
        fd = os.open(path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    with os.fdopen(fd, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            raise ConfigError(f"{path} is no plain file of its own; put the device's key there, or take it away")
        if found.st_mode & 0o077:
            raise ConfigError(f"the key {path} may be read by others; chmod 0600 it")
        return file.read(MOST_BYTES)


def _key_of(data: bytes, path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(data, None)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"the key {path} cannot be read: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"the key {path} is not an Ed25519 key")
    return key
