"""The pictures of pages: each is drawn once, kept beside its exhibit, put on record, and is what everybody shows.

Promises: the display, the composed picture, the inspectors and an export have the same bytes, whose hash is in the
room's log (event `drawn`); a picture is whole and synced when it is announced; what the court looks at is drawn before
what is drawn ahead. Bounded: one process (`edge.exhibits.desk`), `AHEAD` pages of an exhibit without being asked,
sizes as in `edge.exhibits.sizes`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import structlog

from edge.exhibits.desk import Rank, ReadingDesk
from edge.exhibits.drawer import DrawnJpeg
from edge.exhibits.sizes import SCALES, is_strip
from edge.state.room_state import RoomState
from sync.errors import HearingError, MediaError, StorageError
from sync.record.bodies.evidence import DrawnBody, DrawnPicture
from sync.record.hearing import Hearing
from sync.record.timeline import Exhibit
from sync.room.paths import CONVERTED, page_picture_name
from sync.runtime.files.durable_files import sync_folder

log = structlog.get_logger(__name__)

IDLE_S = 30.0
AHEAD = 200
"""Pages of one exhibit that are drawn before anybody asks; those behind them are drawn when they are wanted."""
BATCH = 16
BATCH_S = 2.0
SCREEN = (1920, 1080)


def keep_picture(folder: Path, page: int, scale: int, drawn: DrawnJpeg) -> DrawnPicture:
    """Write a picture into its folder, synced; what the record says of it. Blocks."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / page_picture_name(page, scale)
    temporary = path.with_name(f".new-{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            file.write(drawn.data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(folder)
    return {
        "page": page,
        "scale": scale,
        "width": drawn.width,
        "height": drawn.height,
        "bytes": len(drawn.data),
        "sha256": hashlib.sha256(drawn.data).hexdigest(),
    }


def scale_for(picture: DrawnPicture, zoom: float) -> int:
    """The scale at which a page looks sharp on the court's screen; its picture of scale 1 says its shape."""
    wide, high = SCREEN[0] / picture["width"], SCREEN[1] / picture["height"]
    fitted = max(wide, high) if is_strip(picture["width"], picture["height"]) else min(wide, high)
    return next((scale for scale in SCALES if scale * 1.25 >= fitted * zoom), SCALES[-1])


class PagePictures:
    """All methods belong to one event loop."""

    def __init__(self, state: RoomState) -> None:
        self._state = state
        self.desk = ReadingDesk()
        self._largest: dict[tuple[str, int], int] = {}
        """(exhibit's hash, page) -> the greatest scale that shows more than the one before."""
        self._wanted: asyncio.Queue[tuple[str, str, int, int]] = asyncio.Queue(maxsize=1)
        self._news = asyncio.Event()

    async def file(
        self, hearing: Hearing, exhibit: Exhibit, page: int, scale: int = 1, rank: Rank = Rank.ASKED
    ) -> Path:
        """The picture, drawn and on record when it was not; the greatest scale there is where `scale` would not show
        more. Who stops waiting for it has it not drawn. `HearingError` (`not-found`) when there is no such page,
        `MediaError` when it cannot be drawn."""
        if not 1 <= page <= exhibit.pages:
            raise HearingError(f"该证据只有 {exhibit.pages} 页 (the exhibit has no such page)", code="not-found")
        scale = max(one for one in SCALES if one <= scale)
        while True:
            scale = min(scale, self._largest.get((exhibit.sha256, page), scale))
            if (path := await self._there(hearing, exhibit, page, scale)) is not None:
                return path
            await self.desk.run(rank, partial(self._draw_and_tell, hearing, exhibit, page, scale))
            if self._largest.get((exhibit.sha256, page), scale) >= scale:
                return self._path(hearing, exhibit, page, scale)

    def _path(self, hearing: Hearing, exhibit: Exhibit, page: int, scale: int) -> Path:
        return self._state.layout.pages(hearing.id, exhibit.sha256) / page_picture_name(page, scale)

    async def _there(self, hearing: Hearing, exhibit: Exhibit, page: int, scale: int) -> Path | None:
        path = self._path(hearing, exhibit, page, scale)
        known = (page, scale) in hearing.pictures.get(exhibit.id, {})
        return path if known and await asyncio.to_thread(path.is_file) else None

    def closer(self, hearing: Hearing, exhibit: Exhibit, page: int, zoom: float) -> None:
        """The court looks at a page from so near: a larger picture is drawn if that shows more."""
        picture = hearing.pictures.get(exhibit.id, {}).get((page, 1))
        scale = 1 if picture is None else scale_for(picture, zoom)
        if scale > 1:
            if self._wanted.full():
                self._wanted.get_nowait()  # that of a view that is over
            self._wanted.put_nowait((hearing.id, exhibit.id, page, scale))

    def kick(self) -> None:
        """There is an exhibit whose pages are to be drawn."""
        self._news.set()

    async def run(self) -> None:
        """Draw ahead, and what was asked for by `closer`, for as long as the edge runs."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._draw_closer())
                group.create_task(self._draw_ahead())
        finally:
            await self.desk.close()

    async def _draw_and_tell(self, hearing: Hearing, exhibit: Exhibit, page: int, scale: int) -> None:
        if await self._there(hearing, exhibit, page, scale) is None:  # it may have been drawn while this one waited
            picture = await self._draw(hearing, exhibit, page, scale)
            if picture is not None:
                await self._tell(hearing, exhibit, [picture])

    async def _draw(self, hearing: Hearing, exhibit: Exhibit, page: int, scale: int) -> DrawnPicture | None:
        """A picture that is kept and not on record yet; None when a smaller scale has all there is."""
        folder = self._state.layout.pages(hearing.id, exhibit.sha256)
        converted = folder / CONVERTED
        original = self._state.layout.exhibits(hearing.id) / exhibit.sha256
        file = converted if await asyncio.to_thread(converted.is_file) else original
        drawn = await (await self.desk.drawer(exhibit.sha256, file)).draw(page, scale)
        if not drawn.more:
            self._largest[exhibit.sha256, page] = scale
        known = hearing.pictures.get(exhibit.id, {})
        for smaller in (one for one in SCALES if one < scale):
            there = known.get((page, smaller))
            if there is not None and (there["width"], there["height"]) == (drawn.width, drawn.height):
                self._largest[exhibit.sha256, page] = smaller
                return None
        try:
            return await asyncio.to_thread(keep_picture, folder, page, scale, drawn)
        except OSError as error:
            raise StorageError(f"页图无法写入磁盘 (the picture cannot be written: {error.strerror})") from error

    async def _tell(self, hearing: Hearing, exhibit: Exhibit, pictures: Iterable[DrawnPicture]) -> None:
        """Put pictures on record, while the hearing goes on: what was shown in it was drawn in it."""
        current = self._state.current
        if current is None or current.id != hearing.id:
            return
        known = current.pictures.get(exhibit.id, {})
        fresh = [p for p in pictures if (p["page"], p["scale"]) not in known]
        if fresh:
            body: DrawnBody = {"exhibit": exhibit.id, "of": exhibit.sha256, "pictures": fresh}
            await self._state.append("drawn", body, hearing=hearing.id)

    async def _draw_closer(self) -> None:
        while True:
            hearing_id, exhibit_id, page, scale = await self._wanted.get()
            hearing = self._state.current
            exhibit = next((e for e in hearing.exhibits if e.id == exhibit_id), None) if hearing else None
            shown = None if hearing is None else hearing.presented
            if hearing is None or shown is None or (shown.exhibit, shown.page) != (exhibit_id, page):
                continue  # it was withdrawn
            if hearing.id == hearing_id and exhibit is not None:
                # The picture of before is still shown, and the next view asks again.
                with contextlib.suppress(MediaError, StorageError, HearingError, OSError):
                    await self.file(hearing, exhibit, page, scale)

    async def _draw_ahead(self) -> None:
        of = ""
        while True:
            self._news.clear()
            hearing = self._state.current
            if hearing is not None and hearing.id != of:
                of = hearing.id
                self._largest.clear()
            broken: set[tuple[str, int, int]] = set()
            while hearing is not None and (todo := self._next(hearing, broken)) is not None:
                await self._some(hearing, todo, broken)
                hearing = self._state.current
            await self._rest()

    async def _rest(self) -> None:
        """Until there is something to draw; files that nobody draws from are closed meanwhile."""
        while not self._news.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(IDLE_S / 3):
                    await self._news.wait()
            await self.desk.shut_idle(IDLE_S)

    def _next(self, hearing: Hearing, broken: set[tuple[str, int, int]]) -> Exhibit | None:
        """The exhibit that is shown comes first, then the one of which the least is missing."""
        if not self._has_room():
            return None
        shown = None if hearing.presented is None else hearing.presented.exhibit
        missing = [(sum(1 for _ in self._undrawn(hearing, e, broken)), e) for e in hearing.exhibits]
        waiting = [(e.id != shown, count, e.number, e) for count, e in missing if count]
        return min(waiting, key=lambda one: one[:3])[3] if waiting else None

    def _has_room(self) -> bool:
        """Whether the disk has more than its reserve, which is for the recording; not while it cannot be asked."""
        try:
            free = shutil.disk_usage(self._state.layout.data).free
        except OSError:
            return False
        return free >= self._state.profile.storage.reserve_gib * 1024**3

    def _undrawn(
        self, hearing: Hearing, exhibit: Exhibit, broken: set[tuple[str, int, int]]
    ) -> Iterable[tuple[int, int]]:
        """(page, scale): all pages at scale 1, then strips as large as a whole screen shows them."""
        known = hearing.pictures.get(exhibit.id, {})
        pages = range(1, min(exhibit.pages, AHEAD) + 1)
        wanted = [(page, 1) for page in pages]
        for page in pages:
            picture = known.get((page, 1))
            scale = 1 if picture is None else scale_for(picture, 1.0)
            scale = min(scale, self._largest.get((exhibit.sha256, page), scale))
            if scale > 1:
                wanted.append((page, scale))
        for page, scale in wanted:
            if (page, scale) not in known and (exhibit.id, page, scale) not in broken:
                yield page, scale

    async def _some(self, hearing: Hearing, exhibit: Exhibit, broken: set[tuple[str, int, int]]) -> None:
        """A few pictures more of an exhibit, told together."""
        begun = time.monotonic()
        made: list[DrawnPicture] = []
        for page, scale in list(self._undrawn(hearing, exhibit, broken))[:BATCH]:
            try:
                picture = await self.desk.run(Rank.AHEAD, partial(self._draw, hearing, exhibit, page, scale))
                if picture is not None:
                    made.append(picture)
            except (MediaError, StorageError, OSError) as error:
                log.warning("page_not_drawn", exhibit=exhibit.id, page=page, why=str(error))
                broken.add((exhibit.id, page, scale))
            if time.monotonic() - begun > BATCH_S:
                break
        try:
            await self._tell(hearing, exhibit, made)
        except (HearingError, StorageError) as error:
            log.warning("pages_not_told", exhibit=exhibit.id, why=error.message, next="they are drawn when wanted")
            broken.update((exhibit.id, picture["page"], picture["scale"]) for picture in made)
