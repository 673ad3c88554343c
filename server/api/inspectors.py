"""What inspectors ask for over HTTP: rooms, hearings, media, exhibits, words, dockets. Read docs/protocol.md."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response, WebSocket

from server.access.audit import Audit, address_of
from server.access.classification import ARCHIVIST, Classifications
from server.access.sealing import Sealing, sealed_part
from server.access.viewing_log import PlayedTo, ViewingLog
from server.api.archive import KEEPERS, READERS, Words, hits_in_sight, listed_hearings
from server.api.hearing_pages import HearingPage, HearingPages, PageAudience, for_archivists, for_inspectors
from server.api.judged_list import JudgedList
from server.api.recorded_hearing import NewClassification, part_to_screen
from server.live.hub import LiveHub
from server.live.log import LiveLog
from server.people.reaches import Reaches
from server.playback.ranges import MediaRange
from server.playback.service import PlaybackService, answer, check_seen
from server.playback.solo_queue import SoloQueue
from server.rooms import Rooms
from server.store.archive.filters import HearingFilter, WordFilter
from server.store.kept_folds import KeptFold, KeptFolds
from server.store.reader import RecordReader
from server.store.rights.sight import Sight
from server.store.writer import RecordWriter
from sync.errors import WutongError
from sync.http.live.tab import LiveTab
from sync.http.rights.access import Access
from sync.http.rights.people import Session
from sync.http.rights.rules import allow
from sync.ledger.progress import ProofProgress
from sync.record.bodies.limits import Name, PageNumber, PictureScale
from sync.record.docket import MAX_DOCKET_BYTES, Docket
from sync.record.explanation import explain
from sync.record.milliseconds import to_ms
from sync.record.sealed_parts import Unseen, spans_shown
from sync.record.withheld import withheld
from sync.runtime.units import NS_PER_MS

MOST_MS = 2.0**62 / NS_PER_MS

Ms = Annotated[float, Query(ge=-MOST_MS, le=MOST_MS, allow_inf_nan=False)]
MAX_TABS = 32
"""Live pages of one session; 8 MiB of pictures may wait for each."""
DOCKET_BODY_BYTES = 1024 * 1024
"""A day of a room, the words of its cases included."""


class InspectorRoutes:
    """The routes of inspectors and archivists."""

    def __init__(
        self,
        *,
        access: Access,
        archive: RecordReader,
        folds: KeptFolds,
        record: RecordWriter,
        rooms: Rooms,
        live: LiveHub,
        playing: PlaybackService,
        audit: Audit,
        viewed: ViewingLog,
        watching: LiveLog,
        classifications: Classifications,
        sealing: Sealing,
        publish_docket: Callable[[str, str], bool],
        integrity: Callable[[str], Awaitable[ProofProgress]],
        reaches: Reaches,
    ) -> None:
        self._reaches = reaches
        self._access = access
        self._archive = archive
        self._folds = folds
        self._pages = HearingPages(folds)
        self._record = record
        self._rooms = rooms
        self._live = live
        self._playing = playing
        self._audit = audit
        self._viewed = viewed
        self._watching = watching
        self._classifications = classifications
        self._sealing = sealing
        self._listening = SoloQueue()
        self._publish_docket = publish_docket
        self._integrity = integrity

    def install(self, app: FastAPI) -> None:
        """Add all routes."""

        @app.websocket("/api/live")
        @allow(*READERS)
        async def live(ws: WebSocket) -> None:
            session = await self._access.websocket(ws)
            try:
                if self._access.sockets_of(session) > MAX_TABS:
                    await ws.close(1013, "too many tabs")
                    return

                def said(tab: LiveTab) -> None:
                    self._watching.said(session, address_of(ws), tab)

                may_watch, may_see = self._may_watch(session), self._may_see(session)
                may_see_span = self._may_see_span(session.role)
                await self._live.serve(
                    ws,
                    may_watch=may_watch,
                    may_see=may_see,
                    may_see_span=may_see_span,
                    knows=lambda room: self._reaches.room(session, room),
                    on_said=said,
                    alive=lambda: self._access.alive(session),
                )
            finally:
                self._access.released(ws)

        @app.get("/api/rooms")
        @allow(*READERS)
        async def rooms(request: Request) -> Response:
            session = self._access.session(request)
            may_see, may_see_span = self._may_see(session), self._may_see_span(session.role)
            self._live.visited.notify()
            states = self._rooms.current.values()
            return JudgedList(
                lambda: [
                    self._live.shown(room, may_see, may_see_span)
                    for room in states
                    if self._reaches.room(session, room.address)
                ]
            )

        @app.get("/api/hearings")
        @allow(*READERS)
        async def hearings(
            request: Request, court: Words = "", room: Words = "", case: Words = "", date: Words = "", state: Words = ""
        ) -> Response:
            role = self._access.session(request).role
            wanted = HearingFilter(court, room, case, date, state)
            rows = await self._archive.hearings(wanted, self._sight(request))
            return JudgedList(lambda: listed_hearings(self._classifications, role, rows, wanted))

        @app.get("/api/hearings/{hearing}")
        @allow(*READERS)
        async def one(hearing: Name, request: Request) -> Response:
            with self._judged(request, hearing):
                page, unseen = await self._page(request, hearing)
                sight = self._sight(request)
                now_ns = None if page.is_closed else self._rooms.now_ns(page.room)
                state = self._rooms.states.get(page.room)
                court_name, room_name = await self._names(page.room, hearing)
                if not page.is_closed:
                    self._live.visited.notify()
                parts = [part_to_screen(part, unseen) for part in self._sealing.of(hearing)]
                more = {
                    "room": page.room,
                    "court_name": court_name,
                    "room_name": room_name,
                    "access": self._classifications.of(hearing),
                    "integrity": to_ms(await self._integrity(hearing)),
                    "now_ms": None if now_ns is None else now_ns / NS_PER_MS,
                    "room_known": state is None or state.known,
                    "tracks": [
                        await self._playing.track(page.room, hearing, track, sight, unseen) for track in page.tracks
                    ],
                    "unseen": to_ms(spans_shown(unseen)),
                }
                answered = await page.answer(request, {"sealed_parts": parts, **more})
                self._unchanged(request, hearing, unseen)
                return answered

        @app.get("/api/hearings/{hearing}/media/{track}")
        @allow(*READERS)
        async def media(
            request: Request, hearing: Name, track: Name, from_ms: Ms, to_ms: Ms, seat: Words = ""
        ) -> Response:
            with self._judged(request, hearing):
                session = self._access.session(request)
                find = await self._playing.finder(
                    hearing,
                    track,
                    int(from_ms * NS_PER_MS),
                    int(to_ms * NS_PER_MS),
                    self._sight(request),
                    lambda: self._unseen(request, hearing),
                )
                opening = await self._archive.opening(hearing)
                channel = await self._channel(request, hearing, seat) if seat else None

                async def told() -> MediaRange:
                    found = await find()
                    if channel is not None:
                        found = await self._alone(session, hearing, found, channel)
                    # Now, while its line is written, and when it leaves: it waited for its turn, and to be decoded.
                    check_seen(found, self._unseen(request, hearing))
                    self._access.judge_again(request, lambda: check_seen(found, self._unseen(request, hearing)))
                    viewer, address = PlayedTo(session, hearing, seat), address_of(request)
                    await self._viewed.played(viewer, address, track, opening.opened_ns, found.from_ns, found.to_ns)
                    return found

                return await answer(told())

        @app.get("/api/hearings/{hearing}/explanation")
        @allow(*READERS)
        async def explanation(hearing: Name, request: Request) -> dict[str, Any] | None:
            with self._judged(request, hearing):
                court_name, room_name = await self._names(await self._archive.owner(hearing) or "", hearing)
                unseen = self._unseen(request, hearing)

                def drafted(fold: KeptFold) -> Any:
                    draft = explain(withheld(fold.hearing, unseen), court_name=court_name, room_name=room_name)
                    return None if draft is None else draft.to_json()

                draft: dict[str, Any] | None = await self._folds.use(hearing, drafted)
                self._unchanged(request, hearing, unseen)
                return draft

        @app.put("/api/hearings/{hearing}/access")
        @allow(*KEEPERS)
        async def access(hearing: Name, body: NewClassification, request: Request) -> dict[str, str]:
            if await self._archive.owner(hearing) is None:
                raise WutongError("没有这次庭审 (there is no such hearing)", code="not-found")
            session = self._access.session(request)
            await self._classifications.set(session, address_of(request), hearing, body.level, body.reason)
            return {"access": self._classifications.of(hearing).value}

        @app.get("/api/hearings/{hearing}/exhibits/{exhibit}")
        @allow(*READERS)
        async def exhibit(hearing: Name, exhibit: Name, request: Request) -> Response:
            with self._judged(request, hearing):
                unseen = self._unseen(request, hearing)
                response = await self._playing.exhibit(hearing, exhibit, self._sight(request), unseen)
                self._unchanged(request, hearing, unseen)
                return response

        @app.get("/api/hearings/{hearing}/exhibits/{exhibit}/pages/{page}")
        @allow(*READERS)
        async def exhibit_page(
            hearing: Name, exhibit: Name, page: PageNumber, request: Request, scale: PictureScale = 1
        ) -> Response:
            with self._judged(request, hearing):
                unseen = self._unseen(request, hearing)
                response = await self._playing.page(hearing, exhibit, page, scale, self._sight(request), unseen)
                self._unchanged(request, hearing, unseen)
                return response

        @app.get("/api/hearings/{hearing}/documents/{document}")
        @allow(ARCHIVIST)
        async def document(hearing: Name, document: Name, request: Request) -> Response:
            session = self._access.session(request)
            with self._judged(request, hearing):
                self._sealing.check_whole(session, hearing)
                response = await self._playing.document(hearing, document, self._sight(request))
                self._sealing.check_whole(session, hearing)
                self._access.judge_again(request, lambda: self._sealing.check_whole(session, hearing))
            told = f"{hearing}/{document}"
            self._audit.note("document", session.role, address_of(request), told, session.person)
            return response

        @app.get("/api/search")
        @allow(*READERS)
        async def search(
            request: Request,
            q: Words,
            role: Words = "",
            case: Words = "",
            court: Words = "",
            from_date: Annotated[str, Query(alias="from", max_length=40)] = "",
            to_date: Annotated[str, Query(alias="to", max_length=40)] = "",
        ) -> Response:
            mine = self._access.session(request).role
            wanted = WordFilter(role, case, court, from_date, to_date)
            page = await self._archive.search(q, wanted, self._sight(request))
            self._access.add(request, hits=len(page.rows))
            return JudgedList(lambda: hits_in_sight(self._classifications, self._sealing, mine, page))

        @app.put("/api/docket/{court}/{room}")
        @allow("inspector", body_bytes=DOCKET_BODY_BYTES)
        async def docket(court: Name, room: Name, body: Docket, request: Request) -> dict[str, Any]:
            address = f"{court}/{room}"
            if address not in self._rooms:
                raise WutongError("没有这个法庭 (there is no such room)", code="not-found")
            text = body.model_dump_json()
            if len(text.encode()) > MAX_DOCKET_BYTES:
                raise WutongError(
                    "排期过大，请按天提交并减少用语 (the docket is too large: send one day, and fewer terms)",
                    code="too-large",
                )
            by = self._access.session(request)
            await self._record.set_docket(address, text, by.role, by.person)
            # Not published now means published when the broker is back: the service says all dockets then.
            return {"published": self._publish_docket(address, text)}

    async def _names(self, room: str, hearing: str) -> tuple[str, str]:
        """Of court and room, as the room says them; where it is not heard here, as it said them at the opening."""
        state = self._rooms.states.get(room)
        if state is not None and state.known:
            return state.court_name, state.room_name
        return await self._archive.names(hearing)

    async def _channel(self, request: Request, hearing: str, seat: str) -> int:
        """Of 听单席; that somebody listens is noted."""
        opened = await self._archive.facts(hearing, ("open",))
        channel = next((s.get("channel") for s in opened.seats if s.get("id") == seat), None)
        if not isinstance(channel, int):
            raise WutongError("没有这个席位 (there is no such seat)", code="not-found")
        session = self._access.session(request)
        if self._listening.begins(id(session), f"{hearing}/{seat}"):
            self._audit.note("listen", session.role, address_of(request), f"{hearing}/{seat}", session.person)
        return channel

    async def _alone(self, session: Session, hearing: str, found: MediaRange, channel: int) -> MediaRange:
        listener = session.id, hearing
        return await self._listening.run(id(session), lambda: self._playing.isolate(listener, found, channel))

    async def _page(self, request: Request, hearing: str) -> tuple[HearingPage, Unseen]:
        """The page for who asks, and what is withheld from it."""
        is_archivist = self._access.session(request).role == ARCHIVIST
        audience = PageAudience.ARCHIVIST if is_archivist else PageAudience.INSPECTOR
        encode_page = for_archivists if is_archivist else for_inspectors
        unseen = self._unseen(request, hearing)
        page = await self._pages.of(hearing, audience, unseen, encode_page)
        if self._unseen(request, hearing) != unseen:  # a part was sealed or lifted while a long hearing was folded
            unseen = self._unseen(request, hearing)
            page = await self._pages.of(hearing, audience, unseen, encode_page)
        return page, unseen

    def _may_watch(self, session: Session) -> Callable[[str], bool]:
        def may(name: str) -> bool:
            room = self._rooms.states.get(name.rpartition("/")[0])
            if room is None or not self._classifications.lets(session.role, room.live_id):
                return False
            return self._reaches.room(session, room.address) and self._reaches.hearing(session, room.live_id)

        return may

    def _may_see(self, session: Session) -> Callable[[str | None], bool]:
        def may(hearing: str | None) -> bool:
            if session.ended or not self._classifications.lets(session.role, hearing):
                return False
            return self._reaches.hearing(session, hearing)

        return may

    def _may_see_span(self, role: str) -> Callable[[str | None, int, int], bool]:
        return lambda hearing, from_ns, to_ns: not self._sealing.unseen(role, hearing).touches(from_ns, to_ns)

    def _unseen(self, request: Request, hearing: str) -> Unseen:
        return self._sealing.unseen(self._access.session(request).role, hearing)

    def _unchanged(self, request: Request, hearing: str, before: Unseen) -> None:
        """`AccessError` "sealed-part" when a part was sealed while an answer was made; who asks again gets another. So
        it is also when the answer leaves."""

        def check() -> None:
            if self._unseen(request, hearing) != before:
                raise sealed_part()

        check()
        self._access.judge_again(request, check)

    def _judged(self, request: Request, hearing: str) -> AbstractContextManager[None]:
        """`Classifications.judged`, and once more when the answer leaves."""
        session = self._access.session(request)
        self._access.judge_again(request, lambda: self._classifications.check(session, hearing))
        return self._classifications.judged(session, hearing)

    def _sight(self, request: Request) -> Sight:
        session = self._access.session(request)
        return self._reaches.sight(session, self._classifications.sight(session.role))
