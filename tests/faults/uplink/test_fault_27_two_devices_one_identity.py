"""Fault 27: the disk of a room is copied to a second machine (certificate, key of the device, log), and both run.

The broker takes each for the other by turns. Lost: nothing of the record: what the center does not take of the one,
because the other was there first, stays on its own disk, and its panel says how much that is. Not shown live while it
lasts: the room, since nobody could tell whose picture it is. Wall and both panels say what it is, and what to do.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.live.hub import LiveHub
from server.rooms import TWICE
from sync.ledger.keys import make_key
from sync.media.envelope import Envelope, Kind
from sync.room.clock import RoomClock
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from sync.uplink.live import twin
from tests.support.peers.center_peers import opening, until
from tests.support.peers.real_room import stored_at
from tests.support.peers.tls_center import ROOM, TlsCenter, served_by_tls
from tests.support.peers.tls_device import Device, running

SAID = 12
TURN_S = (3, 6)


@pytest_asyncio.fixture
async def center(tmp_path: Path) -> AsyncIterator[TlsCenter]:
    async with served_by_tls(tmp_path / "c") as one:
        yield one


async def copied(center: TlsCenter, folder: Path) -> tuple[Path, Path, Ed25519PrivateKey]:
    """A room that was enrolled and has said something, and the copy of its disk."""
    key = make_key(RoomPaths(folder / "a").device_key)
    layout = await center.enrolled(folder / "a", key=key)
    RoomClock.open(layout.clock)
    log = RoomLog(layout.log)
    log.append("open", opening(1)["body"], hearing="h1", room_ns=time.monotonic_ns(), utc_ns=time.time_ns())
    log.close()
    shutil.copytree(folder / "a", folder / "b")
    return folder / "a", folder / "b", key


def utterance(word: str) -> dict[str, Any]:
    at_ns = time.monotonic_ns()
    times = {"start_ns": at_ns, "end_ns": at_ns + 1}
    return {"id": f"u{at_ns}", "seat": "judge", "role": "审判长", "text": word, "confidence": 0.9, "words": [], **times}


async def test_neither_loses_anything_and_wall_and_both_panels_say_what_it_is(
    center: TlsCenter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twin, "TURN_S", TURN_S)
    first, second, key = await copied(center, tmp_path)
    data, room = center.config.storage.data, center.center.rooms.states[ROOM]
    async with running(center, first, key) as ours:
        await until(lambda: ours.log.pending_count() == 0)
        async with running(center, second, key) as copy:
            began_s = time.monotonic()
            await until(lambda: TWICE in room.alarms, 30)
            print(f"found after {time.monotonic() - began_s:.1f} s")
            await until(lambda: ours.link["trust"] == copy.link["trust"] == "twice", 60)
            told_s = time.monotonic()
            # Both go on with their record under the same numbers; the second one stops sooner.
            for turn in range(SAID):
                ours.say("utterance", **utterance(f"甲{turn}"))
                if turn < SAID // 2:
                    copy.say("utterance", **utterance(f"乙{turn}"))
            both = (ours, copy)
            await until(lambda: all(set(stored_at(data)) >= set(one.digests()) for one in both), 60)
            # Each has what the center does not have of it, and is told so.
            stored = stored_at(data)
            theirs = [{n for n, digest in one.digests().items() if stored[n] != digest} for one in both]
            await until(lambda: all(one.pending() == kept for one, kept in zip(both, theirs, strict=True)), 60)
            assert sum(map(len, theirs)) == SAID // 2, "of two that have one number, one is stored"
            loser = both[theirs.index(max(theirs, key=len))]
            await until(lambda: loser.link["refused_events"] == max(map(len, theirs)), 60)
            assert {"conflict", TWICE} <= set(room.alarms)
            assert room.online
            rows = await center.center.archive.audited("twice")
            assert len(rows) == 1
            # The line goes from one to the other no faster than their turns.
            for one in both:
                connects = [at for at in one.connects_s if at > told_s]
                gaps = [later - at for at, later in itertools.pairwise(connects)]
                assert all(gap >= TURN_S[0] for gap in gaps), gaps


async def test_no_picture_of_the_one_is_shown_as_the_other_s(
    center: TlsCenter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first has an open hearing; in the log of the copy it is over."""
    monkeypatch.setattr(twin, "TURN_S", TURN_S)
    first, second, key = await copied(center, tmp_path)
    hub: LiveHub = center.center.live
    shown: list[tuple[bytes, str | None]] = []
    publish = hub.gateway.publish

    def noted(name: str, payload: bytes, hearing: str | None) -> None:
        envelope = Envelope.unpack(payload)
        if envelope.kind is not Kind.INIT:
            shown.append((envelope.payload, hearing))
        publish(name, payload, hearing)

    monkeypatch.setattr(hub.gateway, "publish", noted)
    async with running(center, first, key) as ours:
        await until(lambda: ours.log.pending_count() == 0)
        room = center.center.rooms.states[ROOM]

        async def acts(device: Device, mark: bytes) -> None:
            for sequence in range(1, 10_000):
                device.picture(sequence, mark)
                await asyncio.sleep(0.05)

        acting = [asyncio.create_task(acts(ours, b"ours"))]
        await until(lambda: (b"ours", "h1") in shown)
        log = RoomLog(RoomPaths(second).log)
        log.append("close", {}, hearing="h1", room_ns=time.monotonic_ns(), utc_ns=time.time_ns())
        log.close()
        async with running(center, second, key) as copy:
            acting.append(asyncio.create_task(acts(copy, b"copy")))
            await until(lambda: TWICE in room.alarms, 30)
            last = len(shown)
            connects = len(ours.connects_s) + len(copy.connects_s)
            await until(lambda: len(ours.connects_s) + len(copy.connects_s) >= connects + 2, 60)
            assert shown[last:] == [], "while they are two, nobody can tell whose picture it is"
            for task in acting:
                task.cancel()
            await asyncio.gather(*acting, return_exceptions=True)
    assert (b"copy", "h1") not in shown
    assert (b"ours", None) not in shown
