"""What an auditor and an administrator look through: the audit log, and counts by court and day.

The auditor's route opens nothing else, and an administrator's counts name no hearing. Both reach as far as the post in
which somebody acts.
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import FastAPI, Query, Request

from server.overview.audit_page import MOST_A_PAGE, MOST_COUNTED, AuditFilter, AuditListed, audit_page
from server.overview.court_counts import CourtReport, court_report, days_between
from server.people.known_people import KnownPeople
from server.store.database import Database
from sync.http.rights.access import Access
from sync.http.rights.people import Session
from sync.http.rights.roles import ADMINISTRATOR, AUDITOR
from sync.http.rights.rules import allow

Words = Annotated[str, Query(max_length=200)]
Name = Annotated[str, Query(max_length=64)]
Day = Annotated[str, Query(max_length=10)]
Offset = Annotated[int, Query(ge=0, le=MOST_COUNTED)]
PageSize = Annotated[int, Query(ge=1, le=MOST_A_PAGE)]
PAGE = 50


class OverviewRoutes:
    """The routes of the audit log's page and of reports."""

    def __init__(self, access: Access, database: Database, known: KnownPeople) -> None:
        self._access = access
        self._db = database
        self._known = known

    def install(self, app: FastAPI) -> None:
        """Add all routes."""

        @app.get("/api/admin/audit")
        @allow(AUDITOR)
        async def audit(
            request: Request,
            q: Words = "",
            what: Name = "",
            role: Name = "",
            person: Name = "",
            granted: Literal["", "yes", "no"] = "",
            from_day: Annotated[Day, Query(alias="from")] = "",
            to_day: Annotated[Day, Query(alias="to")] = "",
            sort: Literal["utc", "-utc"] = "-utc",
            offset: Offset = 0,
            limit: PageSize = PAGE,
        ) -> AuditListed:
            courts = self._courts(self._access.session(request))
            only = None if granted == "" else granted == "yes"
            wanted = AuditFilter(courts, q, what, role, person, only, from_day, to_day)
            oldest_first = sort == "utc"
            return await self._db.read(lambda c: audit_page(c, wanted, offset, limit, oldest_first=oldest_first))

        @app.get("/api/admin/reports")
        @allow(ADMINISTRATOR)
        async def reports(
            request: Request,
            from_day: Annotated[Day, Query(alias="from")],
            to_day: Annotated[Day, Query(alias="to")],
            court: Name = "",
        ) -> CourtReport:
            days = days_between(from_day, to_day)
            reach = self._courts(self._access.session(request))
            tree = self._known.tree
            below = tree.reach(court) if court else None
            shown = [
                (one.slug, one.name)
                for one, _ in tree.walk()
                if (reach is None or one.slug in reach) and (below is None or one.slug in below)
            ]
            return await self._db.read(lambda connection: court_report(connection, shown, days))

    def _courts(self, session: Session) -> frozenset[str] | None:
        """The courts that somebody reaches; None where that is every one, with all that belongs to none of them."""
        reach = self._known.reach(session)
        return None if reach is None or reach >= self._known.tree.courts.keys() else reach
