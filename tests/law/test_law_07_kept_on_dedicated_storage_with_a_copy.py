"""7. Stored on dedicated equipment, with a backup (art. 5): in the room and, receipted, at the archive."""

from __future__ import annotations

import hashlib

from hardware.profile import StorageSettings
from tests.support.peers.center_peers import RoomPeer, Served, metadata, opening, until
from tests.support.peers.device_signatures import signed_claim


async def test_the_center_holds_its_own_copy_and_says_so_only_when_it_does(archive: Served, sender: RoomPeer) -> None:
    sender.publish("events", opening(1))
    await until(lambda: 1 in sender.receipts())
    data = b"a segment of the record" * 1000
    claim = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "room": "court1/c03", "hearing": "h1"}
    claim = signed_claim({**claim, "kind": "segment", "track": "bench", "index": 0})
    async with archive.uploader() as (tus, http):
        upload = await tus.create(metadata(0))
        await tus.append(upload, 0, data[:5000])
        early = await http.post("/api/objects", json={**claim, "upload": upload})
        assert early.json()["code"] == "checksum"  # half of it is not a copy
        upload = await tus.create(metadata(0))
        await tus.append(upload, 0, data, length=len(data))
        stored = await http.post("/api/objects", json={**claim, "upload": upload})
        assert stored.status_code == 201
    copies = [p for p in (archive.data / "objects").rglob("*") if p.is_file() and p.read_bytes() == data]
    assert len(copies) == 1


def test_a_second_copy_in_the_room_is_one_line_of_the_profile() -> None:
    assert StorageSettings.model_validate({"data": "/srv/wutong", "copy": "/mnt/copy"}).copy_to == "/mnt/copy"
