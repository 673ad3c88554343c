"""Connections to HTTPS that say nothing, or begin a handshake and do not end it: they keep nobody out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from sync.http.serve import new_app, serving
from sync.http.wire.connection import DoorLimits
from sync.tls.authority import open_authority
from sync.tls.contexts import client_context, server_context, trust
from tests.support.peers.tls_court import served_by, utc_now

CROWD = 60
SAID = {"silent": b"", "half a handshake": b"\x16\x03\x01\x02\x00\x01", "plain": b"G"}


@contextlib.asynccontextmanager
async def https(folder: Path, limits: DoorLimits) -> AsyncIterator[int]:
    """A real server of HTTPS; yields its port. Its authority is at `folder / "court"`."""
    court = open_authority(folder / "court", "Court", utc_now())
    context = server_context(*served_by(court, folder, "127.0.0.1"))
    async with serving(new_app("small"), "127.0.0.1", 0, tls=context, limits=limits) as port:
        yield port


async def status(folder: Path, port: int, source: str) -> int:
    """What somebody at an address of this machine is answered by HTTPS."""
    context = client_context()
    trust(context, folder / "court" / "authority.pem")
    transport = httpx.AsyncHTTPTransport(verify=context, local_address=source)
    async with httpx.AsyncClient(transport=transport, timeout=30) as http:
        return (await http.get(f"https://127.0.0.1:{port}/")).status_code


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
async def test_a_crowd_that_says_nothing_keeps_nobody_out_wherever_it_is(tmp_path: Path, said: bytes) -> None:
    limits = DoorLimits(head_s=60, stall_s=60, greeted_of_address=8, greeted_in_all=20)
    async with https(tmp_path, limits) as port, contextlib.AsyncExitStack() as crowd:
        lines = []
        for number in range(CROWD):
            source = f"127.0.0.{2 + number % 6}"
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
            crowd.callback(writer.close)
            writer.write(said)
            lines.append(reader)
        assert await status(tmp_path, port, "127.0.0.9") == 404, "from elsewhere"
        assert await status(tmp_path, port, "127.0.0.2") == 404, "and from where the crowd is"
        # All but as many as may wait are ended, those first that came first; only then this comes back.
        for reader in lines[: CROWD - limits.greeted_in_all]:
            with contextlib.suppress(OSError):
                while await reader.read(4096):
                    pass


async def test_of_two_addresses_the_one_with_the_crowd_makes_room(tmp_path: Path) -> None:
    limits = DoorLimits(head_s=60, stall_s=60, greeted_of_address=30, greeted_in_all=30)
    async with https(tmp_path, limits) as port, contextlib.AsyncExitStack() as crowd:
        alone, alone_writer = await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.3", 0))
        crowd.callback(alone_writer.close)
        for _ in range(CROWD):
            _, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.2", 0))
            crowd.callback(writer.close)
        assert await status(tmp_path, port, "127.0.0.4") == 404
        alone_writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert b"426" in await alone.readline(), "who came before the crowd, and alone, is still heard"
