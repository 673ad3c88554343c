"""Uploads that are dropped while something still happens to them, and what deaths leave behind."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from fastapi import HTTPException

from server.ingest.objects_api import AT_ONCE
from server.ingest.uploads.tus_folder import UploadFolder
from server.ingest.uploads.upload_files import ORPHAN_DAYS
from tests.server.access.test_sealed_parts import at_room_time, store
from tests.support.peers.center_peers import RoomPeer, Served, metadata, opening, until

UID = "0123456789abcdef0123456789abcdef"
MIB = 1024 * 1024
INFO: dict[str, Any] = {"metadata": metadata(0)}


async def begun(folder: UploadFolder, uid: str = UID) -> UploadFolder:
    await folder.create(uid)
    await folder.write_info(uid, INFO)
    return folder


async def test_what_comes_for_an_upload_that_was_dropped_is_refused_and_no_file_is_made_of_it(tmp_path: Path) -> None:
    folder = await begun(UploadFolder(tmp_path / "uploads", quota_bytes=3 * MIB))
    await folder.append(UID, bytes(2 * MIB))
    assert folder.outstanding("court1/c03") == 2 * MIB
    await folder.delete(UID)  # while the body of the request that appends still comes
    for _ in range(3):
        with pytest.raises(HTTPException) as refused:
            await folder.append(UID, bytes(2 * MIB))
        assert refused.value.status_code == 507
    await folder.write_info(UID, INFO)  # as the route does at the end
    assert list((tmp_path / "uploads").iterdir()) == []
    assert (folder.outstanding("court1/c03"), folder.partial(UID)) == (0, None)
    await begun(folder)
    assert folder.partial(UID) is not None


async def test_files_that_a_death_has_left_without_what_is_said_of_them_are_swept(tmp_path: Path) -> None:
    place = tmp_path / "uploads"
    folder = await begun(UploadFolder(place))
    await folder.append(UID, bytes(MIB))
    other, broken = UID[::-1], "f" * 32
    (place / other).touch()  # begun, and nothing was said of it yet
    (place / f"{broken}.info").write_text("{")
    (place / broken).write_bytes(b"x")
    (place / f"{'e' * 32}.info.new").write_text("half")
    (place / "README").write_text("of somebody else")
    again = UploadFolder(place)
    kept = [UID, f"{UID}.info", "README", broken, f"{broken}.info"]
    assert sorted(one.name for one in place.iterdir()) == sorted(kept)
    assert again.expire(time.time() + ORPHAN_DAYS * 86_400 + 60) == 2
    assert sorted(one.name for one in place.iterdir()) == ["README"]
    again = await begun(UploadFolder(place))
    await again.append(UID, bytes(MIB))
    assert again.outstanding("court1/c03") == MIB


async def test_claims_of_uploads_whose_bytes_are_still_coming_hold_up_no_other_room(
    served: Served, room: RoomPeer, footage: bytes
) -> None:
    room.publish("events", opening(1))
    await until(lambda: 1 in room.receipts())
    uploads = served.center.uploads
    async with served.uploader("court1/c04") as (tus, http):
        held = []
        for place in range(AT_ONCE + 1):
            said = {**metadata(place, room="court1/c04"), "kind": "selftest", "hearing": f"t{place}"}
            uid = await tus.create(said)
            lock = uploads.lock(uid)
            await lock.__aenter__()  # as the request that appends to it does, for as long as its body comes
            held.append((uid, lock))
        claims = []
        for place, (uid, _) in enumerate(held):
            claim = {"upload": uid, "sha256": "0" * 64, "bytes": 1, "room": "court1/c04", "hearing": f"t{place}"}
            claims.append(asyncio.create_task(http.post("/api/objects", json={**claim, "kind": "selftest"})))
        await until(lambda: served.center.uploads.busy(held[0][0]))
        await asyncio.wait(claims, timeout=0.5)
        await store(served, "segment", at_room_time(footage))  # the other room's
        assert not any(claim.done() for claim in claims)
        for _, lock in held:
            await lock.__aexit__(None, None, None)
        assert {(await claim).status_code for claim in claims} == {409}


async def test_claims_without_an_upload_leave_nothing_behind(served: Served) -> None:
    async with served.uploader() as (_, http):
        for number in range(50):
            claim = {"upload": f"{number:032x}", "sha256": "0" * 64, "bytes": 1, "room": "court1/c03", "hearing": "t"}
            assert (await http.post("/api/objects", json={**claim, "kind": "selftest"})).status_code == 404
    assert await served.center.uploads.list_uids() == []
