"""Attacks by HTTP: bodies without end, half-sent requests, guesses, refusals by the thousand, uploads without end."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx

from sync.errors import CenterError
from sync.uplink.files.tus import TusClient
from wutong.bench.attack.target import Target

BODY_BYTES = 64 * 1024 * 1024
PIECE = bytes(64 * 1024)
HALF_OPEN = 300
NETWORK_ERRORS = (httpx.HTTPError, OSError)


async def bodies(target: Target, done: Counter[str]) -> None:
    """Bodies of 64 MiB in pieces, to every route that nobody must be signed in for, at the center and in the room."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(BODY_BYTES // len(PIECE)):
            yield PIECE
            done["body-bytes"] += len(PIECE)

    async with _client() as http:
        for base, path in itertools.cycle(
            [
                (target.center_url, "/api/session"),
                (target.center_url, "/api/enroll"),
                (target.center_url, "/api/view/session"),
                (target.panel_url, "/api/session"),
            ]
        ):
            with contextlib.suppress(*NETWORK_ERRORS):
                answer = await http.post(base + path, content=pieces(), headers={"X-Wutong": "1"})
                done[f"body {answer.status_code}"] += 1
            done["bodies"] += 1
            await asyncio.sleep(0.05)


async def half_open(target: Target, done: Counter[str]) -> None:
    """Hundreds of connections on which a head was begun and never ended; those that are closed are opened again."""
    held: list[asyncio.StreamWriter] = []
    try:
        for url in itertools.cycle([target.center_url, target.panel_url]):
            held = [one for one in held if not one.is_closing() and not _ended(one)]
            if len(held) >= HALF_OPEN:
                await asyncio.sleep(0.2)
                continue
            with contextlib.suppress(OSError):
                address = urlsplit(url)
                context = _unverified() if address.scheme == "https" else None
                _, writer = await asyncio.open_connection(address.hostname, address.port, ssl=context)
                writer.write(b"POST /api/session HTTP/1.1\r\nHost: 127.0.0.1\r\nX-")
                held.append(writer)
                done["half-open"] += 1
            await asyncio.sleep(0.005)
    finally:
        for writer in held:
            writer.close()


def _ended(writer: asyncio.StreamWriter) -> bool:
    transport = writer.transport
    protocol = transport.get_protocol()
    reader = getattr(protocol, "_stream_reader", None)
    return reader is not None and reader.at_eof()


async def guesses(target: Target, done: Counter[str]) -> None:
    """Wrong codes from addresses that change with every request, as far as a header can say so."""
    async with _client() as http:
        for number in itertools.count():
            headers = {
                "X-Wutong": "1",
                "X-Forwarded-For": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
            }
            with contextlib.suppress(*NETWORK_ERRORS):
                answer = await http.post(
                    f"{target.center_url}/api/session", json={"code": f"{number:012}"}, headers=headers
                )
                done[f"guess {answer.status_code}"] += 1
            await asyncio.sleep(0.01)


async def refusals(target: Target, done: Counter[str]) -> None:
    """Requests without a session, as many as are answered."""
    async with _client() as http:
        for number in itertools.count():
            with contextlib.suppress(*NETWORK_ERRORS):
                answer = await http.get(f"{target.center_url}/api/hearings/{number}")
                done[f"refused {answer.status_code}"] += 1
            await asyncio.sleep(0.005)


async def uploads(target: Target, done: Counter[str]) -> None:
    """Uploads of hearings that never were, a mebibyte at a time, none of them ever finished."""
    headers = {"Authorization": f"Bearer {target.token}"}
    async with httpx.AsyncClient(base_url=target.center_url, headers=headers, timeout=30, verify=_unverified()) as http:
        tus = TusClient(http)
        for number in itertools.count():
            fields = {"room": target.room, "hearing": f"never-{number}", "kind": "segment", "track": "bench"}
            try:
                upload = await tus.create({**fields, "index": str(number), "name": "1.mp4", "filetype": "video/mp4"})
                done["uploads"] += 1
                offset = 0
                for _ in range(16):
                    offset = await tus.append(upload, offset, bytes(1024 * 1024))
                    done["upload-bytes"] += 1024 * 1024
                    await asyncio.sleep(0.1)
            except (*NETWORK_ERRORS, CenterError) as error:
                done[f"upload {type(error).__name__}"] += 1
                await asyncio.sleep(0.2)


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=httpx.Timeout(20, connect=5), verify=_unverified(), trust_env=False)


def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
