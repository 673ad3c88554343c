"""The worker process of a compatible track: a camera's H.265 from the recorder's feed, as H.264 for every browser.

    python -m hardware.program.compatible '<options as JSON>'

Each picture keeps the moment at which its camera took it: that moment is reported as its time of capture. The track is
made a little later (`MadeForm.delay_ns`), no larger than its form says, on one thread and last in line for the
processor. Where the machine cannot keep up it halves its pictures, then says `{"off": why}` and ends; the camera's own
track goes on. `hardware.program.tile` makes another form of the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

from hardware.drivers.x264_options import CAMERA_KBPS, coding
from hardware.program.camera import CameraFeed, Picture
from hardware.program.pace import PaceVerdict, PictureRateGovernor
from hardware.workers.encoder_process import worker_started
from hardware.workers.picture_encoder import PictureEncoder
from hardware.workers.reporter import Reporter
from sync.errors import WutongError
from sync.room.clock import RoomClock
from sync.room.feed import FeedClient
from sync.room.paths import RoomPaths
from sync.runtime.process.processes import weigh
from sync.runtime.units import NS_PER_S

NONE_NS = 3 * NS_PER_S // 2
"""So long without a new picture, the camera is away: that is not this machine's fault. It is said before the recorder
calls the track itself stalled (`recorder.capture.supervisor.STALL_NS`)."""
FIRST_NS = 60 * NS_PER_S
"""Nothing can be decoded before a key frame, and some cameras send one only every 40 or 50 s."""
RESTED_NS = 600 * NS_PER_S
"""After so long without a finding all pictures are tried again: a machine that was busy once is not so all day."""
NICE = 19


@dataclass(frozen=True)
class MadeForm:
    """What is made of a camera's pictures."""

    widest: int
    highest: int
    """Pixels; smaller pictures stay as large as they are."""
    delay_ns: int
    """How much later than it was taken a picture is looked for: what comes by then keeps its even distance."""
    kbps: int
    apart: float
    """What comes within so many looks after the picture before it is passed over."""
    off_why: str


COMPATIBLE = MadeForm(1280, 2160, 400_000_000, CAMERA_KBPS, 0, "转码的算力不足")


def even(pixels: float) -> int:
    """The next even number below, as what is encoded must have; a share that is not exact takes none away."""
    return int(pixels + 0.01) // 2 * 2


class FeedListener(threading.Thread):
    """The camera's fragments, on an event loop of their own."""

    def __init__(self, layout: RoomPaths, camera: str, feed: CameraFeed) -> None:
        super().__init__(daemon=True)
        self._layout, self._camera, self._feed = layout, camera, feed

    def run(self) -> None:
        """For as long as the process lives."""
        asyncio.run(self._follow())

    async def _follow(self) -> None:
        topics = [f"{kind}/{self._camera}" for kind in ("init", "frag")]
        async for topic, payload in FeedClient(self._layout.feed("recorder"), topics).messages():
            if topic == topics[0]:
                self._feed.init(payload)
            elif topic == topics[1]:
                self._feed.fragment(payload)


class CompatibleEncoder:
    """Pictures of one size to H.264. `OSError` when the recorder is gone."""

    def __init__(self, picture: Picture, fps: int, media_fd: int, first_ns: int, form: MadeForm = COMPATIBLE) -> None:
        """`first_ns`: of the run's first picture, from which media time counts."""
        share = min(1.0, form.widest / picture.width, form.highest / picture.height)
        self._size = (picture.width, picture.height)
        self._made = (even(picture.width * share), even(picture.height * share))
        self._first_ns = first_ns
        self._encoder = PictureEncoder(*self._made, fps, media_fd, coding(form.kbps, drawn=False))

    def fits(self, picture: Picture) -> bool:
        """Whether it has the size of those before it; one of another size needs another encoder."""
        return (picture.width, picture.height) == self._size

    def write(self, picture: Picture, taken_ns: int) -> None:
        """One picture, taken at `taken_ns` (`CLOCK_MONOTONIC`)."""
        rows = np.concatenate([np.ascontiguousarray(plane).reshape(-1) for plane in picture.planes])
        data = rows.reshape(picture.height * 3 // 2, picture.width)
        frame = av.VideoFrame.from_ndarray(data, format="yuv420p")
        frame = frame.reformat(width=self._made[0], height=self._made[1], interpolation="BILINEAR")
        self._encoder.encode(frame, picture.at_ns - self._first_ns, taken_ns)


def run(options: dict[str, Any], reporter: Reporter, form: MadeForm) -> None:
    """Until the recorder is gone, this process is killed, or it gives up."""
    layout = RoomPaths(Path(options["data"]))
    clock = RoomClock.open(layout.clock, noted=True)
    feed = CameraFeed()
    listener = FeedListener(layout, str(options["camera"]), feed)
    listener.start()
    pace = PictureRateGovernor(int(options["fps"]), RESTED_NS)
    encoder: CompatibleEncoder | None = None
    first_ns = last_ns = -1
    due_ns = time.monotonic_ns()
    pace.begin(due_ns)
    seen_ns = due_ns + FIRST_NS - NONE_NS
    try:
        while listener.is_alive():
            look_ns = NS_PER_S // pace.fps
            due_ns = max(due_ns + look_ns, time.monotonic_ns() - NS_PER_S)
            time.sleep(max(due_ns - time.monotonic_ns(), 0) / NS_PER_S)  # paced by the clock, in its own process
            picture = feed.picture(clock.from_monotonic_ns(due_ns - form.delay_ns))
            if picture is not None and picture.at_ns > last_ns + form.apart * look_ns:
                first_ns = picture.at_ns if encoder is None else first_ns
                if encoder is None or not encoder.fits(picture):  # a camera may change its size: the track goes on
                    encoder = CompatibleEncoder(picture, pace.fps, int(options["media_fd"]), first_ns, form)
                encoder.write(picture, clock.to_monotonic_ns(picture.at_ns))
                last_ns, seen_ns = picture.at_ns, time.monotonic_ns()
            elif time.monotonic_ns() - seen_ns > NONE_NS:
                reporter.failed("摄像机没有送来画面", "no-picture")
                return
            if pace.picture(due_ns, time.monotonic_ns()) is PaceVerdict.GIVE_UP:
                reporter.off(form.off_why)
                return
        reporter.failed("转码读不到摄像机的画面，重新启动")
    except OSError:
        reporter.failed("录制服务不再接收画面")


def main(form: MadeForm = COMPATIBLE) -> None:
    """Entry point of the process."""
    worker_started()
    weigh(NICE)
    with contextlib.suppress(OSError):  # when memory runs out, this goes first, not the recorder
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
    options = json.loads(sys.argv[1])
    reporter = Reporter(int(options["report_fd"]))
    try:
        run(options, reporter, form)
    except WutongError as error:
        reporter.failed(error.message)
        sys.exit(2)


if __name__ == "__main__":
    main()
