"""A center whose files are in a bucket: what it receipts is there, what it plays is the same, what is sealed stays."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest_asyncio

from tests.server.access import test_sealed_parts as sealed_parts
from tests.server.access.test_sealed_parts import PDF, at_room_time, hold
from tests.server.ingest.test_contents import sent
from tests.server.ingest.test_objects_api import claim
from tests.support.peers.center_fixtures import center_at
from tests.support.peers.center_peers import ROOM_NS, RoomPeer, Served, metadata, opening, until
from tests.support.peers.faulty_line import FaultyLine
from tests.support.peers.scraper import GOOD, TOKEN
from tests.support.peers.seaweed_server import SeaweedServer

TOKEN_FILE = "metrics.token"


@pytest_asyncio.fixture
async def faulty(seaweed: SeaweedServer) -> AsyncIterator[tuple[FaultyLine, int]]:
    line = FaultyLine(seaweed.port)
    async with line.running() as port:
        yield line, port


async def test_what_is_sealed_is_as_sealed_as_in_a_folder(
    served: Served, room: RoomPeer, footage: bytes, voices: bytes
) -> None:
    by_every_way = sealed_parts.test_by_every_way_each_role_finds_what_it_may_and_nothing_else
    await by_every_way(served, room, footage, voices, "restricted", "archivist")


async def test_a_hearing_is_kept_in_the_bucket_and_looked_at_from_there(
    served: Served, room: RoomPeer, footage: bytes, voices: bytes, seaweed: SeaweedServer, bucket: str
) -> None:
    await hold(served, room, footage, voices)
    picture = at_room_time(footage)
    names = {key.rpartition("/")[2] for key in await asyncio.to_thread(seaweed.keys, bucket)}
    assert hashlib.sha256(picture).hexdigest() in names
    assert not (served.data / "objects").exists()
    assert not list((served.data / "uploads").iterdir())
    async with served.inspector("archivist") as http:
        wanted = {"from_ms": ROOM_NS / 1e6, "to_ms": ROOM_NS / 1e6 + 4000}
        played = await http.get("/api/hearings/h1/media/bench", params=wanted)
        assert played.content == picture, "the same bytes as from a folder"
        shown = (await http.get("/api/hearings/h1")).json()
        exhibit = next(one["id"] for one in shown["exhibits"])
        whole = await http.get(f"/api/hearings/h1/exhibits/{exhibit}")
        assert (whole.status_code, whole.content[:5]) == (200, PDF[:5])
        assert "sandbox" in whole.headers["content-security-policy"]
        assert whole.headers["cache-control"] == "no-store"
        for asked, expected in (("bytes=1-4", whole.content[1:5]), ("bytes=-3", whole.content[-3:])):
            part = await http.get(f"/api/hearings/h1/exhibits/{exhibit}", headers={"Range": asked})
            assert (part.status_code, part.content) == (206, expected)
            assert part.headers["content-range"].endswith(f"/{len(whole.content)}")
        beyond = await http.get(f"/api/hearings/h1/exhibits/{exhibit}", headers={"Range": "bytes=999999-"})
        assert beyond.status_code == 416


async def test_a_document_goes_by_a_link_that_is_noted_and_never_given_for_what_may_not_be_seen(
    tmp_path: Path, broker_port: int, seaweed: SeaweedServer, bucket: str, footage: bytes, voices: bytes
) -> None:
    async with center_at(tmp_path, broker_port, objects=seaweed.table(bucket, link_s=30)) as served:
        room = await RoomPeer(broker_port).start()
        await hold(served, room, footage, voices)
        room.stop()
        await document_by_link(served)


async def document_by_link(served: Served) -> None:
    async with served.inspector("archivist") as archivist, served.inspector() as inspector:
        answer = await archivist.get("/api/hearings/h1/documents/dd")
        assert (answer.status_code, answer.headers["cache-control"]) == (307, "no-store")
        async with httpx.AsyncClient(trust_env=False) as anybody:
            assert (await anybody.get(answer.headers["location"])).content == PDF + b"d"
        assert len(await served.audited("document")) == 1
        assert (await inspector.get("/api/hearings/h1/documents/dd")).status_code == 403
        await archivist.put("/api/hearings/h1/access", json={"level": "withdrawn", "reason": "封"})
        refused = await archivist.get("/api/hearings/h1/documents/dd")
        assert refused.status_code == 403
        assert "location" not in refused.headers


async def test_while_the_store_refuses_nothing_is_receipted_and_everything_is_afterwards(
    tmp_path: Path, broker_port: int, seaweed: SeaweedServer, bucket: str, faulty: tuple[FaultyLine, int],
    footage: bytes,
) -> None:  # fmt: skip
    line, port = faulty
    table = seaweed.table(bucket, port=port) + f'[metrics]\ntoken_file = "{TOKEN_FILE}"\n'
    token = tmp_path / TOKEN_FILE
    token.write_text(TOKEN)
    token.chmod(0o600)
    async with center_at(tmp_path, broker_port, objects=table) as served:
        room = await RoomPeer(broker_port).start()
        room.publish("events", opening(1))
        await until(lambda: room.receipts() == {1})
        line.refuses = (503, "SlowDown")
        async with served.uploader() as (tus, http):
            upload = await tus.create(metadata(0))
            await tus.append(upload, 0, footage)
            for _ in range(2):
                refused = await http.post("/api/objects", json=claim(upload, footage))
                assert (refused.status_code, refused.json()["code"]) == (507, "storage")
                assert "note" not in refused.json()
            assert await tus.offset(upload) == len(footage), "the upload is kept, and need not be sent again"
            ready = await http.get("/readyz", headers=GOOD)
            assert ready.status_code == 503
            assert [one["part"] for one in ready.json()["lacks"]] == ["objects"]
            line.refuses = None
            assert (await http.post("/api/objects", json=claim(upload, footage))).status_code == 201
            assert (await http.post("/api/objects", json=claim(upload, footage))).status_code == 200
        assert len(await asyncio.to_thread(seaweed.keys, bucket)) == 1
        line.refuses = (503, "SlowDown")
        async with served.inspector() as http:
            answer = await http.get("/api/hearings/h1/media/bench", params={"from_ms": 0, "to_ms": 4000})
            assert (answer.status_code, answer.json()["code"]) == (503, "busy")
            assert "无法从对象存储读取" in answer.json()["message"]
            line.refuses = None
            answer = await http.get("/api/hearings/h1/media/bench", params={"from_ms": 0, "to_ms": 4000})
            assert answer.status_code == 200
        room.stop()


async def test_bytes_that_are_not_what_is_claimed_are_in_no_bucket(
    served: Served, room: RoomPeer, footage: bytes, seaweed: SeaweedServer, bucket: str
) -> None:
    room.publish("events", opening(1))
    await until(lambda: room.receipts() == {1})
    async with served.uploader() as (tus, http):
        upload = await tus.create(metadata(0))
        await tus.append(upload, 0, footage[:-1])
        answer = await http.post("/api/objects", json=claim(upload, footage))
        assert (answer.status_code, answer.json()["code"]) == (409, "checksum")
    assert await asyncio.to_thread(seaweed.keys, bucket) == []
    assert (await sent(served, footage, "segment"))[0] == 201
