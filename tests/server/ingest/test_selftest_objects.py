"""What a room sends to test its way comes back unchanged, to that room alone, and does not stay."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.ingest.selftest_objects import KEEP_S, SelfTestObjects
from sync.room.paths import RoomPaths
from sync.uplink.files.selftest_round_trip import RoundTrip
from sync.uplink.token_bucket import TokenBucket
from tests.support.peers.center_peers import TOKENS, Served, until

ROOM, OTHER = "court1/c03", "court1/c04"


def record(layout: RoomPaths, test: str, footage: bytes) -> dict[str, list[dict[str, Any]]]:
    """A test record of two tracks, as a recorder leaves it."""
    tracks = {}
    for track, data in (("bench", footage), ("mics", footage[::-1] * 3)):
        path = layout.selftests / test / track / "00000.mp4"
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        one = {"file": f"{track}/00000.mp4", "index": 0, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        tracks[track] = [one]
    return tracks


async def go(http: httpx.AsyncClient | None, layout: RoomPaths, test: str, tracks: Any) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = []
    trip = RoundTrip(ROOM, layout, http, TokenBucket(1e9), said.append)
    for _ in range(2):
        trip.order(json.dumps({"id": test, "at_ns": 0, "tracks": tracks}).encode())
    await until(lambda: said and said[-1]["state"] != "sending")
    await trip.close()
    return said


async def test_files_go_to_the_center_and_come_back(served: Served, footage: bytes, tmp_path: Path) -> None:
    layout = RoomPaths(tmp_path / "room")
    tracks = record(layout, "t1", footage)
    async with served.uploader() as (_, http):
        said = await go(http, layout, "t1", tracks)
    assert [s["state"] for s in said] == ["sending", "ok"], said
    assert (layout.selftests / "t1" / "back" / "bench" / "00000.mp4").read_bytes() == footage
    assert said[-1]["back"] == ["back/bench/00000.mp4", "back/mics/00000.mp4"]
    left = [p for p in (served.data / "selftests").rglob("*") if p.is_file()]
    assert left == [], "deleted when the room has seen it"
    assert not list((served.data / "uploads").iterdir())
    assert not list((served.data / "objects").rglob("*.*")), "no part of the record"


async def test_other_bytes_are_found_out(served: Served, footage: bytes, tmp_path: Path) -> None:
    layout = RoomPaths(tmp_path / "room")
    tracks = record(layout, "t1", footage)
    tracks["mics"][0]["sha256"] = "0" * 64
    async with served.uploader() as (_, http):
        said = await go(http, layout, "t1", tracks)
    assert said[-1]["state"] == "failed"


async def test_a_center_that_is_away_or_not_there_at_all(footage: bytes, tmp_path: Path) -> None:
    layout = RoomPaths(tmp_path / "room")
    tracks = record(layout, "t1", footage)
    async with httpx.AsyncClient(base_url="http://127.0.0.1:9", trust_env=False) as http:
        assert (await go(http, layout, "t1", tracks))[-1]["state"] == "unreachable"
    assert (await go(None, layout, "t1", tracks))[-1]["state"] == "off"


async def test_a_room_sees_and_deletes_only_its_own(served: Served, footage: bytes) -> None:
    digest = hashlib.sha256(footage).hexdigest()
    where = f"/api/selftest/t1/{digest}"
    about = {"hearing": "t1", "kind": "selftest", "track": "bench"}
    async with served.uploader() as (tus, mine), served.uploader(OTHER) as (_, other):
        name = await tus.create({"room": ROOM, **about, "index": "0", "name": "bench/00000.mp4"})
        await tus.append(name, 0, footage, length=len(footage))
        claim = {"upload": name, "sha256": digest, "bytes": len(footage), "room": ROOM, **about, "index": 0}
        assert (await other.post("/api/objects", json=claim)).status_code == 403
        assert (await other.post("/api/objects", json={**claim, "room": OTHER})).status_code == 403
        await tus.confirm(claim)
        assert (await mine.get(where)).content == footage
        assert (await other.get(where)).status_code == 404
        assert (await other.delete("/api/selftest/t1")).status_code == 204
        assert (await mine.get(where)).status_code == 200
        assert (await mine.get(f"/api/selftest/..%2F..%2Fobjects/{digest}")).status_code in (404, 422)
        assert (await mine.get("/api/selftest/t1/..%2F..%2Fcenter.db")).status_code in (404, 422)
    async with httpx.AsyncClient(base_url=served.url) as stranger:
        assert (await stranger.get(where)).status_code == 401
        assert (await stranger.delete("/api/selftest/t1")).status_code == 401
    async with served.inspector() as inspector:
        assert (await inspector.get(where)).status_code == 401, "a test is the room's own"
        assert (await inspector.get("/api/hearings/t1")).status_code == 404, "and no hearing"


async def test_a_newer_test_replaces_the_older_and_a_day_ends_all(served: Served, tmp_path: Path) -> None:
    tests: SelfTestObjects = served.center.tests

    def put(test: str, data: bytes) -> None:
        source = tmp_path / "source"
        source.write_bytes(data)
        assert tests.take(ROOM, test, source, hashlib.sha256(data).hexdigest(), len(data))

    await asyncio.to_thread(put, "t1", b"a")
    await asyncio.to_thread(put, "t2", b"b")
    assert [p.name for p in (served.data / "selftests" / "court1.c03").iterdir()] == ["t2"]
    tests.purge()
    assert tests.path(ROOM, "t2", hashlib.sha256(b"b").hexdigest()).is_file()
    folder = served.data / "selftests" / "court1.c03" / "t2"
    old = folder.stat().st_mtime - KEEP_S - 1
    os.utime(folder, (old, old))
    tests.purge()
    assert not folder.exists()


@pytest.mark.parametrize("kind", ["segment", "exhibit"])
async def test_an_object_of_a_test_does_not_slip_in_from_another_kind(served: Served, kind: str) -> None:
    assert set(TOKENS) == {ROOM, OTHER}
    async with served.uploader() as (tus, http):
        name = await tus.create(
            {"room": ROOM, "hearing": "h1", "kind": kind, "track": "bench", "index": "0", "name": "x"}
        )
        await tus.append(name, 0, b"abc", length=3)
        claim = {"upload": name, "sha256": hashlib.sha256(b"abc").hexdigest(), "bytes": 3, "room": ROOM}
        claim |= {"hearing": "h1", "kind": "selftest", "track": "bench", "index": 0}
        assert (await http.post("/api/objects", json=claim)).status_code == 404
