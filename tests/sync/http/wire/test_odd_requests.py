"""Requests that two readers could read in two ways, or that say much and ask little: refused, or read in one way."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.sync.http.wire.test_door import Line, door, head

CHUNKED = "Transfer-Encoding: chunked"
REFUSED = {
    "no end of an extension": head(CHUNKED) + b"1;" + b"x" * 300_000,
    "a signed size": head(CHUNKED) + b"+1\r\na\r\n0\r\n\r\n",
    "a size as programmers write it": head(CHUNKED) + b"0x1\r\na\r\n0\r\n\r\n",
    "a size with a low line": head(CHUNKED) + b"1_0\r\n" + b"a" * 16 + b"\r\n0\r\n\r\n",
    "a size of Unicode": head(CHUNKED) + "\u0661\r\na\r\n0\r\n\r\n".encode(),
    "a size beyond all": head(CHUNKED) + b"f" * 40 + b"\r\n",
    "a bare line end after a piece": head(CHUNKED) + b"1\r\naXX0\r\n\r\n",
    "trailers without end": head(CHUNKED) + b"1\r\na\r\n0\r\n" + b"x: y\r\n" * 100_000,
    "two hosts": b"POST /small HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\nX-Wutong: 1\r\n\r\n",
    "another coding": head("Transfer-Encoding: xchunked") + b"1\r\na\r\n0\r\n\r\n",
    "two codings": head("Transfer-Encoding: gzip, chunked") + b"1\r\na\r\n0\r\n\r\n",
    "two lengths": head("Content-Length: 1", "Content-Length: 2") + b"ab",
    "a length of Unicode": head("Content-Length: \u0661") + b"a",
    "a signed length": head("Content-Length: +1") + b"a",
    "a blank before the colon": head("Content-Length : 1") + b"a",
    "a control in a value": head("X-Odd: a\x0bb") + b"",
    "a NUL in a value": head("X-Odd: a\0b") + b"",
    "a name with a control": head("X-\x7fOdd: a"),
    "headers without end": head(*[f"X-{n}: {'y' * 90}" for n in range(2000)]),
}


async def test_what_is_no_request_is_answered_once_at_most_and_read_by_no_route(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def answered(port: int, said: bytes) -> bytes:
        async with Line.to(port) as line:
            await line.say(said)
            return await line.heard()

    async with door(tmp_path) as (port, read):
        # All at once: after its answer a line is kept for a moment, so that the answer is read.
        answers = await asyncio.gather(*(answered(port, said) for said in REFUSED.values()))
        for name, answer in zip(REFUSED, answers, strict=True):
            assert b" 200 " not in answer.partition(b"\r\n")[0], name
            assert answer.count(b"HTTP/1.1 ") <= 1, name
        assert read == []
    told = "".join(capsys.readouterr())
    assert "internal_error" not in told, "a stranger's half request is no defect, and fills no log with stacks"
    assert "Traceback" not in told


async def test_a_request_for_another_host_in_its_first_line_is_none_of_ours(tmp_path: Path) -> None:
    async with door(tmp_path) as (port, read):
        async with Line.to(port) as line:
            await line.say(head("Content-Length: 0", "Connection: close", path="http://evil.example/small"))
            assert b" 404 " in (await line.heard()).partition(b"\r\n")[0]
        assert read == []


async def test_what_follows_a_refused_body_is_no_second_request(tmp_path: Path) -> None:
    """The bytes of a body that was not read must not be taken for what comes next on the line."""
    smuggled = head("Content-Length: 0")
    async with door(tmp_path) as (port, read):
        async with Line.to(port) as line:
            await line.say(head("Content-Length: 999999") + smuggled * 3)
            answer = await line.heard()
        assert answer.count(b"HTTP/1.1 ") == 1
        assert b" 413 " in answer
        assert read == []
