"""Where each USB camera was plugged in, so that another one is noticed that came under its name.

The kernel numbers cameras as they come: after a start, or when two were pulled and plugged in again, `/dev/video0` may
be the camera that was `/dev/video2`, and of two with one serial number the link under `by-id` is whichever came last.
The socket does not change: `/dev/v4l/by-path` names it, and the kernel tells it of every node. The first socket that a
name led to is remembered on the disk. Refuses to stop a recording: what may be another camera is recorded and said.
"""

from __future__ import annotations

import json
from pathlib import Path

import structlog

from sync.runtime.files.durable_files import replace_file
from sync.text.strict_json import read_strict

log = structlog.get_logger(__name__)

KERNEL = Path("/sys/class/video4linux")
MAX_BYTES = 64 * 1024


def place_of(device: str, kernel: Path = KERNEL) -> str:
    """The socket that a camera's node or link leads to now, as the kernel names it; "" when that cannot be told."""
    try:
        node = Path(device).resolve(strict=True)
        return (kernel / node.name / "device").resolve(strict=True).name
    except OSError:
        return ""


class CameraPlaces:
    """Of one room; `path` is a file of the recorder alone."""

    def __init__(self, path: Path, kernel: Path = KERNEL) -> None:
        self._path = path
        self._kernel = kernel
        self._known: dict[str, list[str]] = self._read()

    def moved(self, camera: str, device: str) -> tuple[str, str] | None:
        """(the socket that was, the socket that is) when the camera's name leads elsewhere than it first did.

        Another `device` in the profile is a new beginning. Reads and perhaps writes a small file.
        """
        place = place_of(device, self._kernel)
        if not place:
            return None
        known = self._known.get(camera)
        if known is not None and known[0] == device:
            return None if known[1] == place else (known[1], place)
        self._known[camera] = [device, place]
        try:
            replace_file(self._path, json.dumps(self._known))
        except OSError as error:
            log.error("camera_place_not_kept", why=error.strerror, next="it is learnt anew at the next start")
        return None

    def _read(self) -> dict[str, list[str]]:
        try:
            kept = read_strict(self._path.read_bytes(), limit=MAX_BYTES)
            return {str(camera): [str(device), str(place)] for camera, (device, place) in kept.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            log.warning("camera_places_unreadable", why=str(error)[:200], next="they are learnt anew")
            return {}
