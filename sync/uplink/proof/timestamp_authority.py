"""A time-stamp authority (RFC 3161) over HTTP: one question, one bounded answer, checked to be of this question."""

from __future__ import annotations

import asyncio

import httpx

from sync.errors import LedgerError
from sync.ledger.token import MAX_TOKEN_BYTES, REQUEST_TYPE, check_reply, request_of

REPLY_S = 30.0
"""For the whole answer: one that comes a byte at a time is none."""


async def token_over(url: str, text: str) -> bytes:
    """The authority's token (the whole TimeStampResp) over `text`.

    `LedgerError` when it answers something else, `httpx.HTTPError` or `TimeoutError` when it does not answer.
    """
    token = await reply_to(url, request_of(text))
    check_reply(token, text)
    return token


async def reply_to(url: str, request: bytes) -> bytes:
    """What an authority answers; never more of it in memory than a token may have, and one piece."""
    # Unpacked, a small answer may be a large one: none that is packed is asked for or taken.
    headers = {"Content-Type": REQUEST_TYPE, "Accept-Encoding": "identity"}
    token = bytearray()
    async with (
        asyncio.timeout(REPLY_S),
        httpx.AsyncClient(timeout=REPLY_S, trust_env=False) as http,
        http.stream("POST", url, content=request, headers=headers) as answer,
    ):
        answer.raise_for_status()
        async for piece in answer.aiter_raw():
            token += piece
            if len(token) > MAX_TOKEN_BYTES:
                raise LedgerError("the time-stamp authority answered with something much too long", code="token")
    return bytes(token)
