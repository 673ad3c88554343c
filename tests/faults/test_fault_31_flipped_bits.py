"""Fault 31: a bit flips, in transit and at rest.

In transit: a line that flips one bit in the first uploads: the center's hash differs, and the file is sent again whole.
At rest: one bit of a growing segment flips while the recorder is dead: everything else of that file is kept, byte for
byte, the fragment that was hit is declared, and the damaged file stays. Lost: that fragment.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from sync.http.serve import serving
from sync.media.fmp4 import index_file
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from sync.uplink.files.tus import TusClient
from sync.uplink.files.upload_store import UploadStore
from sync.uplink.files.uploads import Uploads
from sync.uplink.token_bucket import TokenBucket
from tests.support.peers.line_relay import Ends, LineRelay
from tests.support.peers.uplink_peers import ADDRESS, UploadPeer, until
from tests.support.rooms.recorder_room import RecorderRoom, profile_text, spans

MARK = bytes(range(256)) * 8


class FlippingLine(LineRelay):
    """A TCP line that flips a bit of the marked bytes, so many times."""

    def __init__(self, port: int, times: int) -> None:
        super().__init__(port)
        self._times = times
        self.flipped: list[int] = []

    async def _serve(self, down: Ends, up: Ends) -> None:
        await self._until_one_ends(self._pump(down[0], up[1], spoil=True), self._pump(up[0], down[1], spoil=False))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, spoil: bool) -> None:
        while data := await reader.read(65_536):
            at = data.find(MARK[:64])
            if spoil and at >= 0 and len(self.flipped) < self._times:
                self.flipped.append(at)
                data = data[: at + 9] + bytes([data[at + 9] ^ 4]) + data[at + 10 :]
            writer.write(data)
            await writer.drain()


@pytest.mark.slow
async def test_a_bit_that_flips_in_transit_is_sent_again(tmp_path: Path) -> None:
    layout, store_folder = RoomPaths(tmp_path / "data"), tmp_path / "tus"
    store_folder.mkdir()
    log, peer = RoomLog(layout.log), UploadPeer(store_folder)
    data = b"\0\0\0\x10styp" + bytes(8) + MARK
    sha256 = hashlib.sha256(data).hexdigest()
    file = layout.track("h", "bench") / "00000.mp4"
    file.parent.mkdir(parents=True)
    file.write_bytes(data)
    body = {"track": "bench", "index": 0, "file": "bench/00000.mp4", "bytes": len(data), "sha256": sha256}
    body |= {"from_ns": 0, "to_ns": 1, "fragments": 1, "mime": "video/mp4"}
    log.append("segment", body, hearing="h", room_ns=1, utc_ns=1)
    async with (
        serving(peer.app, "127.0.0.1", 0) as port,
        (flipping := FlippingLine(port, 2)).running() as line,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{line}", timeout=5, trust_env=False) as http,
    ):
        store = UploadStore(layout.uploads)
        uploads = Uploads(
            room=ADDRESS,
            layout=layout,
            room_log=log,
            store=store,
            tus=TusClient(http),
            confirm=TusClient(http).confirm,
            pace=TokenBucket(1e9),
            hearing=lambda: None,
        )
        task = asyncio.create_task(uploads.run())
        await until(lambda: sha256 in peer.objects, 60)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert len(flipping.flipped) == 2, "two attempts arrived damaged"
    assert peer.objects == {sha256: data}
    log.close()
    store.close()


async def test_a_bit_that_flips_at_rest_costs_its_fragment(room_of: Callable[..., RecorderRoom]) -> None:
    room = room_of(profile_text(segment_s=60))
    await room.until(room.running, "all sources run")
    room.say("open", case={}, seats=[], tracks=[])
    await room.until(lambda: room.track("bench").get("kept_bytes", 0) and room.running(), "kept")
    await room.pass_media("bench", 2.5)
    await room.end(signal.SIGKILL)
    (file,) = room.files("bench")
    before = index_file(file, salvage=True).fragments
    data = bytearray(file.read_bytes())
    hit = before[len(before) // 2]
    data[hit.offset + hit.bytes - 20] ^= 16
    with file.open("r+b") as out:
        out.write(data)
        os.fsync(out.fileno())
    room.start()
    await room.until(lambda: room.running() and room.track("bench").get("kept"), "recording again")
    room.say("close")
    view = await room.closed("bench", "mics", "mix")
    assert file.with_suffix(".damaged").read_bytes() == data
    kept: dict[int, bytes] = {}
    for segment in (s for s in view.segments if s.track == "bench"):
        path = room.layout.hearing(room.hearing) / segment.file
        content = path.read_bytes()
        assert hashlib.sha256(content).hexdigest() == segment.sha256
        kept |= {f.from_ns: content[f.offset : f.offset + f.bytes] for f in index_file(path).fragments}
    for fragment in before:
        was = bytes(data[fragment.offset : fragment.offset + fragment.bytes])
        assert (kept.get(fragment.from_ns) == was) == (fragment != hit)
    gaps = [(g.from_ns, g.to_ns) for g in view.gaps if g.track == "bench"]
    assert (hit.from_ns, hit.to_ns) in gaps
    assert len(spans(view, "bench")) == 1
