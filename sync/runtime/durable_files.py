"""Files that survive a power cut: replaced as a whole, and their names on disk before anybody relies on them.

A file that was synced is lost all the same while the folder that names it is not.
"""

from __future__ import annotations

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Return when the names in `folder` are on disk; `OSError` when the disk refuses."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def replace_file(path: Path, data: bytes | str, *, private: bool = False, synced: bool = True) -> None:
    """Replace `path` in one step, so that whoever reads it, and a power cut, finds the old file or the new one.

    Text is written as UTF-8; the folder is made if need be. `private`: mode 0600. `synced`: on disk when this returns;
    False is for what nobody misses after a power cut. One writer per file: the draft beside it is `<name>.new`.
    `OSError` when the disk refuses; the old file stands.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.new")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if private else 0o666)
    with os.fdopen(fd, "wb") as file:
        if private:
            os.fchmod(file.fileno(), 0o600)  # a draft that an earlier life left may be open to others
        file.write(data.encode() if isinstance(data, str) else data)
        if synced:
            file.flush()
            os.fsync(file.fileno())
    draft.replace(path)
    if synced:
        sync_folder(path.parent)
