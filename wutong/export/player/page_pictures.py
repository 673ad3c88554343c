"""Pictures of the pages that were shown, so that the page of an export needs no reader of PDF.

Drawn by `hardware.program.page` in a process of its own: what a party brought must not end an export. A page that
cannot be drawn is left to the browser.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from sync.record.hearing import Hearing

WIDTH, HEIGHT = 1080, 1440
DRAW_S = 40
PDF = "application/pdf"


def draw_pages(hearing: Hearing, exhibits: Path, out: Path) -> dict[tuple[str, int], str]:
    """(exhibit's id, page) -> name of a JPEG in `out`, of every page of a PDF that was on the screens."""
    known = {exhibit.id: exhibit for exhibit in hearing.exhibits}
    wanted = {(p.exhibit, p.page) for p in hearing.presentations if p.exhibit in known}
    made = {}
    for exhibit, page in sorted(wanted):
        if known[exhibit].media_type != PDF:
            continue
        picture = _draw(exhibits / known[exhibit].sha256, page)
        if picture is not None:
            name = f"{known[exhibit].sha256[:12]}-{page}.jpg"
            (out / name).write_bytes(picture)
            made[exhibit, page] = name
    return made


def _draw(file: Path, page: int) -> bytes | None:
    asked = {"file": str(file), "media_type": PDF, "page": page, "zoom": 1.0, "x": 0.5, "y": 0.5}
    command: Sequence[str] = [
        sys.executable,
        "-m",
        "hardware.program.page",
        json.dumps({**asked, "width": WIDTH, "height": HEIGHT}),
    ]
    try:
        answer = subprocess.run(command, capture_output=True, check=True, timeout=DRAW_S, stdin=subprocess.DEVNULL)
        head, _, planes = answer.stdout.partition(b"\n")
        said = json.loads(head)
        width, height = int(said["width"]), int(said["height"])
        yuv = np.frombuffer(planes, np.uint8).reshape(height * 3 // 2, width)
        encoded, data = cv2.imencode(".jpg", cv2.cvtColor(yuv, cv2.COLOR_YUV2BGR_I420), [cv2.IMWRITE_JPEG_QUALITY, 88])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError, cv2.error):
        return None
    return data.tobytes() if encoded else None
