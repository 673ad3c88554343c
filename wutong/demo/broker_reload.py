"""Has a broker read its certificates again when the center has written them anew, as a path unit of systemd does.

    python -m wutong.demo.broker_reload FOLDER PID_FILE

`FOLDER` is what the center writes, `PID_FILE` where the broker says which process it is.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from server.tls.nats_users import NATS_USERS
from sync.runtime.process.processes import die_with_parent
from wutong.broker_policy import BROKER_FILES

LOOK_S = 0.2


def watch(folder: Path, pid_file: Path, over: Callable[[], bool] = lambda: False) -> None:
    """Tell the broker of each change until `over()`."""
    seen = _seen(folder)
    while not over():
        time.sleep(LOOK_S)  # a process or thread of its own
        now = _seen(folder)
        if now != seen and tell(pid_file):
            seen = now


def tell(pid_file: Path) -> bool:
    """Send SIGHUP; whether there is a broker."""
    try:
        os.kill(int(pid_file.read_text(encoding="ascii")), signal.SIGHUP)
    except (OSError, ValueError):
        return False
    return True


def _seen(folder: Path) -> list[int]:
    files = [folder / name for name in (*BROKER_FILES.values(), NATS_USERS)]
    return [file.stat().st_mtime_ns if file.exists() else 0 for file in files]


if __name__ == "__main__":
    die_with_parent()
    watch(Path(sys.argv[1]), Path(sys.argv[2]))
