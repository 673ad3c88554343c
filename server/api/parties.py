"""What a party or counsel sees of the one hearing that was granted to them, and how the archivist grants it.

A party gets the words as they are now, what was played of cameras and room sound, and pictures of the pages that were
shown in court: no other page, no file of an exhibit, no other hearing, no list, no search, no notes of the clerk, no
single microphone, no file of the record as such. Every request is judged anew by the grant (`server.access.grants`),
and is on the audit log before it is answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Annotated, Any

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from server.access.audit import address_of
from server.access.classification import ARCHIVIST
from server.access.grants import MAX_HOURS, NO_GRANT, PARTY, Grant, Grants
from server.access.sealing import Sealing, sealed_part
from server.access.viewing_log import PlayedTo, ViewingLog
from server.api.hearing_pages import HearingPages, PageAudience, array, field_of, signing_field
from server.api.inspectors import Ms
from server.events.redaction import SignedWords
from server.people.reaches import Reaches
from server.playback.service import PlayableTrack, PlaybackService, answer, check_seen
from server.store.encoded_page import encode
from server.store.kept_folds import KeptFold, KeptFolds
from server.store.reader import RecordReader
from sync.errors import WutongError
from sync.http.rights.access import Access
from sync.http.rights.people import Session
from sync.http.rights.rules import allow, public
from sync.media.tracks import MIX
from sync.record.bodies.limits import Name, PageNumber, PictureScale
from sync.record.bodies.session import OpenedSeat, OpenedTrack, is_public
from sync.record.hearing import State
from sync.record.milliseconds import to_ms
from sync.record.sealed_parts import Unseen, UnseenSpan, spans_shown
from sync.record.timeline import Exhibit, Gap, Pause, Presentation
from sync.record.transcript import LineSource
from sync.record.withheld import withheld
from sync.runtime.units import NS_PER_MS
from sync.text.fields import LINE, NAME

_LINE = ("id", "seat", "role", "start_ns", "end_ns", "text", "source", "struck", "doubtful")
_GAP = ("track", "from_ns", "to_ns", "why")
_WHOLE = ("state", "opened_ns", "opened_utc_ns", "recorded_from_ns", "closed_ns", "pauses", "presentations")


class NewGrant(BaseModel):
    """Body of a grant."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    role: Annotated[str, LINE, Field(min_length=1, max_length=40)]
    name: Annotated[str, NAME, Field(min_length=1, max_length=40)]
    hours: Annotated[float, Field(gt=0, le=MAX_HOURS, allow_inf_nan=False)] = 24


class Code(BaseModel):
    """Body of the opening of a link."""

    code: Annotated[str, Field(min_length=8, max_length=64)]


class GrantedCase(TypedDict):
    """What the hearing is about."""

    case_no: str
    cause: str
    title: str
    parties: dict[str, str]
    public: bool


class GrantedLine(TypedDict):
    """A line as it is now."""

    id: str
    seat: str
    role: str
    start_ns: int
    end_ns: int
    text: str
    source: LineSource
    struck: bool
    doubtful: bool


class GrantedRights(TypedDict):
    """To whom the hearing was granted, and until when."""

    role: str
    name: str
    until_utc_ms: float


class GrantedHearing(TypedDict):
    """`GET /api/view`: the one hearing that was granted."""

    id: str
    state: State
    opened_ns: int
    opened_utc_ns: int
    recorded_from_ns: int
    closed_ns: int | None
    pauses: list[Pause]
    presentations: list[Presentation]
    case: GrantedCase
    seats: list[OpenedSeat]
    utterances: list[GrantedLine]
    exhibits: list[Exhibit]
    gaps: list[Gap]
    court_name: str
    room_name: str
    signing: SignedWords
    unseen: list[UnseenSpan]
    """What of it lies in sealed parts, of which a party gets nothing."""
    tracks: list[PlayableTrack]
    granted: GrantedRights


class PartyRoutes:
    """The routes of parties, and the archivist's of their grants."""

    def __init__(
        self,
        *,
        access: Access,
        archive: RecordReader,
        folds: KeptFolds,
        playing: PlaybackService,
        grants: Grants,
        viewed: ViewingLog,
        sealing: Sealing,
        reaches: Reaches,
    ) -> None:
        self._reaches = reaches
        self._access = access
        self._archive = archive
        self._pages = HearingPages(folds)
        self._playing = playing
        self._grants = grants
        self._viewed = viewed
        self._sealing = sealing

    def install(self, app: FastAPI) -> None:
        """Add all routes."""
        self._install_grants(app)
        self._install_view(app)

    def _install_grants(self, app: FastAPI) -> None:
        @app.get("/api/hearings/{hearing}/grants")
        @allow(ARCHIVIST)
        async def grants(hearing: Name) -> Any:
            return [self._grants.to_screen(grant) for grant in await self._grants.of_hearing(hearing)]

        @app.post("/api/hearings/{hearing}/grants", status_code=201)
        @allow(ARCHIVIST)
        async def make(hearing: Name, body: NewGrant, request: Request) -> dict[str, Any]:
            session = self._access.session(request)
            made = await self._grants.make(session, address_of(request), hearing, body.role, body.name, body.hours)
            return {**self._grants.to_screen(made[0]), "code": made[1]}

        @app.delete("/api/grants/{grant}")
        @allow(ARCHIVIST)
        async def revoke(grant: Name, request: Request) -> Any:
            session = self._access.session(request)
            hearing = await self._grants.granted(grant)
            if hearing is not None:  # of another court it answers as one that is not there
                await self._reached(session, hearing)
            revoked = await self._grants.revoke(session, address_of(request), grant)
            await self._access.end(revoked.id)
            return self._grants.to_screen(revoked)

    def _install_view(self, app: FastAPI) -> None:
        @app.post("/api/view/session")
        @public()
        async def enter(body: Code, request: Request, response: Response) -> dict[str, str]:
            async def redeem() -> tuple[str, str, str, float]:
                grant = await self._grants.redeem(body.code.strip(), address_of(request))
                return PARTY, f"{grant.role} {grant.name}", grant.id, grant.until_utc_ns / 1e9

            session = await self._access.let_in(request, response, redeem)
            return {"role": session.role, "name": session.name}

        @app.get("/api/view")
        @allow(PARTY)
        async def hearing(request: Request) -> Response:
            with self._judged(request) as grant:
                unseen = self._unseen(grant)
                page = await self._pages.of(grant.hearing, PageAudience.PARTY, unseen, _for_parties)
                opening = await self._archive.opening(grant.hearing)
                more = {
                    "court_name": opening.court_name,
                    "room_name": opening.room_name,
                    "unseen": to_ms(spans_shown(unseen)),
                    "tracks": [
                        await self._playing.track(page.room, grant.hearing, track, self._grants.sight(), unseen)
                        for track in page.tracks
                        if _is_shown(track)
                    ],
                    "granted": {"role": grant.role, "name": grant.name, "until_utc_ms": grant.until_utc_ns / 1e6},
                }
                answered = await page.answer(request, more)
                self._unchanged(request, grant, unseen)
                return answered

        @app.get("/api/view/media/{track}")
        @allow(PARTY)
        async def media(request: Request, track: Name, from_ms: Ms, to_ms: Ms) -> Response:
            with self._judged(request) as grant:
                opening = await self._archive.opening(grant.hearing)
                if not any(_is_shown(t) and t.get("id") == track for t in opening.tracks):
                    raise WutongError("没有这条轨道 (there is no such track)", code="not-found")
                find = await self._playing.finder(
                    grant.hearing,
                    track,
                    round(from_ms * NS_PER_MS),
                    round(to_ms * NS_PER_MS),
                    self._grants.sight(),
                    lambda: self._unseen(grant),
                )

                async def told() -> Any:
                    found = await find()
                    self._access.judge_again(request, lambda: check_seen(found, self._unseen(grant)))
                    address = address_of(request)
                    await self._viewed.played(
                        _viewer(self._access.session(request), grant),
                        address,
                        track,
                        opening.opened_ns,
                        found.from_ns,
                        found.to_ns,
                    )
                    return found

                return await answer(told())

        @app.get("/api/view/exhibits/{exhibit}/pages/{page}")
        @allow(PARTY)
        async def exhibit_page(exhibit: Name, page: PageNumber, request: Request, scale: PictureScale = 1) -> Response:
            with self._judged(request) as grant:
                unseen = self._unseen(grant)
                view = withheld(await self._archive.evidence(grant.hearing), unseen)
                # A file has pages that nobody was shown; what hung on the courtroom's wall is what its parties saw.
                if (exhibit, page) not in {(shown.exhibit, shown.page) for shown in view.presentations}:
                    raise WutongError("这一页没有在庭上展示 (this page was not shown in court)", code="not-found")
                response = await self._playing.page(grant.hearing, exhibit, page, scale, self._grants.sight(), unseen)
                self._unchanged(request, grant, unseen)
                return response

    async def _reached(self, session: Session, hearing: str) -> None:
        try:
            await self._reaches.check_hearing(session, hearing)
        except WutongError as error:
            raise WutongError(NO_GRANT, code="not-found") from error

    def _unseen(self, grant: Grant) -> Unseen:
        return self._sealing.unseen(PARTY, grant.hearing)

    def _unchanged(self, request: Request, grant: Grant, before: Unseen) -> None:
        """`AccessError` "sealed-part" when a part was sealed while an answer was made, now and when it leaves."""

        def check() -> None:
            if self._unseen(grant) != before:
                raise sealed_part()

        check()
        self._access.judge_again(request, check)

    def _judged(self, request: Request) -> AbstractContextManager[Grant]:
        """`Grants.judged`, and once more when the answer leaves; the audit log always knows which hearing was asked
        for."""
        session = self._access.session(request)
        self._access.judge_again(request, lambda: self._grants.check(session))
        self._access.add(request, hearing=self._grants.hearing_of(session))
        return self._grants.judged(session)


def _viewer(session: Session, grant: Grant) -> PlayedTo:
    return PlayedTo(session, grant.hearing, more={"grant": grant.id, "name": grant.name})


def _is_shown(track: OpenedTrack) -> bool:
    """Cameras, the composed picture and the room's sound; not the single microphones, which hear whispering too."""
    return track.get("kind") == "video" or track.get("id") == MIX


def _for_parties(fold: KeptFold, unseen: Unseen) -> Iterator[bytes]:
    """A hearing as its parties may read it: what happened before them, not what the clerk noted."""
    view = withheld(fold.hearing, unseen)
    whole: Mapping[str, Any] = view.shown()
    presented = {one.exhibit for one in view.presentations}
    case = {key: view.case.get(key, "") for key in ("case_no", "cause", "title")}
    yield b'{"id":' + encode(view.id)
    for name in _WHOLE:
        yield from field_of(name, whole[name])
    yield from field_of("case", {**case, "parties": view.case.get("parties", {}), "public": is_public(view.case)})
    yield from field_of("seats", [{"id": s.get("id"), "role": s.get("role", ""), "roles": []} for s in view.seats])
    yield b',"utterances":'
    yield from array(encode(to_ms({key: getattr(one, key) for key in _LINE})) for one in view.transcript)
    yield from field_of("exhibits", [exhibit for exhibit in view.exhibits if exhibit.id in presented])
    yield from field_of("gaps", [{key: getattr(gap, key) for key in _GAP} for gap in view.gaps])
    yield from signing_field(fold, unseen, strokes=False)
