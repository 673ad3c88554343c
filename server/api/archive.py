"""The archive for inspectors: hearings and words by pages, each behind the one before, narrowed in the query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request, Response
from typing_extensions import TypedDict

from server.access.classification import Classification, Classifications
from server.access.sealing import Sealing
from server.api.judged_list import JudgedList
from server.people.reaches import Reaches
from server.shown_room import hidden_case
from server.store.archive.archive_reader import MOST_A_PAGE, MOST_COUNTED, ArchivePage, ArchiveReader
from server.store.archive.filters import HearingFilter, WordFilter
from server.store.archive.place import ArchivePlace
from server.store.archive.rows import HearingRow, SearchHit
from server.store.rights.sight import Sight
from sync.http.rights.access import Access
from sync.http.rights.rules import allow

KEEPERS = ("inspector", "archivist")
"""Who may raise a level, or seal a part."""
READERS = (*KEEPERS, "leader", "judge", "presiding", "clerk")
"""Who may see hearings, each what is theirs (`server.people.reaches`)."""
Words = Annotated[str, Query(max_length=200)]
"""What somebody types or chooses."""
Day = Annotated[str, Query(max_length=40)]
Place = Annotated[str, Query(max_length=1200)]
"""Of a page that said it; empty for the first."""
PageSize = Annotated[int, Query(ge=1, le=MOST_A_PAGE)]
PAGE = 50


class ListedHearing(HearingRow):
    """A row of a list of hearings, with its level (密级)."""

    access: Classification


class ArchiveEnd(TypedDict):
    """How a page of the archive ends."""

    next: str | None
    """What is said as `after` for the next page; null when this was the last."""
    looked_to_utc_ms: float | None
    """Not all could be looked through in time: this says back to which opening. The next page goes on from there."""


class ArchivedHearings(ArchiveEnd):
    """A page of hearings."""

    hearings: list[ListedHearing]
    count: int | None
    """How many there are, said on the first page; of more than 10,000 this is what it says."""
    at_least: bool
    """Whether there are more than `count`, or may be."""


class ArchivedWords(ArchiveEnd):
    """A page of words that were found; those of one hearing together."""

    hits: list[SearchHit]


class ArchiveRoutes:
    """The routes of the archive page."""

    def __init__(
        self,
        *,
        access: Access,
        archive: ArchiveReader,
        classifications: Classifications,
        sealing: Sealing,
        reaches: Reaches,
    ) -> None:
        self._reaches = reaches
        self._access = access
        self._archive = archive
        self._classifications = classifications
        self._sealing = sealing

    def install(self, app: FastAPI) -> None:
        """Add all routes."""

        @app.get("/api/archive/hearings")
        @allow(*READERS)
        async def hearings(
            request: Request,
            court: Words = "",
            room: Words = "",
            case: Words = "",
            state: Words = "",
            from_date: Annotated[Day, Query(alias="from")] = "",
            to_date: Annotated[Day, Query(alias="to")] = "",
            level: Literal["", "open", "restricted", "withdrawn"] = "",
            after: Place = "",
            most: PageSize = PAGE,
        ) -> Response:
            role = self._access.session(request).role
            wanted = HearingFilter(court, room, case, "", state, from_date, to_date, level)
            page = await self._archive.hearings(wanted, self._sight(request), _place(after), most)
            count = None if page.count is None else min(page.count, MOST_COUNTED)
            at_least = page.count is not None and (not page.counted or page.count > MOST_COUNTED)
            end = {"count": count, "at_least": at_least, **_end(page)}
            return JudgedList(
                lambda: {"hearings": listed_hearings(self._classifications, role, page.rows, wanted), **end}
            )

        @app.get("/api/archive/words")
        @allow(*READERS)
        async def words(
            request: Request,
            q: Words,
            role: Words = "",
            case: Words = "",
            court: Words = "",
            room: Words = "",
            from_date: Annotated[Day, Query(alias="from")] = "",
            to_date: Annotated[Day, Query(alias="to")] = "",
            level: Literal["", "open", "restricted", "withdrawn"] = "",
            after: Place = "",
            most: PageSize = PAGE,
        ) -> Response:
            mine = self._access.session(request).role
            wanted = WordFilter(role, case, court, from_date, to_date, room, level)
            page = await self._archive.words(q, wanted, self._sight(request), _place(after), most)
            self._access.add(request, hits=len(page.rows))
            return JudgedList(
                lambda: {"hits": hits_in_sight(self._classifications, self._sealing, mine, page), **_end(page)}
            )

    def _sight(self, request: Request) -> Sight:
        session = self._access.session(request)
        return self._reaches.sight(session, self._classifications.sight(session.role))


def listed_hearings(
    classifications: Classifications, role: str, rows: Sequence[dict[str, Any]], wanted: HearingFilter
) -> list[dict[str, Any]]:
    """A list as people of a role get it now: of a hearing beyond their sight without its case, and nothing where they
    look for a case."""
    seen = [(row, classifications.lets(role, row["id"])) for row in rows]
    return [
        {
            **row,
            "case": row["case"] if is_seen else hidden_case(row["case"]),
            "access": classifications.of(row["id"]).value,
        }
        for row, is_seen in seen
        if is_seen or not wanted.case
    ]


def hits_in_sight(
    classifications: Classifications, sealing: Sealing, role: str, page: ArchivePage
) -> list[dict[str, Any]]:
    """Those of a page's words that may be seen now: what a sealed part touches anywhere in its time is not."""
    return [
        hit
        for hit, span in zip(page.rows, page.spans, strict=True)
        if classifications.lets(role, hit["hearing"]) and not sealing.unseen(role, hit["hearing"]).touches(*span)
    ]


def _place(after: str) -> ArchivePlace | None:
    return ArchivePlace.read(after) if after else None


def _end(page: ArchivePage) -> ArchiveEnd:
    looked_to_utc_ms = page.next.opened_ms if page.next is not None and page.stopped else None
    return {"next": None if page.next is None else page.next.said(), "looked_to_utc_ms": looked_to_utc_ms}
