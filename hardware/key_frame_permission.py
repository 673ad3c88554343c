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
        self._until_s: dict[str, float] = {}
        """Until when each password that was refused is left alone."""

    def refused(self, password: str) -> None:
        """The camera has refused the account to a run that was given this password: by now the file may hold another,
        and that one may be tried."""
        now_s = self._monotonic_s()
        self._until_s = {known: until_s for known, until_s in self._until_s.items() if now_s < until_s}
        self._until_s[password] = now_s + REFUSED_S

    def port(self) -> int:
        """Where a run asks for key frames; 0: nowhere. Another password may be tried at once. `ConfigError` when it
        cannot be read."""
        until_s = self._until_s.get(self._camera.address().password, float("-inf"))
        return 0 if self._monotonic_s() < until_s else self._camera.onvif_port
