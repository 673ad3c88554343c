"""What the center plays of a hearing, whoever asks: ranges of tracks, bytes of a range, the files of exhibits.

Who may ask for a hearing is judged by the routes (`server.api.inspectors`, `server.api.parties`) before. Which bytes
are of it is judged here, where they are taken: what its own room stored as a part of it, and what no hearing beyond the
asker's `Sight` holds as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import quote

from fastapi import Response
from typing_extensions import TypedDict

from server.ingest.uploads.tus_folder import UploadFolder
from server.objects.object_store import ObjectStore
from server.playback.object_response import downloaded, shown
from server.playback.ranges import Media, MediaRange, NoMediaError, TrackFile
from server.playback.solo_readers import SoloReaders
from server.store.reader import RecordReader
from server.store.rights.sight import Sight
from sync.errors import AccessError, WutongError
from sync.http.answers import error_response
from sync.record.bodies.limits import Limits
from sync.record.bodies.session import OpenedTrack
from sync.record.milliseconds import to_ms
from sync.record.sealed_parts import Unseen
from sync.record.withheld import pages_withheld, withheld
from sync.runtime.files.readable_file import ReadableFile
from sync.runtime.units import NS_PER_MS

R = TypeVar("R")

_TYPES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
_PDF = b"%PDF-"
_HEAD_BYTES = 1024
"""Exhibits are shown as PDF, PNG or JPEG by their first bytes, and as nothing else. Of a PDF something may come before
its first line."""

AT_ONCE = 8
AT_ONCE_OF_A_ROOM = 2
"""Threads that read and index media: a room whose files take long holds up its own playback and no other room's."""

Find = Callable[[], Awaitable[MediaRange]]


class UnreadableSpan(TypedDict):
    """A stretch of a track that is stored and cannot be played."""

    from_ns: int
    to_ns: int
    why: Literal["no-video", "damaged"]
    """Nothing of its file can be played, or nothing from here on."""


class PlayableTrack(OpenedTrack):
    """A track, and what of it can be played already: ranges [from, to) in milliseconds of room time."""

    mime: str
    ranges: list[Annotated[list[float], Limits(min_length=2, max_length=2)]]
    unreadable: list[UnreadableSpan]


class PlaybackService:
    """The stored and the growing media of all hearings."""

    def __init__(
        self,
        archive: RecordReader,
        media: Media,
        store: ObjectStore,
        uploads: UploadFolder,
        *,
        freshen: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        """`freshen(room)`: see to it that uploads of a room are known which another process may be taking."""
        self._freshen = freshen
        self._archive = archive
        self._media = media
        self._store = store
        self._uploads = uploads
        self._pool = ThreadPoolExecutor(AT_ONCE, "playback")
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._solo = SoloReaders()

    async def track(self, room: str, hearing: str, said: OpenedTrack, sight: Sight, unseen: Unseen) -> PlayableTrack:
        """A track as screens get it: what can be played already, the growing segment included."""
        name = str(said.get("id", ""))

        def read_ranges(sources: list[TrackFile]) -> tuple[str, list[tuple[int, int]], list[tuple[int, int, str]]]:
            return *self._media.ranges(sources, unseen), self._media.unreadable(sources, unseen)

        mime, ranges, lost = await self._reading(room, hearing, name, sight, read_ranges)
        unreadable: Any = [to_ms({"from_ns": start, "to_ns": end, "why": why}) for start, end, why in lost]
        kind: Any = str(said.get("kind", ""))
        return {
            "id": name,
            "kind": kind,
            "name": str(said.get("name", name)),
            "mime": mime,
            "ranges": [[start / NS_PER_MS, end / NS_PER_MS] for start, end in ranges],
            "unreadable": unreadable,
        }

    async def finder(
        self, hearing: str, track: str, from_ns: int, to_ns: int, sight: Sight, unseen: Callable[[], Unseen]
    ) -> Find:
        """What reads the bytes of a range; `WutongError` "not-found" when there is no such hearing. `unseen` is asked
        when the bytes are read, and again before they are given away: a part may be sealed meanwhile."""
        room = await self._archive.owner(hearing)
        if room is None:
            raise WutongError("没有这次庭审 (there is no such hearing)", code="not-found")

        async def find() -> MediaRange:
            now = unseen()
            found = await self._reading(room, hearing, track, sight, lambda s: self._media.read(s, from_ns, to_ns, now))
            check_seen(found, unseen())
            return found

        return find

    async def isolate(self, listener: Hashable, found: MediaRange, channel: int) -> MediaRange:
        """听单席: the same range with one channel alone, for `listener`; `MediaError` when it cannot be taken apart."""
        return await self._solo.isolate(listener, found, channel)

    async def close(self) -> None:
        """End the processes that take sound apart."""
        await self._solo.close()

    async def document(self, hearing: str, document: str, sight: Sight) -> Response:
        """A document of signed words as it was made, to be taken along."""
        view = await self._archive.facts(hearing, ("open", "document"))
        found = next((d for d in view.signing.documents if d.id == document), None)
        if found is None:
            raise WutongError("没有这份笔录文件 (there is no such document)", code="not-found")
        if not await self._archive.holds(hearing, "document", found.sha256, sight):
            raise WutongError("笔录文件尚未上传 (the document is still on its way)", code="not-found")
        name = f"{view.case.get('case_no') or hearing} 法庭笔录.{found.kind}"
        return downloaded(self._store, found.sha256, name, self._pool)

    async def _reading(
        self, room: str, hearing: str, track: str, sight: Sight, work: Callable[[list[TrackFile]], R]
    ) -> R:
        for _ in range(3):
            sources = await self._sources(room, hearing, track, sight)
            try:
                # The turn comes before the thread: who waits for files of one room holds no thread of the others.
                async with self._turns.setdefault(room, asyncio.Semaphore(AT_ONCE_OF_A_ROOM)):
                    return await asyncio.get_running_loop().run_in_executor(self._pool, work, sources)
            except FileNotFoundError:
                continue  # an upload became an object between the two lines; look again
        raise WutongError("the record is just being moved; ask again", code="busy")

    async def _sources(self, room: str, hearing: str, track: str, sight: Sight) -> list[TrackFile]:
        # Uploads first: one that becomes an object in between is then seen twice, never not at all. Nobody has signed
        # yet what is in them: they are played while the hearing runs, behind what is stored, and change no past.
        is_closed = await self._archive.is_closed(hearing)
        if self._freshen is not None and not is_closed:
            await self._freshen(room)
        partials = [] if is_closed else self._uploads.of_track(room, hearing, track)
        closed = {file.segment_index: file for file in await self._archive.files(room, hearing, track, sight)}
        sources = [
            TrackFile(f.segment_index, self._store.file(f.sha256), False, f.from_ns, f.to_ns, f.fault)
            for f in closed.values()
        ]
        last = max(closed, default=-1)
        growing: dict[int, TrackFile] = {}
        for partial in partials:
            index = partial.metadata.index
            # A room that lost its upload starts another: the one with more bytes plays.
            if index > last and (index not in growing or _size(partial.path) > _size(growing[index].path)):
                growing[index] = TrackFile(index, partial.path, True)
        return [*sources, *growing.values()]

    async def exhibit(self, hearing: str, exhibit: str, sight: Sight, unseen: Unseen) -> Response:
        """The file, shown by its content and never run; `WutongError` "not-found", and "sealed-part" of a file that has
        pages which were shown in a sealed part alone."""
        whole = await self._archive.evidence(hearing)
        view = withheld(whole, unseen)
        found = next((e for e in view.exhibits if e.id == exhibit), None)
        if found is None:
            raise WutongError("没有这份证据 (there is no such exhibit)", code="not-found")
        if any(name == exhibit for name, _ in pages_withheld(whole, unseen)):
            raise AccessError(
                "该证据有仅在封存区段内展示的页，不能提供全文 (the file has pages of a sealed part)", code="sealed-part"
            )
        if not await self._archive.holds(hearing, "exhibit", found.sha256, sight):
            raise WutongError("证据文件尚未上传 (the exhibit's file is still on its way)", code="not-found")
        file = self._store.file(found.sha256)
        head = await asyncio.get_running_loop().run_in_executor(self._pool, _head, file)
        media_type = next((name for name, magic in _TYPES.items() if head.startswith(magic)), "")
        if not media_type and found.media_type == "application/pdf" and _PDF in head:
            media_type = found.media_type
        disposition = "inline" if media_type else "attachment"
        headers = {
            "Content-Disposition": f"{disposition}; filename*=UTF-8''{quote(found.filename, safe='')}",
            # A document from a case is shown by our own pages and can run nothing by itself.
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        return shown(file, media_type or "application/octet-stream", headers, self._pool)

    async def page(self, hearing: str, exhibit: str, page: int, scale: int, sight: Sight, unseen: Unseen) -> Response:
        """The picture of a page as the room drew it, the largest up to `scale`; `WutongError` codes:
        `not-found`, `on-its-way` when it is on record and not here yet, `not-drawn` when the room drew none; and
        `AccessError` "sealed-part" of a page that was shown in a sealed part alone."""
        whole = await self._archive.evidence(hearing)
        view = withheld(whole, unseen)
        if (exhibit, page) in pages_withheld(whole, unseen) and any(e.id == exhibit for e in view.exhibits):
            raise AccessError("此页仅在封存区段内展示 (this page was shown in a sealed part alone)", code="sealed-part")
        if all(e.id != exhibit for e in view.exhibits):
            raise WutongError("没有这份证据 (there is no such exhibit)", code="not-found")
        drawn = view.pictures.get(exhibit, {})
        here = None
        for (number, size), picture in sorted(drawn.items()):
            if number == page and size <= scale:
                stored = await self._archive.holds(hearing, "page", picture["sha256"], sight)
                here = picture if stored else here
        if here is None and any(number == page for number, _ in drawn):
            raise WutongError("页图尚未上传 (the picture of this page is still on its way)", code="on-its-way")
        if here is None:
            raise WutongError("这一页没有页图，请查看原件 (no picture of this page; see the file)", code="not-drawn")
        headers = {"Content-Security-Policy": "default-src 'none'; sandbox"}
        if here["scale"] != scale:
            headers["X-Wutong-Smaller"] = "1"  # a larger one may still come; the other is the last word
        return shown(self._store.file(here["sha256"]), "image/jpeg", headers, self._pool)


def check_seen(found: MediaRange, unseen: Unseen) -> None:
    """`NoMediaError` when a part of the range was sealed since it was asked for."""
    if unseen.touches(found.from_ns, found.to_ns):
        raise NoMediaError(None)


async def answer(found: Awaitable[MediaRange]) -> Response:
    """A range as players get it."""
    try:
        media = await found
    except NoMediaError as error:
        return error_response(error, next_ms=None if error.next_ns is None else error.next_ns / NS_PER_MS)
    headers = {
        "X-Wutong-From-Ms": repr(media.from_ns / NS_PER_MS),
        "X-Wutong-To-Ms": repr(media.to_ns / NS_PER_MS),
        "X-Wutong-Mime": media.mime,
    }
    return Response(media.data, media_type=media.mime.partition(";")[0], headers=headers)


def _head(path: ReadableFile) -> bytes:
    with path.open("rb") as file:
        return bytes(file.read(_HEAD_BYTES))


def _size(path: ReadableFile) -> int:
    try:
        return int(path.stat().st_size)
    except FileNotFoundError:
        return -1
