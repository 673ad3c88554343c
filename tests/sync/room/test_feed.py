"""Feeds: newcomers get what is retained, slow listeners lose the oldest, a new producer is found."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from sync.room.feed import FeedClient, FeedServer


async def collect(client: FeedClient, into: list[tuple[str, bytes]]) -> None:
    async for message in client.messages():
        into.append(message)


async def until(condition: object) -> None:
    assert callable(condition)
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_newcomer_gets_the_retained_of_its_topics_first(tmp_path: Path) -> None:
    server = FeedServer(tmp_path / "f.sock")
    await server.start()
    server.publish("init/bench", b"old", retain=True)
    server.publish("init/bench", b"new", retain=True)
    server.publish("levels", b"{}", retain=True)
    heard: list[tuple[str, bytes]] = []
    task = asyncio.create_task(collect(FeedClient(tmp_path / "f.sock", ["init/"]), heard))
    await until(lambda: heard)
    server.publish("frag/bench", b"not wanted")
    server.publish("init/mix", b"wanted")
    await until(lambda: len(heard) == 2)
    assert heard == [("init/bench", b"new"), ("init/mix", b"wanted")]
    task.cancel()
    await server.stop()


async def test_a_listener_that_does_not_read_loses_the_oldest_and_never_the_producers_time(tmp_path: Path) -> None:
    server = FeedServer(tmp_path / "f.sock", queue_bytes=100_000)
    await server.start()
    reader, writer = await asyncio.open_unix_connection(str(tmp_path / "f.sock"), limit=1000)
    writer.write(json.dumps(["n"]).encode() + b"\n")
    heard: list[tuple[str, bytes]] = []
    quick = asyncio.create_task(collect(FeedClient(tmp_path / "f.sock", ["n"]), heard))
    server.publish("n", b"hello", retain=True)
    await until(lambda: heard)
    for number in range(2000):
        server.publish("n", number.to_bytes(4, "big") + bytes(10_000))
        if number % 5 == 0:
            await asyncio.sleep(0)
    await until(lambda: heard[-1][1][:4] == (1999).to_bytes(4, "big"))
    slow: list[int] = []
    await reader.readexactly(4 + 1 + 1 + len(b"hello"))
    while not slow or slow[-1] != 1999:
        length = int.from_bytes(await reader.readexactly(4), "big")
        body = await reader.readexactly(length)
        slow.append(int.from_bytes(body[2:6], "big"))
    assert slow == sorted(slow)
    assert len(slow) < 2000
    writer.close()
    quick.cancel()
    await server.stop()


async def test_a_listener_finds_the_successor_of_a_producer_that_died(tmp_path: Path) -> None:
    first = FeedServer(tmp_path / "f.sock")
    await first.start()
    first.publish("status", b"1", retain=True)
    heard: list[tuple[str, bytes]] = []
    client = FeedClient(tmp_path / "f.sock", [""], retry_s=0.02)
    task = asyncio.create_task(collect(client, heard))
    await until(lambda: heard)
    await first.stop()
    await until(lambda: not client.connected)
    second = FeedServer(tmp_path / "f.sock")
    await second.start()
    second.publish("status", b"2", retain=True)
    await until(lambda: heard[-1] == ("status", b"2"))
    task.cancel()
    await second.stop()


async def test_a_stale_socket_of_a_killed_producer_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "f.sock").write_bytes(b"")
    server = FeedServer(tmp_path / "f.sock")
    await server.start()
    await server.stop()


async def test_a_topic_that_is_no_text_costs_the_connection_and_nothing_else(tmp_path: Path) -> None:
    greeted = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal greeted
        await reader.readline()
        greeted += 1
        topic = b"\xff\xfe" if greeted == 1 else b"ok"
        writer.write((1 + len(topic) + 1).to_bytes(4, "big") + bytes((len(topic),)) + topic + b"x")
        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(serve, path=str(tmp_path / "f.sock"))
    heard: list[tuple[str, bytes]] = []
    task = asyncio.create_task(collect(FeedClient(tmp_path / "f.sock", [""], retry_s=0.01), heard))
    await until(lambda: heard)
    assert heard[0] == ("ok", b"x")
    assert greeted > 1
    task.cancel()
    server.close()
