"""The worker process of a room's small picture (小画面): a camera's from the recorder's feed, made small for walls.

    python -m hardware.program.tile '<options as JSON>'

It is there only while somebody watches a wall (`recorder.tiles`), and what it makes is live alone. Of a camera that
sends 25 pictures a second it makes each second one, at most 640×360 and `KBPS`, as soon as it has come. It is last in
line for the processor, and where the machine cannot keep up it is the first to make fewer pictures, and then none
(`hardware.program.compatible`).
"""

from __future__ import annotations

import contextlib
import os

from hardware.program.compatible import MadeForm, main

KBPS = 600
TILE_FORM = MadeForm(640, 360, 0, KBPS, 1.5, "小画面的算力不足")

if __name__ == "__main__":
    # A session of its own is weighed by itself: in the recorder's it would be last among the recorder's processes only,
    # which go before all others.
    with contextlib.suppress(PermissionError):
        os.setsid()
    main(TILE_FORM)
