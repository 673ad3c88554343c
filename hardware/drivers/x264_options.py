"""How pictures become H.264 here, whoever encodes them: ffmpeg itself or its library. It imports nothing that is slow.

No B frames, one picture in and one out, a key frame each second of media time, and a rate that a link can bear.
"""

from __future__ import annotations

from sync.runtime.units import NS_PER_S

KEY_NS = NS_PER_S
"""From one key frame to the next. It is a time and no number of pictures, since of these there are often fewer."""
KEY_EARLY_NS = NS_PER_S // 50
"""Pictures never come to the microsecond: one that is this early is a second's first."""
KEY_PICTURES = 600
"""More pictures than ever lie between two key frames, so that only the time decides."""
CAMERA_KBPS = 2500

_SPEED = {"preset": "ultrafast", "tune": "zerolatency", "crf": "26", "sc_threshold": "0"}
_LOOK = {"colorspace": "bt709", "color_primaries": "bt709", "color_trc": "bt709", "color_range": "tv"}


def coding(kbps: int = CAMERA_KBPS, *, drawn: bool = True, level: str = "") -> dict[str, str]:
    """The options. `drawn`: the pictures are in the colors that we draw in, and the stream says so."""
    rate = {"maxrate": f"{kbps}k", "bufsize": f"{kbps}k"}
    return _SPEED | rate | (_LOOK if drawn else {}) | ({"level": level} if level else {})
