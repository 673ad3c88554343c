"""Set phrases over HTTP, as docs/protocol.md lists them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from pypinyin import Style, lazy_pinyin
from typing_extensions import TypedDict

from edge.phrases.fields import PhrasePart, fields_of, fill, kind_of, speaker_of
from edge.phrases.file import MAX_BYTES, PhraseFileError
from edge.phrases.store import Phrasebook, PhraseStore, Shelf, default_text
from edge.state.room_state import RoomState
from sync.http.answers import error_response
from sync.http.rights.rules import allow
from sync.room.paths import RoomPaths


class NewFile(BaseModel):
    """A file of phrases that the court has edited."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(max_length=MAX_BYTES)]
    version: Annotated[str, Field(max_length=64)] | None = None
    """Of the text that was edited; without it the newest is replaced whatever it says."""


class FilledPhrase(TypedDict):
    """A set phrase, filled in for the case."""

    id: str
    group: str
    title: str
    role: str
    seat: str
    cases: list[str]
    fits: bool
    """For the kind of procedure of this case."""
    initials: str
    """Of the title in pinyin."""
    text: str
    parts: list[PhrasePart]
    missing: list[str]


class PhraseMistake(TypedDict):
    """Where a file of phrases is wrong."""

    line: int
    column: int
    message: str


class PhraseFileAnswer(TypedDict):
    """`GET /api/phrases/file`."""

    text: str
    version: str
    own: bool
    error: PhraseMistake | None
    default: str


def phrasebook_of(state: RoomState) -> Phrasebook:
    """The set phrases of this room: the profile's file, else one in the data folder."""
    profile, layout = state.profile, RoomPaths(state.profile.storage.data)
    roles = frozenset(role for seat in profile.seats for role in seat.roles)
    return Phrasebook(PhraseStore(profile.panel.phrases or layout.phrases, roles))


def add_phrases(app: FastAPI, state: RoomState, phrasebook: Phrasebook) -> None:
    """Put the routes on `app`."""

    @app.get("/api/phrases")
    @allow("clerk")
    async def phrases() -> Any:
        return _filled(state, await phrasebook.shelf())

    @app.get("/api/phrases/file")
    @allow("clerk")
    async def file() -> Any:
        return _file(await phrasebook.shelf())

    @app.put("/api/phrases", response_model=None)
    @allow("clerk", body_bytes=2 * MAX_BYTES)  # as JSON, an end of a line is two bytes
    async def save(body: NewFile) -> list[FilledPhrase] | Response:
        try:
            return _filled(state, await phrasebook.save(body.text, body.version))
        except PhraseFileError as error:
            return _refused(error)


def _refused(error: PhraseFileError) -> JSONResponse:
    return error_response(error, line=error.line, column=error.column)


def _file(shelf: Shelf) -> PhraseFileAnswer:
    wrong = shelf.error
    error: PhraseMistake | None = (
        None if wrong is None else {"line": wrong.line, "column": wrong.column, "message": wrong.message}
    )
    return {
        "text": shelf.text,
        "version": shelf.version,
        "own": shelf.own,
        "error": error,
        "default": default_text(),
    }


def _filled(state: RoomState, shelf: Shelf) -> list[FilledPhrase]:
    room, hearing = state.profile.room, state.hearing
    case: Mapping[str, Any] = {} if hearing is None else hearing.case
    seats = state.seats() if hearing is None else hearing.seats
    known = fields_of(
        case,
        court_name=room.court_name,
        room_name=room.room_name,
        opened_utc_ns=0 if hearing is None else hearing.opened_utc_ns,
    )
    kind = kind_of(case)
    out: list[FilledPhrase] = []
    for phrase in shelf.phrases:
        filled = fill(phrase, known)
        role, seat = speaker_of(phrase.role, seats, case.get("parties", {}))
        out.append(
            {
                "id": phrase.id,
                "group": phrase.group,
                "title": phrase.title,
                "role": role,
                "seat": seat,
                "cases": list(phrase.cases),
                "fits": not kind or not phrase.cases or kind in phrase.cases,
                "initials": _initials(phrase.title),
                "text": filled.text,
                "parts": filled.parts,
                "missing": filled.missing,
            }
        )
    return out


@cache
def _initials(title: str) -> str:
    """`qlywgz` of 权利义务告知: what a clerk types to find it."""
    letters = "".join(lazy_pinyin(title, style=Style.FIRST_LETTER))
    return "".join(letter for letter in letters if letter.isalnum()).lower()
