"""Files that survive a power cut: replaced as a whole, and their names on disk before anybody relies on them.

A file that was synced is lost all the same while the folder that names it is not.
"""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Return when the names in `folder` are on disk; `OSError` when the disk refuses."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def replace_file(
    path: Path,
    data: bytes | str,
    *,
    private: bool = False,
    mode: int | None = None,
    synced: bool = True,
    shared: bool = False,
) -> None:
    """Replace `path` in one step, so that whoever reads it, and a power cut, finds the old file or the new one.

    Text is written as UTF-8; the folder is made if need be. `private`: mode 0600; `mode`: that one, whatever the umask
    is. `synced`: on disk when this returns; False is for what nobody misses after a power cut. One writer per file:
    the draft beside it is `<name>.new`; `shared`: other threads and processes replace it, too, and each has a draft of
    its own. `OSError` when the disk refuses; the old file stands.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{threading.get_native_id()}.new" if shared else f"{path.name}.new")
    wanted = 0o600 if private else mode
    with os.fdopen(new_file(draft, wanted), "wb") as file:
        file.write(data.encode() if isinstance(data, str) else data)
        if synced:
            file.flush()
            os.fsync(file.fileno())
    draft.replace(path)
    if synced:
        sync_folder(path.parent)


def new_file(path: Path, mode: int | None = None) -> int:
    """The descriptor of a new, empty file with this mode, in place of what an earlier life left; None: as the umask
    says. Follows no link that somebody has laid there. `OSError`."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    rights = 0o666 if mode is None else mode & 0o600
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, rights)
    if mode is not None:
        os.fchmod(fd, mode)
    return fd
