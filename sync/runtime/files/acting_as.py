"""Acting with no more rights than who owns a folder: what root does in a folder that another account may write.

Whoever owns a folder lays links in it, and exchanges its files between two looks. Root that follows them reads, writes
or takes away whatever that account likes; as that account it does only what the account could have done.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def acting_as_owner(folder: Path) -> Iterator[int]:
    """Hold the folder open (its descriptor) and act as its owner; who is not root acts as oneself.

    The folder itself may be no link. `OSError`. Of the whole process: nothing else may go on in it meanwhile.
    """
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        owner = os.fstat(opened)
        if os.geteuid() != 0 or owner.st_uid == 0:
            yield opened
            return
        groups, group = os.getgroups(), os.getegid()
        os.setgroups([])
        os.setegid(owner.st_gid)
        os.seteuid(owner.st_uid)
        try:
            yield opened
        finally:
            os.seteuid(0)
            os.setegid(group)
            os.setgroups(groups)
    finally:
        os.close(opened)
