"""What a route has judged is judged again when its answer leaves, and with each further piece of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from pathlib import Path

import httpx
import pytest
from fastapi import Request
from fastapi.responses import FileResponse, StreamingResponse

from sync.errors import AccessError, StorageError, WutongError
from sync.http.audit.outcomes import Outcome
from sync.http.rights.access import Access
from sync.http.rights.people import Session
from sync.http.rights.rules import allow, public
from sync.http.serve import new_app, serving


class Server:
    """A server whose rights and whose notes are the test's."""

    def __init__(self, folder: Path) -> None:
        self.sealed = False
        self.seal_while_noting = False
        self.outcomes: list[tuple[int, str]] = []
        self.pieces = asyncio.Event()
        (folder / "file").write_bytes(b"secret" * 100_000)
        self.app = app = new_app("again")
        self.access = access = Access.open(folder / "access.json", {"clerk": "书记员"})
        access.install(app, "again", outcomes=self)

        def check() -> None:
            if self.sealed:
                raise AccessError("sealed meanwhile", code="sealed-part")

        @app.get("/file")
        @allow("clerk")
        async def file(request: Request) -> FileResponse:
            access.judge_again(request, check)
            return FileResponse(folder / "file")

        @app.get("/slow")
        @allow("clerk")
        async def slow(request: Request) -> StreamingResponse:
            access.judge_again(request, check)

            async def pieces() -> AsyncIterator[bytes]:
                yield b"first"
                await self.pieces.wait()
                yield b"secret"

            return StreamingResponse(pieces())

        @app.get("/refused")
        @allow("clerk")
        async def refused(request: Request) -> str:
            access.judge_again(request, check)
            raise WutongError("no such thing", code="not-found")

        @app.get("/open")
        @public()
        async def unjudged() -> str:
            return "open"

    async def took(self, outcome: Outcome) -> None:
        self.outcomes.append((outcome.status, outcome.code))
        await asyncio.sleep(0)
        self.sealed = self.sealed or self.seal_while_noting

    def closed(self, outcome: Outcome) -> None:
        """No WebSocket is opened here."""


async def signed_in(http: httpx.AsyncClient, server: Server) -> None:
    code = server.access.plain_codes()["clerk"]
    assert (await http.post("/api/session", json={"code": code})).status_code == 200


async def test_what_is_sealed_while_it_is_noted_does_not_leave_and_that_is_noted_too(tmp_path: Path) -> None:
    server = Server(tmp_path)
    async with (
        serving(server.app, "127.0.0.1", 0) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"X-Wutong": "1"}) as http,
    ):
        await signed_in(http, server)
        assert b"secret" in (await http.get("/file")).content
        server.seal_while_noting = True
        answer = await http.get("/file")
        assert (answer.status_code, answer.json()["code"]) == (403, "sealed-part")
        assert server.outcomes[-2:] == [(200, ""), (403, "sealed-part")]
        assert (await http.get("/open")).text == '"open"'
        answer = await http.get("/refused")
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found"), "a refusal is whole, sealed or not"


async def test_what_is_sealed_in_the_middle_of_an_answer_is_cut_there(tmp_path: Path) -> None:
    server = Server(tmp_path)
    got: list[bytes] = []
    async with (
        serving(server.app, "127.0.0.1", 0) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"X-Wutong": "1"}) as http,
    ):
        await signed_in(http, server)

        async def read() -> None:
            async with http.stream("GET", "/slow") as answer:
                async for piece in answer.aiter_bytes():
                    got.append(piece)
                    server.sealed = True
                    server.pieces.set()

        with pytest.raises(httpx.RemoteProtocolError):
            await read()
    assert got == [b"first"]


async def read_slowly(server: Server, meanwhile: Callable[[httpx.AsyncClient], Awaitable[object]]) -> list[bytes]:
    """What comes of an answer in the middle of which something happens."""
    got: list[bytes] = []
    async with (
        serving(server.app, "127.0.0.1", 0) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"X-Wutong": "1"}) as http,
    ):
        await signed_in(http, server)
        with contextlib.suppress(httpx.RemoteProtocolError):
            async with http.stream("GET", "/slow") as answer:
                async for piece in answer.aiter_bytes():
                    got.append(piece)
                    await meanwhile(http)
                    server.pieces.set()
    return got


async def test_who_signs_out_in_the_middle_of_an_answer_gets_no_more_of_it(tmp_path: Path) -> None:
    assert await read_slowly(Server(tmp_path), lambda http: http.delete("/api/session")) == [b"first"]


class Doubt:
    """Rights that several processes share, and that this one may lose."""

    def __init__(self) -> None:
        self.known = True
        self.waited: Callable[[], None] = lambda: None
        """What happens while a request waits for them."""
        self.kept: list[str] = []
        self.news: Callable[[], None] = lambda: None
        """What is not known yet when an answer is made."""

    def check(self) -> None:
        if not self.known:
            raise WutongError("who may see what is not known", code="rights-unknown")

    async def soon(self) -> None:
        self.waited()

    async def catch_up(self) -> None:
        self.news()

    async def opened(self, key: str, session: Session) -> None:
        self.kept.append(key)

    async def ended(self, key: str) -> None:
        self.kept.remove(key)

    async def ended_of(self, grant: str) -> None:
        """There are no guests here."""

    async def ended_keys(self, keys: Collection[str]) -> None:
        """There are no persons here."""

    async def ended_of_person(self, person: str) -> None:
        """Nor here."""


async def test_a_server_that_does_not_know_the_rights_any_more_says_so_and_cuts_what_is_under_way(
    tmp_path: Path,
) -> None:
    server, doubt = Server(tmp_path), Doubt()
    server.access.share(doubt, doubt)
    told: list[tuple[int, str]] = []

    async def lose(http: httpx.AsyncClient) -> None:
        doubt.known = False
        for method, path in (("GET", "/file"), ("GET", "/api/session"), ("DELETE", "/api/session")):
            answer = await http.request(method, path)
            told.append((answer.status_code, answer.json()["code"]))
        assert (await http.get("/open")).status_code == 200

    assert await read_slowly(server, lose) == [b"first"]
    assert told == [(503, "rights-unknown")] * 3
    assert len(doubt.kept) == 1, "the session goes on when it is known again"


async def test_a_request_waits_for_rights_that_were_only_just_lost(tmp_path: Path) -> None:
    server, doubt = Server(tmp_path), Doubt()
    server.access.share(doubt, doubt)
    told: list[int] = []

    def known_again() -> None:
        doubt.known = True

    async def lose(http: httpx.AsyncClient) -> None:
        doubt.waited = known_again
        for method, path in (("GET", "/file"), ("GET", "/api/session"), ("DELETE", "/api/session")):
            doubt.known = False
            told.append((await http.request(method, path)).status_code)

    assert await read_slowly(server, lose) == [b"first"]
    assert told == [200, 200, 200]


async def test_an_answer_is_judged_once_more_by_rights_that_are_as_new_as_what_it_was_made_of(tmp_path: Path) -> None:
    server, doubt = Server(tmp_path), Doubt()
    server.access.share(doubt, doubt)

    def sealed() -> None:
        server.sealed = True  # by another process, before this one has read what it answers with

    async with (
        serving(server.app, "127.0.0.1", 0) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"X-Wutong": "1"}) as http,
    ):
        await signed_in(http, server)
        assert (await http.get("/file")).status_code == 200
        doubt.news = sealed
        answer = await http.get("/file")
        assert (answer.status_code, answer.json()["code"]) == (403, "sealed-part")
        assert (await http.get("/open")).status_code == 200, "who is not signed in is shown nothing that is judged"


async def test_a_session_that_others_cannot_be_told_of_is_none(tmp_path: Path) -> None:
    server, doubt = Server(tmp_path), Doubt()
    server.access.share(doubt, doubt)

    async def fails(key: str, session: Session) -> None:
        raise StorageError("the store is away")

    doubt.opened = fails  # type: ignore[method-assign]
    async with (
        serving(server.app, "127.0.0.1", 0) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"X-Wutong": "1"}) as http,
    ):
        answer = await http.post("/api/session", json={"code": server.access.plain_codes()["clerk"]})
        assert (answer.status_code, answer.json()["code"]) == (507, "storage")
        assert server.access._people.known() == {}
        assert (await http.get("/api/session")).status_code == 401
