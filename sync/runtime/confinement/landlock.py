"""Which folders a process sees, as the kernel holds it (Landlock, Linux 5.13): what is not named is not there for it.

Without it (an older kernel, or one that has it switched off) nothing is taken away here, and `version` is 0: the doctor
says so, and the other limits stand.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_NO_NEW_PRIVS = 38
_ASK_VERSION = 1
_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_MAKE_SOCKET = 1 << 9
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | 1 << 14
_ALL = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
_BIND_AND_CONNECT = 0b11
_SIGNALS_AND_ABSTRACT_SOCKETS = 0b11


def version() -> int:
    """Of the kernel's interface; 0 where there is none."""
    return max(0, int(ctypes.CDLL(None, use_errno=True).syscall(_CREATE, None, 0, _ASK_VERSION)))


def see_only(
    read: Iterable[Path],
    *,
    execute: Iterable[Path] = (),
    write: Iterable[Path] = (),
    sockets: Iterable[Path] = (),
) -> None:
    """From now on only files at and below these paths: to read, to read and start, to read and write, to make a socket.

    Also no TCP, and no signal or abstract socket to processes outside, where the kernel knows how. A path that is not
    there is left out. `OSError` when the kernel has Landlock and refuses.
    """
    if (abi := version()) == 0:
        return
    library = ctypes.CDLL(None, use_errno=True)
    handled = _ALL[min(abi, max(_ALL))]
    description = struct.pack("Q", handled)
    if abi >= 4:
        description += struct.pack("Q", _BIND_AND_CONNECT)
    if abi >= 6:
        description += struct.pack("Q", _SIGNALS_AND_ABSTRACT_SOCKETS)
    rules = library.syscall(_CREATE, description, len(description), 0)
    if rules < 0:
        raise OSError(ctypes.get_errno(), "Landlock is refused")
    try:
        for rights, paths in (
            (_READ_FILE | _READ_DIR, read),
            (_READ_FILE | _READ_DIR | _EXECUTE, execute),
            (_ALL[5], write),
            (_MAKE_SOCKET, sockets),
        ):
            for path in paths:
                _allow(library, rules, path, rights & handled)
        if library.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or library.syscall(_RESTRICT, rules, 0) != 0:
            raise OSError(ctypes.get_errno(), "Landlock is refused")
    finally:
        os.close(rules)


def _allow(library: ctypes.CDLL, rules: int, path: Path, rights: int) -> None:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not path.is_dir():
                rights &= _OF_FILES
            if library.syscall(_ADD, rules, _BENEATH, struct.pack("=Qi", rights, place), 0) != 0:
                raise OSError(ctypes.get_errno(), f"Landlock refuses {path}")
        finally:
            os.close(place)
