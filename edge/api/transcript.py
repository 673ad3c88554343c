"""The routes of the clerk's transcript: revisions, voices, undoing, and the sound of a line."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field, StringConstraints, model_validator
from typing_extensions import TypedDict

from edge.api.body import WordsBody
from edge.state.room_state import RoomState
from edge.state.sight import check_line, sealed_part, unseen_of
from edge.transcript.clip import moment
from edge.transcript.commands import ClerkAct, ConflictError, Done, TranscriptCommands
from sync.errors import HearingError
from sync.http.answers import error_response
from sync.http.rights.access import Access
from sync.http.rights.rules import allow
from sync.media.tracks import MICROPHONES, MIX
from sync.record.bodies.words import InsertedLine, LineChange, LineSettings
from sync.record.event import Event
from sync.record.milliseconds import event_to_ms, to_ms
from sync.record.sealed_parts import Unseen
from sync.record.timeline import Segment
from sync.record.transcript import Utterance
from sync.text.fields import LINE, WORDS

AROUND_NS = 300_000_000
"""Played before and after a line."""
SOUNDS_AT_ONCE = 2
MAX_TEXT = 10_000
MAX_ROLE = 40
MAX_CHANGES = 200
REVISION_BODY_BYTES = 2 * 1024 * 1024
"""Many lines in one act, such as a speaker renamed."""
LATEST_MS = 1e12
"""Thirty years of room time."""


Name = Annotated[str, StringConstraints(min_length=1, max_length=96, pattern=r"^[A-Za-z0-9._:-]+$")]
NameOrNone = Annotated[str, StringConstraints(max_length=96, pattern=r"^[A-Za-z0-9._:-]*$")]
"""As long as the center takes: a line that was heard is named by its seat and its place in time."""
Text = Annotated[str, WORDS, Field(min_length=1, max_length=MAX_TEXT)]
Role = Annotated[str, LINE, Field(min_length=1, max_length=MAX_ROLE)]
Milliseconds = Annotated[float, Field(ge=0, le=LATEST_MS, allow_inf_nan=False)]


class Settings(WordsBody):
    """What can be set on a line; what is not said stays."""

    text: Text | None = None
    role: Role | None = None
    seat: NameOrNone | None = None
    struck: bool | None = None
    doubtful: bool | None = None
    gone: Literal["", "merged", "withdrawn"] | None = None
    start_ms: Milliseconds | None = None
    end_ms: Milliseconds | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if all(value is None for value in self.model_dump().values()):
            raise ValueError("a change sets something")
        if self.start_ms is not None and self.end_ms is not None and self.end_ms < self.start_ms:
            raise ValueError("a line ends after it begins")
        return self


class SetChange(WordsBody):
    """A change of a line."""

    line: Name
    base: Annotated[int, Field(ge=0)]
    set: Settings

    def to_event(self) -> LineChange:
        """As the event says it."""
        settings = cast(LineSettings, _in_ns(self.set.model_dump(exclude_none=True)))
        return {"line": self.line, "base": self.base, "set": settings}


class NewLine(WordsBody):
    """A line that was not there."""

    id: Name
    after: NameOrNone = ""
    seat: NameOrNone = ""
    role: Role
    start_ms: Milliseconds
    end_ms: Milliseconds
    text: Text
    source: Literal["typed", "phrase", "split"] = "typed"
    voice: Annotated[str, Field(max_length=64)] = ""

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.end_ms < self.start_ms:
            raise ValueError("a line ends after it begins")
        return self


class NewChange(WordsBody):
    """An insertion."""

    new: NewLine

    def to_event(self) -> LineChange:
        """As the event says it."""
        return {"new": cast(InsertedLine, _in_ns(self.new.model_dump()))}


class NewRevision(WordsBody):
    """One act of the clerk."""

    id: Name
    act: Literal[
        "edit", "split", "merge", "speaker", "insert", "phrase", "strike", "restore", "doubt", "accept", "objection"
    ]
    tab: Name
    reason: Annotated[str, WORDS, Field(max_length=500)] = ""
    changes: Annotated[list[SetChange | NewChange], Field(min_length=1, max_length=MAX_CHANGES)]
    reopen: bool = False


class NewVoice(WordsBody):
    """Who speaks with the voice of a line."""

    id: Name
    tab: Name
    line: Name
    role: Role
    reopen: bool = False


class NewUndo(WordsBody):
    """Take back an act."""

    id: Name
    tab: Name
    revision: NameOrNone = ""
    reopen: bool = False


class RevisionAnswer(TypedDict):
    """Answer to an act: its event, and the lines that it named as they are now."""

    event: Event
    lines: list[Utterance]


def add_transcript(app: FastAPI, state: RoomState, commands: TranscriptCommands, access: Access) -> None:
    """Put the routes on `app`."""
    sounds = asyncio.Semaphore(SOUNDS_AT_ONCE)

    @app.post("/api/transcript/revisions", response_model=None)
    @allow("clerk", body_bytes=REVISION_BODY_BYTES)
    async def revise(body: NewRevision, request: Request) -> Response:
        unseen = unseen_of(state, access.session(request))
        for change in body.changes:
            check_line(state.hearing, change.line if isinstance(change, SetChange) else change.new.after, unseen)
        changes = [change.to_event() for change in body.changes]
        clerk = access.session(request).name
        act = ClerkAct(body.id, body.act, changes, body.tab, clerk, body.reason, reopen=body.reopen)
        return await _answer(commands.revise(act))

    def check_all(request: Request) -> None:
        """These acts change lines that they do not name."""
        if unseen_of(state, access.session(request)):
            raise sealed_part()

    @app.post("/api/transcript/voice", response_model=None)
    @allow("clerk")
    async def voice(body: NewVoice, request: Request) -> Response:
        check_all(request)
        clerk = access.session(request).name
        return await _answer(commands.voice(body.id, body.tab, clerk, body.line, body.role, reopen=body.reopen))

    @app.post("/api/transcript/undo", response_model=None)
    @allow("clerk")
    async def undo(body: NewUndo, request: Request) -> Response:
        check_all(request)
        clerk = access.session(request).name
        return await _answer(commands.undo(body.id, body.tab, clerk, body.revision, reopen=body.reopen))

    @app.get("/api/transcript/{line}/sound")
    @allow("clerk")
    async def sound(line: str, request: Request, seat: bool = False) -> Response:
        session = access.session(request)
        unseen = unseen_of(state, session)
        check_line(state.hearing, line, unseen)
        async with sounds:
            found = await asyncio.to_thread(moment, *_where(state, line, seat, unseen))

        def still() -> None:
            if unseen_of(state, session) != unseen:
                raise sealed_part()  # while it was decoded; who asks again hears what is left

        access.judge_again(request, still)
        headers = {"X-Wutong-From-Ms": str(found.from_ns / 1_000_000), "Content-Disposition": "inline"}
        return Response(await asyncio.to_thread(found.wav), media_type="audio/wav", headers=headers)


async def _answer(work: Awaitable[Done]) -> Response:
    try:
        done = await work
    except ConflictError as error:
        return error_response(error, lines=[to_ms(asdict(line)) for line in error.lines])
    answer: RevisionAnswer = {
        "event": event_to_ms(done.event),
        "lines": [to_ms(asdict(line)) for line in done.lines],
    }
    return JSONResponse(answer)


def _where(
    state: RoomState, name: str, alone: bool, unseen: Unseen
) -> tuple[Path, list[Segment], int, int, int | None]:
    hearing = state.hearing
    line = None if hearing is None else hearing.transcript.get(name)
    if hearing is None or line is None:
        raise HearingError("笔录中没有这一行 (the transcript has no such line)", code="not-found")
    channel: int | None = None
    if alone:
        channel = next((s.channel for s in state.profile.seats if s.id == line.seat), None)
        if channel is None:
            raise HearingError("这一行没有席位话筒 (the line belongs to no seat with a microphone)", code="not-found")
    track = MICROPHONES if alone else MIX
    closed = [segment for segment in hearing.segments if segment.track == track]
    folder = state.layout.track(hearing.id, track)
    # Of what lies around the line nothing of a sealed part is played, to the sample.
    start_ns, end_ns = max(0, line.start_ns - AROUND_NS), line.end_ns + AROUND_NS
    around = unseen.outside(start_ns, end_ns)
    from_ns, to_ns = next(((a, b) for a, b in around if a <= line.start_ns < b), (start_ns, start_ns))
    return folder, closed, from_ns, to_ns, channel


def _in_ns(values: dict[str, Any]) -> dict[str, Any]:
    """The room's own times are whole nanoseconds."""
    return {
        key[:-3] + "_ns" if key.endswith("_ms") else key: round(value * 1_000_000) if key.endswith("_ms") else value
        for key, value in values.items()
    }
