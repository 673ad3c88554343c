"""The worker process of the program track: follows the recorder's feed and the room's log, composes, encodes.

    python -m hardware.program.worker '<options as JSON>'

A picture is composed `DELAY_NS` after the moment that it shows, when the fragments of that moment have come from the
cameras; it is that moment which is reported as its time of capture, so the track lies on the room's time line with no
delay in it, in step with sound and cameras. Only who watches live sees it that much later.

It is the last in line for the processor. Between hearings and in pauses it decodes nothing and draws two pictures a
second. Where it cannot keep up (`hardware.program.pace`) it halves its pictures, then says `{"off": why}` and ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import cv2

from hardware.drivers.x264_options import KEY_NS
from hardware.program.camera import CameraFeed
from hardware.program.composer import Composer
from hardware.program.exhibit import PageView
from hardware.program.layout import HEIGHT, WIDTH
from hardware.program.pace import PaceVerdict, PictureRateGovernor
from hardware.program.scene import SceneAct, in_session, scene_at
from hardware.workers.encoder_process import worker_started
from hardware.workers.picture_encoder import PictureEncoder
from hardware.workers.reporter import Reporter
from sync.errors import DeviceError, StorageError, WutongError
from sync.record.hearing import Hearing
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.feed import FeedClient
from sync.room.follower import Follower
from sync.room.paths import RoomPaths
from sync.runtime.process.processes import weigh
from sync.runtime.units import NS_PER_S

DELAY_NS = 600_000_000
IDLE_FPS = 2
LOST_NS = NS_PER_S
"""A picture that comes later than this was not composed, nor were those that were due since: reported as lost, but for
the `KEY_NS` that the picture before stays."""
RECENT = 64
"""Presentations that a moment shortly before now can still need."""
LOOK_S = 0.5
NICE = 19
OFF_WHY = "合成画面的算力不足"
LOST_WHY = "合成画面来不及合成"


@dataclass(frozen=True)
class ComposerOptions:
    """What the recorder says on the command line."""

    data: Path
    court: str
    room: str
    cameras: list[tuple[str, str]]
    """(id, name)."""
    fps: int
    coding: dict[str, str]
    media_fd: int
    report_fd: int

    @classmethod
    def parse(cls, text: str) -> ComposerOptions:
        """From the JSON that `hardware.sources` made."""
        value = json.loads(text)
        value["data"] = Path(value["data"])
        value["cameras"] = [(str(name), str(title)) for name, title in value["cameras"]]
        return cls(**value)


class SceneListener(threading.Thread):
    """Feed and log, on an event loop of their own. `hearing` is replaced, never changed."""

    def __init__(self, layout: RoomPaths, cameras: dict[str, CameraFeed]) -> None:
        super().__init__(daemon=True)
        self.hearing: Hearing | None = None
        self.news = threading.Event()
        self._layout = layout
        self._cameras = cameras
        self._number = -1

    def run(self) -> None:
        """For as long as the process lives."""
        asyncio.run(self._follow())

    async def _follow(self) -> None:
        room_log = RoomLog(self._layout.log)
        follower = Follower(room_log)
        await follower.start()
        await asyncio.gather(self._media(), self._wake("edge", follower), self._poll_for_ever(follower))

    async def _media(self) -> None:
        topics = [f"{kind}/{name}" for name in self._cameras for kind in ("init", "frag")]
        async for topic, payload in FeedClient(self._layout.feed("recorder"), topics).messages():
            kind, _, name = topic.partition("/")
            camera = self._cameras.get(name)
            if camera is not None:
                (camera.init if kind == "init" else camera.fragment)(payload)

    async def _wake(self, service: str, follower: Follower) -> None:
        async for _ in FeedClient(self._layout.feed(service), ["log"]).messages():
            await self._poll(follower)

    async def _poll_for_ever(self, follower: Follower) -> None:
        while True:
            await self._poll(follower)
            await asyncio.sleep(LOOK_S)

    async def _poll(self, follower: Follower) -> None:
        with contextlib.suppress(StorageError):  # the next look reads it
            await follower.poll()
        if follower.number != self._number:
            self._number = follower.number
            hearing = follower.hearing
            # A copy of its own: the composer reads it while further events are applied here.
            self.hearing = None if hearing is None else _copy(hearing)
            self.news.set()


def _copy(hearing: Hearing) -> Hearing:
    return replace(
        hearing,
        pauses=[replace(p) for p in hearing.pauses],
        presentations=[replace(p) for p in hearing.presentations[-RECENT:]],
        exhibits=list(hearing.exhibits),
    )


class ComposedTrack:
    """The composing loop; everything of it belongs to the main thread."""

    def __init__(self, options: ComposerOptions) -> None:
        self._options = options
        self._layout = RoomPaths(options.data)
        self._clock = RoomClock.open(self._layout.clock, noted=True)
        self._cameras = {name: CameraFeed() for name, _ in options.cameras}
        self._listener = SceneListener(self._layout, self._cameras)
        self._composer = Composer(options.court, options.room, [title for _, title in options.cameras])
        self._pages = PageView()
        self._pace = PictureRateGovernor(options.fps)
        self._reporter = Reporter(options.report_fd)
        self._active = False
        self._heard = ""

    def run(self) -> None:
        """Until the recorder is gone, this process is killed, or it gives up."""
        options = self._options
        output = PictureEncoder(WIDTH, HEIGHT, options.fps, options.media_fd, options.coding)
        self._listener.start()
        due_ns = time.monotonic_ns()
        media_ns = -1
        try:
            while True:
                last_ns, due_ns = due_ns, self._wait(due_ns)
                lost_ns = 0
                late_ns = max(time.monotonic_ns() - due_ns, 0)
                if media_ns < 0:
                    media_ns = 0
                elif late_ns > LOST_NS:
                    due_ns += late_ns
                    media_ns += KEY_NS  # a key frame, so a fragment of its own begins here
                    lost_ns = due_ns - last_ns - KEY_NS
                    self._reporter.trouble(LOST_WHY)
                else:
                    due_ns += late_ns // self._period_ns * self._period_ns  # the picture before stays a little longer
                    media_ns += due_ns - last_ns
                self._compose(due_ns)
                output.write(self._composer.canvas.data, media_ns, due_ns - DELAY_NS, lost_ns)
                if self._active and not self._keeps_up(due_ns, late_ns):
                    self._reporter.off(OFF_WHY)
                    return
        except OSError:
            self._reporter.failed("录制服务不再接收画面")

    @property
    def _period_ns(self) -> int:
        return NS_PER_S // (self._pace.fps if self._active else IDLE_FPS)

    def _wait(self, last_ns: int) -> int:
        """Until the next picture is due; when that is (`CLOCK_MONOTONIC`)."""
        while True:
            if not self._listener.is_alive():
                raise DeviceError("合成画面读不到庭审记录，重新启动")
            room_ns = self._clock.from_monotonic_ns(time.monotonic_ns())
            self._activate(in_session(self._listener.hearing, room_ns - DELAY_NS))
            due_ns = last_ns + self._period_ns
            left_ns = due_ns - time.monotonic_ns()
            if left_ns <= 0:
                return due_ns
            self._listener.news.clear()
            if not self._listener.news.wait(left_ns / NS_PER_S):
                return due_ns

    def _activate(self, active: bool) -> None:
        if active == self._active:
            return
        self._active = active
        if active:
            self._pace.begin(time.monotonic_ns())
        else:
            for camera in self._cameras.values():
                camera.rest()

    def _keeps_up(self, due_ns: int, late_ns: int) -> bool:
        now_ns = time.monotonic_ns()
        verdict = self._pace.picture(min(due_ns, now_ns - late_ns), now_ns)
        if verdict is PaceVerdict.HALVE:
            print(f"too slow: {self._pace.fps} pictures a second from now on", file=sys.stderr)  # noqa: T201 (logged)
        return verdict is not PaceVerdict.GIVE_UP

    def _compose(self, due_ns: int) -> None:
        moment_ns = due_ns - DELAY_NS
        at_ns = self._clock.from_monotonic_ns(moment_ns)
        hearing = self._listener.hearing
        scene = scene_at(hearing, at_ns)
        if scene.hearing and scene.hearing != self._heard:
            self._heard = scene.hearing
            self._pace.rested()
        open_now = scene.act is SceneAct.OPEN
        pictures = [camera.picture(at_ns) if open_now else None for camera in self._cameras.values()]
        page = None
        if scene.shown is not None:
            folder = self._layout.pages(scene.hearing, scene.shown.exhibit.sha256)
            page = self._pages.poll(scene.shown, folder, self._composer.exhibit_place)
        utc_ns = time.time_ns() - (time.monotonic_ns() - moment_ns)
        self._composer.draw(scene, utc_ns, pictures, page)


def main() -> None:
    """Entry point of the process."""
    worker_started()
    weigh(NICE)
    with contextlib.suppress(OSError):  # when memory runs out, this goes first, not the recorder
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
    cv2.setNumThreads(1)
    options = ComposerOptions.parse(sys.argv[1])
    try:
        ComposedTrack(options).run()
    except WutongError as error:
        Reporter(options.report_fd).failed(error.message)
        sys.exit(2)


if __name__ == "__main__":
    main()
