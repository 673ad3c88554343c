"""One search through the logs of both ends finds what became of a batch, a file, an upload, a checkpoint."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync.ledger.checkpoint import Checkpoint
from sync.ledger.leaf import leaf_of
from sync.ledger.note import sign
from sync.ledger.tree import Tree, leaf_hash
from sync.room.checkpoints import Checkpoints
from sync.room.counts import COUNTS
from sync.room.feed import FeedClient
from tests.support.peers.center_process import CenterProcess
from tests.support.peers.device_signatures import device_key
from tests.support.peers.uplink_peers import ADDRESS, Mosquitto, until
from tests.support.rooms.uplink_room import HEARING, UplinkRoom


@pytest.fixture
def said_in_detail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both processes tell what went well, too."""
    monkeypatch.setenv("WUTONG_LOG", "debug")


@pytest.fixture
def center_process(tmp_path: Path, broker: Mosquitto, said_in_detail: None) -> Iterator[CenterProcess]:
    process = CenterProcess(tmp_path / "there", broker)
    yield process
    process.kill()


def lines(log: Path, event: str = "") -> list[dict[str, Any]]:
    """All lines of a log, or those of one event."""
    found = []
    for line in log.read_text(encoding="utf-8").splitlines():
        if line.startswith("{"):
            found.append(json.loads(line))
    return [one for one in found if event in ("", one["event"])]


def searched(log: Path, text: str) -> list[str]:
    """What an administrator finds: the events of all lines with this text in them."""
    return [str(one["event"]) for one in lines(log) if text in json.dumps(one)]


def recorded(room: UplinkRoom) -> str:
    """A file that the room has closed; its hash."""
    data = os.urandom(50_000)
    file = room.layout.track(HEARING, "bench") / "00000.mp4"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    sha256 = hashlib.sha256(data).hexdigest()
    body = {"track": "bench", "index": 0, "file": "bench/00000.mp4", "bytes": len(data), "sha256": sha256}
    body |= {"from_ns": 1, "to_ns": 2, "mime": "video/mp4"}
    room.log.append("segment", body, hearing=HEARING, room_ns=1, utc_ns=1)
    return sha256


def signed_head(room: UplinkRoom) -> None:
    """A checkpoint over all events of the hearing, as the notary would sign it."""
    tree, events = Tree(), room.log.of_hearing(HEARING)
    for event in events:
        tree.append(leaf_hash(leaf_of(event)))
    head = Checkpoint(ADDRESS, HEARING, tree.size, tree.root(), events[-1].number, room.clock.utc_now_ns())
    checkpoints = Checkpoints(room.layout.log)
    checkpoints.add(HEARING, tree.size, sign(head.to_text(), ADDRESS, device_key(ADDRESS)).to_text(), seal=False)
    checkpoints.close()


async def counted(room: UplinkRoom, **wanted: int) -> dict[str, Any]:
    """What the uplink counts for whoever measures the room, once it is this."""
    async with asyncio.timeout(150):
        async for _, payload in FeedClient(room.layout.feed("uplink"), [COUNTS]).messages():
            counts: dict[str, Any] = json.loads(payload)
            if all(counts[name] == value for name, value in wanted.items()):
                return counts
    raise AssertionError("a feed never ends")


async def test_each_id_is_in_the_logs_of_both_ends_of_one_run(
    tmp_path: Path, broker: Mosquitto, center_process: CenterProcess
) -> None:
    await center_process.start()
    await center_process.enroll()
    there = center_process.config.with_name("center.log")
    room = UplinkRoom(tmp_path / "here", broker, center_process.served.url)
    here = room.profile.with_name("uplink.log")
    async with room.open(center_process.key):
        room.opens()
        room.start()
        sha256 = recorded(room)
        await until(lambda: room.log.pending_count() == 0, 150)
        signed_head(room)
        await until(lambda: lines(here, "file_handed_over") and lines(here, "checkpoint_witnessed"), 150)
        counts = await counted(room, pending_files=0, receipted_events=2)
        assert counts["oldest_pending_utc_ns"] is None
        assert counts["upload_refused"] is False
        await room.stop()

    for sent in lines(here, "events_sent"):
        assert sent["id"].startswith("batch-")
        assert "events_receipted" in searched(here, sent["id"])
        assert "events_stored" in searched(there, sent["id"])
    handed = lines(here, "file_handed_over")[0]
    assert handed["id"] == f"file-{sha256[:16]}"
    assert "object_stored" in searched(there, handed["id"])
    assert {"upload_answered", "object_stored"} <= set(searched(there, handed["upload"]))
    assert {"upload_request_answered", "file_handed_over"} <= set(searched(here, handed["upload"]))
    witnessed = lines(here, "checkpoint_witnessed")[0]
    assert "checkpoint_sent" in searched(here, witnessed["id"])
    assert "checkpoint_cosigned" in searched(there, witnessed["id"])
    stored = lines(there, "upload_answered")
    assert {one["room"] for one in stored if one.get("code") == ""} == {ADDRESS}
