"""The routes of the setup page. But for signing in, all of them are for whoever signed in with the one-time code."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from sync.errors import ConfigError, WutongError
from sync.http.answers import error_response
from sync.http.rights.access import Access
from sync.http.rights.rules import allow, public
from wutong.setup.choices import ChosenCenter, InvalidChoicesError, SetupChoices
from wutong.setup.messages import Purpose, ShownSetup
from wutong.setup.one_time_code import ROLE, OneTimeCode
from wutong.setup.room_setup import RoomSetup

_PICTURE: Final = {"Cache-Control": "no-store"}


class _SetupBody(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SetupSignIn(_SetupBody):
    """Body of `POST /api/setup/session`."""

    code: Annotated[str, Field(max_length=64)]


class NewPurpose(_SetupBody):
    """Body of `POST /api/setup/purpose`."""

    purpose: Purpose


class TypedCamera(_SetupBody):
    """Body of `POST /api/setup/cameras`: an RTSP address that somebody typed."""

    url: Annotated[str, Field(max_length=2_000)]
    user: Annotated[str, Field(max_length=200)] = ""
    password: Annotated[str, Field(max_length=200)] = ""


class CameraAccount(_SetupBody):
    """Body of `POST /api/setup/cameras/{id}/picture`: an account, where it is another than before."""

    user: Annotated[str, Field(max_length=200)] | None = None
    password: Annotated[str, Field(max_length=200)] | None = None


class HeardDevice(_SetupBody):
    """Body of `POST /api/setup/microphones`: the input device to hear; "" gives it back."""

    name: Annotated[str, Field(max_length=200)]


class AskedRole(_SetupBody):
    """Body of `POST /api/setup/speaking`: who is to speak now; "" for nobody."""

    role: Annotated[str, Field(max_length=100)]


def add_setup(app: FastAPI, setup: RoomSetup, access: Access, code: OneTimeCode) -> None:
    """Add them all."""

    @app.exception_handler(InvalidChoicesError)
    async def invalid(request: Request, error: InvalidChoicesError) -> Response:
        return error_response(error, faults=error.faults)

    @app.post("/api/setup/session")
    @public()
    async def sign_in(body: SetupSignIn, request: Request, response: Response) -> dict[str, str]:
        address = request.client.host if request.client else "?"

        async def redeem() -> tuple[str, str, str, float]:
            return code.redeem(body.code, address)

        session = await access.let_in(request, response, redeem)
        return {"role": session.role, "name": session.name}

    @app.get("/api/setup")
    @allow(ROLE)
    async def state() -> ShownSetup:
        return setup.shown()

    @app.post("/api/setup/look")
    @allow(ROLE)
    async def look_again() -> ShownSetup:
        await setup.look()
        return setup.shown()

    @app.post("/api/setup/purpose")
    @allow(ROLE)
    async def purpose(body: NewPurpose) -> ShownSetup:
        await setup.choose(body.purpose)
        return setup.shown()

    @app.post("/api/setup/center")
    @allow(ROLE)
    async def center(body: ChosenCenter) -> ShownSetup:
        await setup.center(body)
        return setup.shown()

    @app.post("/api/setup/search")
    @allow(ROLE)
    async def search() -> ShownSetup:
        await setup.find()
        return setup.shown()

    @app.post("/api/setup/cameras")
    @allow(ROLE)
    async def typed(body: TypedCamera) -> ShownSetup:
        try:
            one = setup.cameras.typed(body.url, body.user, body.password)
        except WutongError as error:
            raise InvalidChoicesError([{"field": "url", "text": error.message}]) from error
        await setup.cameras.look(one.id)
        return setup.shown()

    @app.post("/api/setup/cameras/{camera}/picture")
    @allow(ROLE)
    async def look(camera: str, body: CameraAccount) -> ShownSetup:
        await setup.cameras.look(camera, body.user, body.password)
        return setup.shown()

    @app.get("/api/setup/cameras/{camera}/picture")
    @allow(ROLE)
    async def picture(camera: str) -> Response:
        one = setup.cameras.get(camera)
        if not one.picture:
            raise WutongError("还没有画面 (no picture yet)", code="not-found")
        return Response(one.picture, media_type="image/jpeg", headers=_PICTURE)

    @app.post("/api/setup/microphones")
    @allow(ROLE)
    async def microphones(body: HeardDevice) -> ShownSetup:
        await setup.listen(body.name)
        return setup.shown()

    @app.post("/api/setup/speaking")
    @allow(ROLE)
    async def speaking(body: AskedRole) -> ShownSetup:
        setup.ask(body.role)
        return setup.shown()

    @app.post("/api/setup/profile")
    @allow(ROLE)
    async def write(body: SetupChoices) -> ShownSetup:
        await setup.write(body)
        return setup.shown()

    @app.post("/api/setup/again")
    @allow(ROLE)
    async def again() -> ShownSetup:
        setup.again()
        return setup.shown()

    @app.post("/api/setup/finish")
    @allow(ROLE)
    async def finish() -> Response:
        if setup.shown()["state"] != "done":
            raise ConfigError("还没有完成 (it is not done yet)", code="unfinished")
        setup.finished.set()
        return JSONResponse({}, 200)
