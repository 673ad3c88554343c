"""Whether a folder can really be written: a disk that answers what it has in memory is found out only so."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

PROBE = ".ready"
"""How the small file is called, before the number of this process."""


def written_and_free(folder: Path) -> int:
    """Write a small file, sync it and take it away again; how many bytes are free there. `OSError`. Blocks."""
    free = shutil.disk_usage(folder).free
    path = folder / f"{PROBE}-{os.getpid()}"
    with path.open("wb") as file:
        file.write(b"wutong")
        file.flush()
        os.fsync(file.fileno())
    path.unlink(missing_ok=True)
    return free
