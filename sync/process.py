"""Processes that must not outlive who started them. Imports nothing heavy: workers start with it."""

from __future__ import annotations

import ctypes
import signal

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ask the kernel to kill this process when the thread that started it dies: no orphaned worker (Linux).

    Fit for `preexec_fn`; call it first thing in a child.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
