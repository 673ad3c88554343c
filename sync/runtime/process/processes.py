"""Processes that must not outlive who started them, and how much they weigh. Light: workers start with it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4


def die_with_parent() -> None:
    """Ask the kernel to kill this process when the thread that started it dies: no orphaned worker (Linux).

    Fit for `preexec_fn`; call it first thing in a child.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def go_first_when_memory_is_short() -> None:
    """Have this process ended before others when memory is short, whatever its service is worth."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")


def weigh(niceness: int) -> None:
    """Give this process, and its session where it leads one, a niceness; without the right to it, nothing changes.

    Where no service manager weighs services, Linux weighs sessions against each other before it looks at processes
    (autogroups): niceness alone would count among the session's own processes only.
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, niceness)
        if os.getsid(0) == os.getpid():
            Path("/proc/self/autogroup").write_text(str(niceness), encoding="ascii")


def weigh_apart(niceness: int) -> None:
    """As `weigh`, for a child that is to stand behind its service wherever that stands: in a session of its own."""
    with contextlib.suppress(OSError):  # it leads one already
        os.setsid()
    weigh(niceness)


def unseen_by_others() -> None:
    """Have the kernel keep this process's memory from everybody but root: no debugger of the same account, no core."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
