"""What inspectors ask for over HTTP: rooms, hearings, media, exhibits, words, dockets. Read docs/protocol.md."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

from fastapi import FastAPI, Query, Request, Response, WebSocket
from fastapi.responses import FileResponse

from server.archive import Archive, HearingFilter, WordFilter
from server.audit import Audit
from server.events import Name
from server.live import Live
from server.media import Media, NoMediaError, Source
from server.objects import ObjectStore
from server.record import Record
from server.rooms import Rooms
from server.uploads import UploadFolder
from sync.docket import Docket
from sync.errors import WutongError
from sync.hearing import Hearing
from sync.http.access import Access, allow, error_response

R = TypeVar("R")

_NS_PER_MS = 1_000_000
_MOST_MS = 2.0**62 / _NS_PER_MS
_TYPES = {"application/pdf": b"%PDF-", "image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
"""Exhibits are shown as one of these and nothing else, by their first bytes."""

Ms = Annotated[float, Query(ge=-_MOST_MS, le=_MOST_MS, allow_inf_nan=False)]
Words = Annotated[str, Query(max_length=200)]


class Screens:
    """The routes of the role inspector."""

    def __init__(
        self,
        *,
        access: Access,
        archive: Archive,
        record: Record,
        rooms: Rooms,
        live: Live,
        media: Media,
        store: ObjectStore,
        uploads: UploadFolder,
        audit: Audit,
        publish_docket: Callable[[str, str], bool],
    ) -> None:
        self._access = access
        self._archive = archive
        self._record = record
        self._rooms = rooms
        self._live = live
        self._media = media
        self._store = store
        self._uploads = uploads
        self._audit = audit
        self._publish_docket = publish_docket

    def install(self, app: FastAPI) -> None:
        """Add all routes."""

        @app.websocket("/api/live")
        @allow("inspector")
        async def live(ws: WebSocket) -> None:
            session = await self._access.websocket(ws)
            self._audit.note("view", session.role, _address(ws), "live")
            try:
                await self._live.gateway.serve(
                    ws,
                    self._live.first(),
                    may_watch=lambda name: name.rpartition("/")[0] in self._rooms,
                    on_said=self._live.said,
                    alive=lambda: self._access.alive(session),
                )
            finally:
                self._access.released(ws)

        @app.get("/api/rooms")
        @allow("inspector")
        async def rooms() -> list[dict[str, Any]]:
            return [room.to_screen() for room in self._rooms.states.values()]

        @app.get("/api/hearings")
        @allow("inspector")
        async def hearings(
            court: Words = "", room: Words = "", case: Words = "", date: Words = "", state: Words = ""
        ) -> list[dict[str, Any]]:
            return await self._archive.hearings(HearingFilter(court, room, case, date, state))

        @app.get("/api/hearings/{hearing}")
        @allow("inspector")
        async def one(hearing: Name, request: Request) -> dict[str, Any]:
            room, view = await self._archive.hearing(hearing)
            self._note_view(request, f"hearing {hearing}")
            now_ns = self._rooms.now_ns(room) if view.closed_ns is None else None
            state = self._rooms.states.get(room)
            return {
                **view.to_json(),
                "room": room,
                "court_name": state.court_name if state else "",
                "room_name": state.room_name if state else "",
                "now_ms": None if now_ns is None else now_ns / _NS_PER_MS,
                "tracks": [await self._track(room, view, track) for track in view.tracks],
            }

        @app.get("/api/hearings/{hearing}/media/{track}")
        @allow("inspector")
        async def media(hearing: Name, track: Name, from_ms: Ms, to_ms: Ms) -> Response:
            return await self._range(hearing, track, int(from_ms * _NS_PER_MS), int(to_ms * _NS_PER_MS))

        @app.get("/api/hearings/{hearing}/exhibits/{exhibit}")
        @allow("inspector")
        async def exhibit(hearing: Name, exhibit: Name, request: Request) -> Response:
            self._note_view(request, f"exhibit {hearing}/{exhibit}")
            return await self._exhibit(hearing, exhibit)

        @app.get("/api/search")
        @allow("inspector")
        async def search(
            request: Request,
            q: Words,
            role: Words = "",
            case: Words = "",
            court: Words = "",
            from_date: Annotated[str, Query(alias="from", max_length=40)] = "",
            to_date: Annotated[str, Query(alias="to", max_length=40)] = "",
        ) -> list[dict[str, Any]]:
            self._note_view(request, f"search {q}")
            return await self._archive.search(q, WordFilter(role, case, court, from_date, to_date))

        @app.put("/api/docket/{court}/{room}")
        @allow("inspector")
        async def docket(court: Name, room: Name, body: Docket, request: Request) -> dict[str, Any]:
            address = f"{court}/{room}"
            if address not in self._rooms:
                raise WutongError("没有这个法庭 (there is no such room)", code="not-found")
            text = body.model_dump_json()
            await self._record.set_docket(address, text)
            self._note_view(request, f"docket {address}")
            # Not published now means published when the broker is back: the service says all dockets then.
            return {"published": self._publish_docket(address, text)}

    async def _track(self, room: str, view: Hearing, track: dict[str, Any]) -> dict[str, Any]:
        name = str(track.get("id", ""))

        def look(sources: list[Source]) -> tuple[str, list[tuple[int, int]]]:
            return self._media.ranges(sources)

        mime, ranges = await self._reading(room, view.id, name, look)
        return {
            "id": name,
            "kind": str(track.get("kind", "")),
            "name": str(track.get("name", name)),
            "mime": mime,
            "ranges": [[start / _NS_PER_MS, end / _NS_PER_MS] for start, end in ranges],
        }

    async def _range(self, hearing: str, track: str, from_ns: int, to_ns: int) -> Response:
        room = await self._archive.owner(hearing)
        if room is None:
            raise WutongError("没有这次庭审 (there is no such hearing)", code="not-found")
        try:
            found = await self._reading(room, hearing, track, lambda s: self._media.read(s, from_ns, to_ns))
        except NoMediaError as error:
            next_ms = None if error.next_ns is None else error.next_ns / _NS_PER_MS
            return error_response(error, next_ms=next_ms)
        headers = {
            "X-Wutong-From-Ms": repr(found.from_ns / _NS_PER_MS),
            "X-Wutong-To-Ms": repr(found.to_ns / _NS_PER_MS),
            "X-Wutong-Mime": found.mime,
        }
        return Response(found.data, media_type=found.mime.partition(";")[0], headers=headers)

    async def _reading(self, room: str, hearing: str, track: str, work: Callable[[list[Source]], R]) -> R:
        for _ in range(3):
            sources = await self._sources(room, hearing, track)
            try:
                return await asyncio.to_thread(work, sources)
            except FileNotFoundError:
                continue  # an upload became an object between the two lines; look again
        raise WutongError("the record is just being moved; ask again", code="busy")

    async def _sources(self, room: str, hearing: str, track: str) -> list[Source]:
        # Uploads first: one that becomes an object in between is then seen twice, never not at all.
        partials = self._uploads.of_track(room, hearing, track)
        closed = {file.place: file for file in await self._archive.files(room, hearing, track)}
        sources = [Source(f.place, self._store.path(f.sha256), False, f.from_ns, f.to_ns) for f in closed.values()]
        growing: dict[int, Source] = {}
        for partial in partials:
            place = partial.metadata.index
            # A room that lost its upload starts another: the one with more bytes plays.
            if place not in closed and (place not in growing or _size(partial.path) > _size(growing[place].path)):
                growing[place] = Source(place, partial.path, True)
        return [*sources, *growing.values()]

    async def _exhibit(self, hearing: str, exhibit: str) -> Response:
        _, view = await self._archive.hearing(hearing)
        found = next((e for e in view.exhibits if e.id == exhibit), None)
        if found is None:
            raise WutongError("没有这份证据 (there is no such exhibit)", code="not-found")
        if not await self._archive.has_object(found.sha256):
            raise WutongError("证据文件尚未上传 (the exhibit's file is still on its way)", code="not-found")
        path = self._store.path(found.sha256)
        head = await asyncio.to_thread(_head, path)
        media_type = next((name for name, magic in _TYPES.items() if head.startswith(magic)), "")
        disposition = "inline" if media_type else "attachment"
        headers = {
            "Content-Disposition": f"{disposition}; filename*=UTF-8''{quote(found.filename, safe='')}",
            "Cache-Control": "private, max-age=3600",
            # A document from a case is shown by our own pages and can run nothing by itself.
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        return FileResponse(path, media_type=media_type or "application/octet-stream", headers=headers)

    def _note_view(self, request: Request, detail: str) -> None:
        session = self._access.session(request)
        self._audit.note("view", session.role, _address(request), detail)


def _address(request: Request | WebSocket) -> str:
    return request.client.host if request.client else "?"


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return bytes(file.read(16))


def _size(path: Path) -> int:
    try:
        return int(path.stat().st_size)
    except FileNotFoundError:
        return -1
