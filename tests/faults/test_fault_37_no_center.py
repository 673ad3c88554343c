"""Fault 37: the center cannot be reached for a whole hearing. It opens, runs and closes all the same; broker and center
come afterwards, and everything arrives complete, once. (That such a hearing can be exported is shown with the export.)

Lost: nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from sync.http.serve import serving
from tests.faults.fault_tools import gaps
from tests.support.peers.device_signatures import know_center
from tests.support.peers.uplink_peers import ADDRESS, CenterPeer, Mosquitto, UploadPeer, until
from tests.support.ports import free_port
from tests.support.rooms.recorder_room import RecorderRoom, profile_text
from tests.support.rooms.signer_peer import signing

TRACKS = ("bench", "mics", "mix")


def end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()


def prefix() -> str:
    """The account of the peers' broker is bound to its own room."""
    return '[room]\ncourt = "jianshan"\nroom = "c03"'


async def test_a_hearing_without_any_center_arrives_later(room_of: Callable[..., RecorderRoom], tmp_path: Path) -> None:
    broker, port = Mosquitto(tmp_path / "broker"), free_port()
    (tmp_path / "token").write_text("a-token-of-the-room\n")
    (tmp_path / "token").chmod(0o600)
    text = profile_text(segment_s=4).replace('[room]\ncourt = "jianshan"\nroom = "3"', prefix())
    text += f'[center]\nurl = "http://127.0.0.1:{port}"\ntoken_file = "token"\nmqtt_port = {broker.port}\n'
    text += f'mqtt_username = "{broker.room.username}"\n'
    text += f"mqtt_password_file = {json.dumps(str(broker.room.password_file.resolve()))}\n"
    room = room_of(text)
    command = [sys.executable, "-m", "wutong", "room", "uplink", "--profile", str(room.profile)]
    uplink = await asyncio.create_subprocess_exec(*command, stderr=subprocess.DEVNULL)
    async with contextlib.AsyncExitStack() as center:
        center.callback(end, uplink)
        center.enter_context(signing(room.layout, ADDRESS))
        know_center(room.layout)
        await room.until(room.running, "all sources run")
        room.say("open", case={}, seats=[], tracks=[])
        await room.pass_media("bench", 5)
        room.say("close")
        view = await room.closed(*TRACKS)
        assert gaps(room, view) == []
        assert room.log.pending_count() > 0
        everything = room.log.since(0)

        folder = tmp_path / "tus"
        folder.mkdir()
        peer = UploadPeer(folder)
        await center.enter_async_context(serving(peer.app, "127.0.0.1", port))
        broker.start()
        center.callback(broker.kill)
        receiver = CenterPeer(broker)
        center.callback(receiver.stop)
        await until(lambda: {e.number for e in everything} <= receiver.events.keys(), 90)
        await until(lambda: {s.sha256 for s in view.segments} <= peer.objects.keys(), 90)
        await until(lambda: room.log.pending_count() == 0, 60)
        for segment in view.segments:
            data = (room.layout.hearing(room.hearing) / segment.file).read_bytes()
            assert peer.objects[segment.sha256] == data
            assert hashlib.sha256(data).hexdigest() == segment.sha256
        assert [receiver.events[e.number]["kind"] for e in everything] == [e.kind for e in everything]
        end(uplink)
        await uplink.wait()
