"""The routes of signing, as docs/protocol.md lists them: bodies are bounded and checked before anything is done.

A signature's strokes are points on the pad that was signed on, 0…1 of its width and height, with milliseconds since the
first touch and pressure; at most `MAX_POINTS` in all, and at least one stroke that somebody drew.
"""

from __future__ import annotations

import itertools
import math
from typing import Annotated, Any, Literal, cast

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse
from pydantic import Field, model_validator
from starlette.background import BackgroundTask

from edge.api.body import EdgeBody
from edge.api.transcript import Role
from edge.documents.jobs import MEDIA_TYPES, Made
from edge.signing.commands import SigningCommands
from edge.state.room_state import RoomState
from edge.state.shown import ShownSigning
from edge.state.sight import check_line, unseen_of
from edge.state.withheld_words import signing_withheld
from sync.errors import AccessError, HearingError
from sync.http.rights.access import Access
from sync.http.rights.rules import allow
from sync.record.bodies.signing import ObjectionBody, SignatureBody
from sync.record.signing import SIGN
from sync.text.fields import NAME, WORDS

MAX_STROKES = 64
MAX_POINTS = 4000
MIN_LENGTH = 0.05
"""Of the pad's longer side: shorter is a slip of the hand."""
MAX_MS = 600_000
SIGNATURE_BODY_BYTES = 512 * 1024
"""`MAX_POINTS` points of four numbers as browsers write them."""
OBJECTION_BODY_BYTES = 256 * 1024
"""Two long texts, in three bytes a character."""


Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")]
Who = Annotated[str, NAME, Field(max_length=100)]
Why = Annotated[str, WORDS, Field(max_length=500)]
Words = Annotated[str, WORDS, Field(max_length=20_000)]
Unit = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Point = tuple[Unit, Unit, Annotated[float, Field(ge=0, le=MAX_MS, allow_inf_nan=False)], Unit]
Stroke = Annotated[list[Point], Field(min_length=1, max_length=MAX_POINTS)]
Side = Annotated[float, Field(ge=20, le=10_000, allow_inf_nan=False)]


class Final(EdgeBody):
    """Lay the words before those who sign."""

    id: Name
    despite: bool = False
    """Although words may still come."""


class NewSignature(EdgeBody):
    """What one person does about the words of `transcript` (their hash)."""

    id: Name
    transcript: Annotated[str, Field(max_length=64, pattern=r"^[0-9a-f]*$")] = ""
    role: Role
    name: Who = ""
    act: Literal["sign", "refuse", "expect", "absent"]
    reason: Why = ""
    size: tuple[Side, Side] | None = None
    """Of the pad, in CSS pixels: says how wide against how high."""
    strokes: Annotated[list[Stroke], Field(max_length=MAX_STROKES)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _drawn(self) -> NewSignature:
        if self.act != SIGN:
            if self.strokes or self.size:
                raise ValueError("only who signs draws")
            return self
        if self.size is None or sum(len(stroke) for stroke in self.strokes) > MAX_POINTS:
            raise ValueError(f"a signature has a size and at most {MAX_POINTS} points")
        if sum(_length(stroke, self.size) for stroke in self.strokes) < MIN_LENGTH * max(self.size):
            raise ValueError("nothing was drawn that could be a signature")
        return self


class Objector(EdgeBody):
    """Who objects."""

    role: Role
    name: Who = ""


class NewObjection(EdgeBody):
    """Somebody says that a line is not what was said; times in milliseconds of room time, of what was played."""

    id: Name
    line: Annotated[str, Field(min_length=1, max_length=100)]
    text: Words = ""
    """The line as it was objected to; as it is now where it is left out."""
    by: Objector
    wants: Annotated[Words, Field(min_length=1)]
    outcome: Literal["corrected", "refused"]
    reason: Why = ""
    revision: Annotated[str, Field(max_length=100)] = ""
    replayed_from_ms: Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)] | None = None
    replayed_to_ms: Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _whole(self) -> NewObjection:
        if self.outcome == "refused" and not self.reason:
            raise ValueError("a correction is not refused without a reason")
        if (self.outcome == "corrected") != bool(self.revision):
            raise ValueError("a correction names its revision, a refusal has none")
        if (self.replayed_from_ms is None) != (self.replayed_to_ms is None):
            raise ValueError("what was played has a beginning and an end")
        return self


def add_signing(app: FastAPI, state: RoomState, commands: SigningCommands, access: Access) -> None:
    """Put the routes on `app`."""

    def shown(value: ShownSigning | None, request: Request) -> ShownSigning | None:
        unseen = unseen_of(state, access.session(request))
        return signing_withheld(value, state.hearing, unseen) if unseen else value

    @app.get("/api/transcript/signing")
    @allow("clerk")
    async def signing(request: Request) -> Any:
        value = shown(await commands.value(), request)
        if value is None:
            raise HearingError("当前没有庭审 (there is no hearing)", code="no-hearing")
        return value

    @app.post("/api/transcript/final")
    @allow("clerk")
    async def final(body: Final, request: Request) -> Any:
        return shown(await commands.final(body.id, despite=body.despite), request)

    @app.post("/api/transcript/signatures")
    @allow("clerk", body_bytes=SIGNATURE_BODY_BYTES)
    async def sign(body: NewSignature, request: Request) -> Any:
        said = cast(SignatureBody, body.model_dump(exclude={"size", "strokes"}))
        if body.size is not None:
            said["size"] = [round(side) for side in body.size]
            said["strokes"] = [[_point(p) for p in stroke] for stroke in body.strokes]
        return shown(await commands.sign(said), request)

    @app.post("/api/transcript/objections")
    @allow("clerk", body_bytes=OBJECTION_BODY_BYTES)
    async def objects(body: NewObjection, request: Request) -> Any:
        check_line(state.hearing, body.line, unseen_of(state, access.session(request)))
        said = cast(ObjectionBody, body.model_dump(exclude={"replayed_from_ms", "replayed_to_ms"}))
        said["replayed_from_ns"] = _ns(body.replayed_from_ms)
        said["replayed_to_ns"] = _ns(body.replayed_to_ms)
        return shown(await commands.object(said), request)

    @app.get("/api/transcript/document.{kind}")
    @allow("clerk")
    async def document(kind: Literal["docx", "pdf", "srt", "vtt", "json"], request: Request) -> FileResponse:
        before = commands.withheld()

        def still() -> None:
            if commands.withheld() != before:
                raise AccessError(
                    "生成文件时有区段被封存或解除封存，请重新下载"
                    " (a part was sealed or lifted while this was made; ask again)",
                    code="sealed-part",
                )

        access.judge_again(request, still)
        made = await commands.document(kind)
        hearing = state.hearing
        assert hearing is not None
        return _file(made, str(hearing.case.get("case_no") or hearing.id))


def _file(made: Made, case_no: str) -> FileResponse:
    form = "（节本）" if made.excerpt else "（草稿）" if made.draft else ""
    name = f"{case_no} 法庭笔录{form}.{made.kind}"
    return FileResponse(
        made.path,
        media_type=MEDIA_TYPES[made.kind],
        filename="".join("_" if c in '/\\:*?"<>|' or not c.isprintable() else c for c in name),
        headers={
            "Cache-Control": "no-store",
            "X-Wutong-Draft": "1" if made.draft else "0",
            "X-Wutong-Sealed": "1" if made.excerpt else "0",
        },
        background=BackgroundTask(made.path.unlink, missing_ok=True) if made.draft else None,
    )


def _length(stroke: list[Point], size: tuple[float, float]) -> float:
    at = [(x * size[0], y * size[1]) for x, y, _, _ in stroke]
    return sum(math.dist(a, b) for a, b in itertools.pairwise(at))


def _ns(at_ms: float | None) -> int | None:
    return None if at_ms is None else round(at_ms * 1_000_000)


def _point(point: Point) -> list[float | int]:
    x, y, ms, pressure = point
    return [round(x, 4), round(y, 4), round(ms), round(pressure, 3)]
