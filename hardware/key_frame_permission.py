"""Whether a camera may be asked for key frames with its account: not for hours after it has refused that account once.

The account of ONVIF is another one than that of the stream on many cameras, and a camera that is asked with a wrong one
again and again locks itself, perhaps for the stream as well. Runs begin and end; this stays as long as the recorder.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from hardware.profile import Camera

REFUSED_S = 6 * 3600.0


class KeyFramePermission:
    """Of one camera."""

    def __init__(self, camera: Camera, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._camera = camera
        self._monotonic_s = monotonic_s
        self._until_s = float("-inf")
        self._password: str | None = None

    def refused(self) -> None:
        """The camera has refused the account."""
        self._until_s = self._monotonic_s() + REFUSED_S
        self._password = self._camera.address().password

    def port(self) -> int:
        """Where a run asks for key frames; 0: nowhere. Another password may be tried at once. `ConfigError` when it
        cannot be read."""
        refused = self._monotonic_s() < self._until_s and self._camera.address().password == self._password
        return 0 if refused else self._camera.onvif_port
