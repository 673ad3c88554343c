"""Bodies of requests: read strictly, mended where people paste, and never a defect of the server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastapi import HTTPException
from pydantic import BaseModel, ConfigDict

from sync.errors import StorageError
from sync.http.rights.access import Access
from sync.http.rights.rules import public
from sync.http.serve import new_app, serving


class Said(BaseModel):
    """What the route takes."""

    model_config = ConfigDict(extra="forbid")

    text: str = ""
    at: float = 0.0


@pytest_asyncio.fixture
async def http(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = new_app("bodies")
    Access.open(tmp_path / "access.json", {}).install(app, "bodies")

    @app.post("/said")
    @public()
    async def said(body: Said) -> dict[str, str]:
        return {"text": body.text, "bytes": str(len(body.text.encode()))}

    @app.get("/library")
    @public()
    async def library() -> None:
        raise HTTPException(500, "Internal server error: no such table: audit (/var/lib/x) token=abc")

    @app.get("/ours")
    @public()
    async def ours() -> None:
        raise HTTPException(507, "磁盘已满 (the disk is full)") from StorageError("the disk is full")

    async with serving(app, "127.0.0.1", 0) as port:
        headers = {"X-Wutong": "1", "Content-Type": "application/json"}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers) as client:
            yield client


@pytest.mark.parametrize(
    "body",
    [
        rb'{"text": "a", "text": "b"}',
        rb'{"text": "a", "te\u0078t": "b"}',
        rb'{"at": NaN}',
        rb'{"at": -Infinity}',
        rb'{"at": 1e999}',
        b'{"at": ' + b"9" * 400 + b"}",
        b'{"at": ' + b"9" * 60_000 + b"}",
        b"[" * 30_000,
        b'{"a":' * 10_000,
        b"\xff\xfe{}",
        b'{"text": "\xed\xa0\x80"}',
        b"\xef\xbb\xbf{}",
        b'{"' + b"x" * 60_000 + b'": 1}',
        '{"\u202e\u2028\x9b31m": 1}'.encode(),
        rb'{"\ud800": 1}',
        b"",
        b"null",
    ],
)
async def test_it_is_refused_in_few_words_that_move_nothing(http: httpx.AsyncClient, body: bytes) -> None:
    answer = await http.post("/said", content=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    message = answer.json()["message"]
    assert len(message) < 600
    assert message.isprintable()


async def test_what_people_paste_is_mended(http: httpx.AsyncClient) -> None:
    answer = await http.post("/said", content=rb'{"text": "a\ud83db\u0000c\ud83d\ude00"}')
    assert answer.status_code == 200, answer.text
    assert answer.json()["text"] == "a\ufffdbc\U0001f600"


async def test_a_library_s_words_of_its_own_failure_are_for_the_log(http: httpx.AsyncClient) -> None:
    answer = await http.get("/library")
    assert answer.status_code == 500
    assert not any(word in answer.text for word in ("table", "/var", "token"))
    assert "the disk is full" in (await http.get("/ours")).text
