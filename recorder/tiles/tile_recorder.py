"""Shows the room on walls: while somebody watches the track `tile`, one camera's picture is there small and live.

Which tracks are watched the uplink says on its feed (`link`). The picture is of the first camera that runs: its second
stream where the profile names one and that is fit to be a tile, else made here by a worker that is last in line for the
processor. Nobody watches, nothing runs: what is left is a look once a second.

Promises: nothing of it is kept, and no track of the record waits for it or hears of it, whatever fails in here or in
what the uplink says. What is said of the picture is of the camera that it shows; when an earlier one runs again, the
picture is of that one. A second stream that fails is left alone for ten minutes, so that no camera locks itself because
of a wall. Where nothing can be shown the status says why (`TileStatus`), and it is tried again a minute later.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from hardware.profile import Camera
from hardware.sources import TILE_TRACK, Source, small_picture, sub_stream
from recorder.capture.supervisor import SourceRunner
from recorder.capture.track import Track
from recorder.context import RoomContext
from recorder.source_recorder import SourceRecorder
from recorder.tiles.tile_outlet import TileOutlet
from sync.media.tracks import TILE
from sync.room.feed import FeedClient
from sync.room.messages import TileStatus
from sync.runtime.process.service import cancel_and_wait
from sync.text.strict_json import read_strict

log = structlog.get_logger(__name__)

LOOK_S = 1.0
LINGER_S = 5.0
"""It runs on for so long when nobody watches any more: who scrolls past a tile starts no process each time."""
OFF_S = 60.0
"""So long after it could not be shown it is not tried."""
SUB_OFF_S = 600.0
"""Likewise a camera's second stream: a wrong password that is said too often locks a camera."""
MOST_TRIES = 3
LINK_BYTES = 64 * 1024
"""Of what the uplink says at once: the names of some tracks."""


class TileRecorder:
    """All methods belong to the event loop."""

    def __init__(
        self,
        context: RoomContext,
        sources: Sequence[SourceRecorder],
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`sources`: those of the room, the cameras' among them."""
        by_id = {one.source.id: one for one in sources}
        self._cameras = [(camera, by_id[camera.id]) for camera in context.profile.cameras]
        self._context = context
        self._monotonic_s = monotonic_s
        self._outlet = TileOutlet(context.feed, context.clock, context.utc_of)
        self._track = Track(TILE_TRACK, context.clock, context.utc_of, self._outlet)
        self._uplink = FeedClient(context.paths.feed("uplink"), ["link"])
        self._news = asyncio.Event()
        self._asked = False
        """By the uplink's last word."""
        self._watched_s = float("-inf")
        self._why: str | None = None
        self._off_until_s = 0.0
        self._sub_off_until_s = float("-inf")
        self._shown: Camera | None = None
        self._last_id = 0
        """The newest number of an init, which the next run's are greater than."""

    def status(self) -> TileStatus:
        """Whose picture is there, or can be asked for now."""
        shown = self._shown
        if shown is None and (chosen := self._chosen()) is not None:
            shown = chosen[0]
        return {"of": None if shown is None else shown.id, "why": self._why}

    async def run(self) -> None:
        """Hear what is watched and show it, until it is canceled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._again_and_again(self._listen))
            tasks.create_task(self._again_and_again(self._show_what_is_asked_for))

    @staticmethod
    async def _again_and_again(do: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await do()
            except Exception:  # the uplink speaks to the network: nothing that it says may end the recorder
                log.exception("tile_failed", next=f"again in {OFF_S:g} s")
            await asyncio.sleep(OFF_S)

    async def _listen(self) -> None:
        async for _, payload in self._uplink.messages():
            self.told(payload)

    def told(self, payload: bytes) -> None:
        """One `link` of the uplink."""
        with contextlib.suppress(ValueError, KeyError, TypeError):  # what is no link asks for nothing new
            watched = read_strict(payload, limit=LINK_BYTES)["watched"]
            self._asked = isinstance(watched, list) and TILE in watched
            self._news.set()

    async def _show_what_is_asked_for(self) -> None:
        while True:
            self._news.clear()
            if self._why is not None and self._monotonic_s() >= self._off_until_s:
                self._set_why(None)
            chosen = self._chosen()
            if self._is_watched() and self._why is None and chosen is not None:
                await self._show(*chosen)
            else:
                await self._some_news()

    async def _show(self, camera: Camera, shown: SourceRecorder) -> None:
        """Until it is over, for whatever reason."""
        source = self._source_of(camera)
        self._outlet.kept = lambda: shown.is_wanted
        runner = SourceRunner(
            source,
            [self._track],
            self._context.clock,
            on_levels=lambda at_ns, levels: None,
            on_trouble=lambda at_ns, why: None,  # it is in the log of the runs; the record misses nothing
            on_change=self._news.set,
            last_id=self._last_id,
        )
        self._shown = camera
        self._context.status_changed.set()
        running = asyncio.create_task(runner.run())
        running.add_done_callback(lambda _: self._news.set())
        log.info("tile_begins", of=camera.id, sub=source.by_arrival)
        try:
            while not self._is_over(runner, shown, running):
                await self._some_news()
                self._news.clear()
        finally:
            await cancel_and_wait(running)
            self._shown, self._last_id = None, runner.last_id
            self._context.status_changed.set()
            self._context.feed.forget(f"init/{TILE}")
            log.info("tile_ends", of=camera.id)

    def _is_over(self, runner: SourceRunner, shown: SourceRecorder, running: asyncio.Task[None]) -> bool:
        if running.done():  # a defect; it must not end the recorder
            log.error("tile_failed", exc_info=running.exception())
            self._leave_off("小画面出错")
        elif runner.state == "off":
            self._leave_off(runner.source.off_why)
        elif runner.source.by_arrival and runner.restarts:
            log.warning("sub_stream_left", of=shown.source.id, why=runner.why)
            self._sub_off_until_s = self._monotonic_s() + SUB_OFF_S
        elif runner.restarts >= MOST_TRIES:
            self._leave_off(runner.why or "小画面中断")
        else:
            chosen = self._chosen()
            return chosen is None or chosen[1] is not shown or not self._is_watched()
        return True

    def _leave_off(self, why: str) -> None:
        self._off_until_s = self._monotonic_s() + OFF_S
        self._set_why(why)

    def _set_why(self, why: str | None) -> None:
        self._why = why
        self._context.status_changed.set()

    def _is_watched(self) -> bool:
        now_s = self._monotonic_s()
        if self._asked and self._uplink.connected:  # an uplink that is gone asks for nothing
            self._watched_s = now_s
        return now_s - self._watched_s < LINGER_S

    def _chosen(self) -> tuple[Camera, SourceRecorder] | None:
        return next(((camera, source) for camera, source in self._cameras if source.state == "running"), None)

    def _source_of(self, camera: Camera) -> Source:
        if camera.sub and self._monotonic_s() >= self._sub_off_until_s:
            return sub_stream(camera)
        return small_picture(self._context.profile, camera)

    async def _some_news(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), LOOK_S)
