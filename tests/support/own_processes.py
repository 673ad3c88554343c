"""Which processes a test has started, apart from those that what ran before it starts by itself."""

from __future__ import annotations

import psutil


def processes_below() -> list[psutil.Process]:
    """Every process of this one's, of any generation."""
    return psutil.Process().children(recursive=True)


def started_since(before: list[psutil.Process]) -> list[psutil.Process]:
    """Those that now run and are no work of the processes of `before`: a database server that several tests share forks
    a process for each connection, and for its own house-keeping whenever it likes."""
    known = set(before)
    found = []
    for one in processes_below():
        if one in known:
            continue
        try:
            parent = one.parent()
        except psutil.NoSuchProcess:
            continue
        if parent is None or parent not in known:
            found.append(one)
    return found
