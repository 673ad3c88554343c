"""Kinds of case and case numbers over HTTP, for the form of an unlisted case, as docs/protocol.md lists them."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Annotated, Any

from fastapi import FastAPI, Query
from typing_extensions import TypedDict

from edge.state.room_state import RoomState
from sync.cases.kind import CaseKind
from sync.cases.number import (
    LONGEST_NUMBER,
    CaseNumberError,
    CourtLevel,
    Instance,
    Part,
    read_case_number,
)
from sync.http.rights.rules import allow


class ShownRole(TypedDict):
    """What somebody is in a case."""

    name: str
    english: str
    required: bool
    asked: bool


class ShownKind(TypedDict):
    """A kind of case, for the form."""

    id: str
    name: str
    english: str
    types: list[str]
    title: str
    public: bool
    cause: str
    cause_english: str
    cause_required: bool
    causes: list[str]
    marks: list[str]
    roles: list[ShownRole]
    """Those that are asked for, in their order."""


class ShownKinds(TypedDict):
    """`GET /api/kinds`."""

    kinds: list[ShownKind]
    year: int
    court: str
    """Code of this court, by the numbers of its cases; empty where none is known yet."""


class NumberFault(TypedDict):
    """The first part of a number that is wrong."""

    part: Part
    at: int
    message: str


class ReadNumber(TypedDict):
    """`GET /api/kinds/number`: what a number says, or what is wrong with it."""

    kind: str | None
    court: str | None
    level: CourtLevel | None
    instance: Instance | None
    fault: NumberFault | None


def add_cases(app: FastAPI, state: RoomState) -> None:
    """Put the routes on `app`."""

    @app.get("/api/kinds")
    @allow("clerk")
    async def kinds() -> ShownKinds:
        found = await asyncio.to_thread(state.kinds.kinds)
        year = _year(state)
        return {
            "kinds": [_shown(name, kind) for name, kind in found.kinds.items()],
            "year": year,
            "court": court_code(state, year),
        }

    @app.get("/api/kinds/number")
    @allow("clerk")
    async def number(text: Annotated[str, Query(max_length=LONGEST_NUMBER)]) -> ReadNumber:
        return read(text, _year(state))


def read(text: str, year: int) -> ReadNumber:
    """What a number says, in a year."""
    try:
        said = read_case_number(text, this_year=year)
    except CaseNumberError as error:
        fault: NumberFault = {"part": error.part, "at": error.at, "message": error.message}
        return {"kind": None, "court": None, "level": None, "instance": None, "fault": fault}
    return {
        "kind": said.kind,
        "court": said.court,
        "level": said.level,
        "instance": said.instance,
        "fault": None,
    }


def court_code(state: RoomState, year: int) -> str:
    """The code of the court in the numbers that the docket and the last hearing have; the first that can be read."""
    numbers: list[Any] = [] if state.docket is None else [entry.case_no for entry in state.docket.hearings]
    if state.hearing is not None:
        numbers.append(state.hearing.case.get("case_no"))
    for number in numbers:
        if isinstance(number, str) and (court := read(number, year)["court"]) is not None:
            return court
    return ""


def _year(state: RoomState) -> int:
    return dt.datetime.fromtimestamp(state.clock.utc_now_ns() // 1_000_000_000, dt.UTC).astimezone().year


def _shown(name: str, kind: CaseKind) -> ShownKind:
    return {
        "id": name,
        "name": kind.name,
        "english": kind.english,
        "types": kind.types,
        "title": kind.title,
        "public": kind.public,
        "cause": kind.cause.name,
        "cause_english": kind.cause.english,
        "cause_required": kind.cause.required,
        "causes": kind.cause.common,
        "marks": kind.marks,
        "roles": [
            {"name": role.name, "english": role.english, "required": role.required, "asked": role.asked}
            for role in kind.role
            if role.required or role.asked
        ],
    }
