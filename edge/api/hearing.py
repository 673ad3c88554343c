"""The room's HTTP interface, as docs/protocol.md lists it; every route says who may use it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse
from pydantic import ConfigDict, Field
from starlette.datastructures import UploadFile

from edge.api.body import EdgeBody
from edge.exhibits.store import MAX_BYTES, too_large
from edge.hearing.commands import HearingCommands
from edge.selftest.runner import SelfTestRunner
from edge.state.display import DisplayToken, presented_exhibit
from edge.state.room_state import RoomState
from edge.state.sight import check_page, unseen_of
from sync.errors import AccessError, HearingError, MediaError
from sync.http.rights.access import Access
from sync.http.rights.rules import allow, public
from sync.record.bodies.limits import PageNumber, PictureScale
from sync.record.docket import Case
from sync.record.explanation import explain
from sync.record.timeline import Exhibit, PauseReason
from sync.text.characters import clean_line
from sync.text.fields import LINE, NAMES

FORM_BYTES = 64 * 1024
"""What a multipart form may weigh beside its file."""
CASE_BODY_BYTES = 256 * 1024
"""A case with all the words that will be said in it."""
PIECE_BYTES = 1024 * 1024


Of = Annotated[str, Field(max_length=64)]
Despite = Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=32)]
"""What has not proven itself in the self-test, and is opened with all the same."""


class FromDocket(EdgeBody):
    """Open a planned hearing."""

    docket_id: Annotated[str, LINE, Field(min_length=1, max_length=64)]
    despite: Despite = Field(default_factory=list)


class Unlisted(Case):
    """Open a hearing that is not on the docket."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    despite: Despite = Field(default_factory=list)


class NewTest(EdgeBody):
    """Begin a self-test."""

    speak: bool = False
    """Ask each seat to speak, although there is a loudspeaker."""


class NewCameraView(EdgeBody):
    """Which seats the clerk sees in a camera's picture."""

    camera: Annotated[str, Field(min_length=1, max_length=64)]
    seats: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=32)]


class NewPause(EdgeBody):
    """Why a hearing is paused: the three of the law and no other."""

    reason: PauseReason


class Consents(EdgeBody):
    """Who agrees that the recording stands for the 笔录, by name."""

    consents: Annotated[list[Annotated[str, NAMES, Field(max_length=200)]], Field(max_length=32)]


class NewView(EdgeBody):
    """A page of an exhibit, and which part of it."""

    exhibit: Annotated[str, Field(max_length=64)]
    page: Annotated[int, Field(ge=1)] = 1
    zoom: Annotated[float, Field(ge=1, le=16, allow_inf_nan=False)] = 1.0
    x: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    y: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    """The point of the page in the middle; not said: from its beginning on."""


class NewMark(EdgeBody):
    """A note at this moment."""

    kind: Annotated[str, LINE, Field(min_length=1, max_length=32)]
    text: Annotated[str, LINE, Field(max_length=500)] = ""


def add_routes(
    app: FastAPI,
    state: RoomState,
    commands: HearingCommands,
    token: DisplayToken,
    selftest: SelfTestRunner,
    access: Access,
) -> None:
    """Put the routes on `app`."""
    _add_selftest(app, selftest)
    _add_hearing(app, state, commands, access)
    _add_exhibits(app, state, commands, access)
    _add_display(app, state, commands, token, access)


def _add_selftest(app: FastAPI, selftest: SelfTestRunner) -> None:
    @app.post("/api/selftest")
    @allow("clerk")
    async def begin(body: NewTest | None = None) -> Any:
        return selftest.start(speak=body is not None and body.speak)

    @app.delete("/api/selftest")
    @allow("clerk")
    async def stop_listening() -> Any:
        return selftest.stop_listening()

    @app.put("/api/selftest/views")
    @allow("clerk")
    async def note_view(body: NewCameraView) -> Any:
        return await selftest.note_view(body.camera, body.seats)


def _add_hearing(app: FastAPI, state: RoomState, commands: HearingCommands, access: Access) -> None:
    @app.get("/api/state")
    @allow("clerk", while_locked=True)
    async def read_state(request: Request) -> Any:
        return state.snapshot(unseen_of(state, access.session(request)))

    @app.get("/api/explanation")
    @allow("clerk")
    async def explanation() -> dict[str, Any] | None:
        room, hearing = state.profile.room, state.hearing
        draft = hearing and explain(hearing, court_name=room.court_name, room_name=room.room_name)
        return draft.to_json() if draft else None

    @app.post("/api/hearing")
    @allow("clerk", body_bytes=CASE_BODY_BYTES)
    async def open_hearing(body: FromDocket | Unlisted) -> dict[str, Any]:
        if isinstance(body, Unlisted):
            return (await commands.open(body, None, body.despite)).to_json()
        return (await commands.open_planned(body.docket_id, body.despite)).to_json()

    @app.post("/api/hearing/pause")
    @allow("clerk")
    async def pause(body: NewPause) -> dict[str, Any]:
        return (await commands.pause(body.reason)).to_json()

    @app.post("/api/hearing/resume")
    @allow("clerk")
    async def resume() -> dict[str, Any]:
        return (await commands.resume()).to_json()

    @app.post("/api/hearing/close")
    @allow("clerk")
    async def close() -> dict[str, Any]:
        return (await commands.close()).to_json()

    @app.post("/api/hearing/replacement")
    @allow("clerk")
    async def replacement(body: Consents) -> dict[str, Any]:
        return (await commands.replace_transcript(body.consents)).to_json()

    @app.put("/api/presentation")
    @allow("clerk")
    async def present(body: NewView) -> dict[str, Any]:
        return (await commands.present(body.exhibit, body.page, body.zoom, body.x, body.y)).to_json()

    @app.delete("/api/presentation")
    @allow("clerk")
    async def withdraw() -> dict[str, Any]:
        return (await commands.withdraw()).to_json()

    @app.post("/api/marks")
    @allow("clerk")
    async def mark(body: NewMark) -> dict[str, Any]:
        return await commands.mark(body.kind, body.text)


def _add_exhibits(app: FastAPI, state: RoomState, commands: HearingCommands, access: Access) -> None:
    @app.post("/api/exhibits")
    @allow("clerk", body_bytes=MAX_BYTES + FORM_BYTES)
    async def add_exhibit(request: Request) -> dict[str, Any]:
        # The length is checked before the body is read, so nobody fills the disk with a form that is refused later.
        length = request.headers.get("content-length", "")
        if not length.isdecimal():
            raise MediaError("请求缺少长度 (the request does not say its length)", code="invalid")
        if int(length) > MAX_BYTES + FORM_BYTES:
            raise too_large()
        async with request.form(max_files=1, max_fields=4, max_part_size=FORM_BYTES) as form:
            file, title = form.get("file"), form.get("title", "")
            if not isinstance(file, UploadFile) or not isinstance(title, str):
                raise MediaError("请选择一个文件 (the form needs a file)", code="invalid")
            filename = Path(clean_line(file.filename or "").replace("\\", "/")).name[:200] or "file"
            return await commands.add_exhibit(clean_line(title)[:200], filename, _pieces(file))

    @app.get("/api/exhibits/{exhibit}")
    @allow("clerk")
    async def exhibit_file(exhibit: str, request: Request) -> FileResponse:
        _check_page(state, access, request, exhibit, None)
        known = commands.exhibit(exhibit)
        return _file(commands.file_of(known), known)

    @app.get("/api/exhibits/{exhibit}/pages/{page}")
    @allow("clerk")
    async def exhibit_page(exhibit: str, page: PageNumber, request: Request, scale: PictureScale = 1) -> FileResponse:
        _check_page(state, access, request, exhibit, page)
        return _picture(await commands.page_picture(commands.exhibit(exhibit), page, scale))


def _add_display(
    app: FastAPI, state: RoomState, commands: HearingCommands, token: DisplayToken, access: Access
) -> None:
    @app.get("/api/display/page")
    @public()  # the token is checked here
    async def presented_page(request: Request, of: Of, page: PageNumber, scale: PictureScale = 1) -> FileResponse:
        _check(token, access, request)
        exhibit = _presented(state, of, page)
        # The wall has what hangs on it now, and nothing of before, also after a withdrawal while the page was drawn.
        access.judge_again(request, lambda: _presented(state, of, page))
        return _picture(await commands.page_picture(exhibit, page, scale))


def _presented(state: RoomState, of: str, page: int) -> Exhibit:
    """The exhibit that hangs on the wall with this content and page; `HearingError` "not-found"."""
    exhibit = presented_exhibit(state)
    if exhibit is None or exhibit.sha256 != of:
        raise HearingError("当前没有展示这件证据 (this exhibit is not presented now)", code="not-found")
    presented = None if state.current is None else state.current.presented
    if presented is None or presented.page != page:
        raise HearingError("当前没有展示这一页 (this page is not presented now)", code="not-found")
    return exhibit


def _check_page(state: RoomState, access: Access, request: Request, exhibit: str, page: int | None) -> None:
    """`check_page` now, and when the answer leaves: a page may be long in drawing."""

    def check() -> None:
        check_page(state.hearing, exhibit, page, unseen_of(state, access.session(request)))

    check()
    access.judge_again(request, check)


def _check(token: DisplayToken, access: Access, request: Request) -> None:
    try:
        token.check(request.query_params.get("token", ""))
    except AccessError as error:
        address = request.client.host if request.client else "?"
        access.note("refused", "display", address, f"{error.code} GET {request.url.path}")
        raise


async def _pieces(file: UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(PIECE_BYTES):
        yield piece


def _picture(path: Path) -> FileResponse:
    headers = {"Content-Security-Policy": "default-src 'none'; sandbox"}
    return FileResponse(path, media_type="image/jpeg", headers=headers)


def _file(path: Path, exhibit: Exhibit) -> FileResponse:
    if not path.is_file():
        raise HearingError("证据文件不在磁盘上 (the exhibit's file is not on the disk)", code="not-found")
    return FileResponse(
        path,
        media_type=exhibit.media_type,
        filename=exhibit.filename,
        content_disposition_type="inline",
        # Whatever is inside, it runs nothing when opened as a page of its own.
        headers={"Content-Security-Policy": "default-src 'none'; sandbox"},
    )
