"""Fault 30: an upload is cut at every byte of a chunk; the center is killed between what it syncs and what it answers.

Lost: nothing. What the center says that it holds, it holds, and it is what was sent; no byte is appended twice; a file
counts as sent only when it is an object for good.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import socket
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from server.ingest.uploads import tus_folder as folder_module
from sync.broker_address import BrokerAddress
from sync.room.paths import RoomPaths
from sync.uplink.files import uploads as uploads_module
from tests.support.peers.center_peers import TOKENS, Served, config_text, metadata, until
from tests.support.peers.device_signatures import enroll_at, signed_claim
from tests.support.peers.real_room import sending_room, stored_at
from tests.support.peers.uploading_room import uploading
from tests.support.ports import free_port

ADDRESS = "court1/c03"
CHUNK = 64


def patch(upload: str, offset: int, data: bytes) -> tuple[bytes, bytes]:
    """Head and body of what appends to an upload."""
    head = {"Tus-Resumable": "1.0.0", "Host": "center", "Authorization": f"Bearer {TOKENS[ADDRESS]}"}
    head |= {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    head |= {"Content-Length": str(len(data))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return f"PATCH /api/uploads/{upload} HTTP/1.1\r\n{lines}\r\n".encode(), data


async def cut_after(port: int, sent: bytes, *, reset: bool, seen: Callable[[], bool]) -> None:
    """Say so much and pull the cable: at once with a reset, or, when the center has `seen` it, by closing."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        with contextlib.suppress(ConnectionError):
            writer.write(sent)
            await writer.drain()
            if reset:
                sock: socket.socket = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                await until(seen)
                writer.write_eof()
                await reader.read()  # the center lets go, too
    finally:
        writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
async def test_a_chunk_that_is_cut_at_any_byte_costs_what_did_not_arrive(
    served: Served, reset: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_module, "_BUFFER_BYTES", 1)  # what arrives is written as it comes
    port = int(served.url.rsplit(":", 1)[1])
    async with served.uploader() as (tus, _):
        upload = await tus.create(metadata(0))
        file = served.data / "uploads" / upload
        sent = b""
        arrived: list[bytes] = []  # of chunks that were begun at this offset: what of them the center can have seen
        head, _ = patch(upload, 0, bytes(CHUNK))
        for cut in range(len(head) + 4 + CHUNK):
            head, body = patch(upload, len(sent), os.urandom(CHUNK))
            whole = (head + body)[:cut]
            arrived.append(whole[len(head) :])
            least = len(sent) + len(arrived[-1])
            await cut_after(port, whole, reset=reset, seen=lambda least=least: file.stat().st_size >= least)  # type: ignore[misc]  # a lambda's default
            await until(lambda: not served.center.uploads.busy(upload))
            told = await tus.offset(upload)
            held = file.read_bytes()
            assert len(held) >= told >= len(sent), cut
            if len(held) > len(sent):
                more = held[len(sent) :]
                assert held[: len(sent)] == sent, cut
                assert any(one.startswith(more) for one in arrived), f"cut at {cut}: other bytes than were sent"
                sent, arrived = held, []
        assert reset or len(sent) > CHUNK
        rest = os.urandom(CHUNK)
        sent += rest
        offset = await tus.offset(upload)
        assert await tus.append(upload, offset, sent[offset:], length=len(sent)) == len(sent)
        claim = {"upload": upload, "sha256": hashlib.sha256(sent).hexdigest(), "bytes": len(sent), "room": ADDRESS}
        await tus.confirm(signed_claim({**claim, "hearing": "h1", "kind": "segment", "track": "bench", "index": 0}))
    name = hashlib.sha256(sent).hexdigest()
    assert (served.data / "objects" / name[:2] / name).read_bytes() == sent


DYING = """
import os, signal, sys
from pathlib import Path
from server.ingest.uploads.tus_folder import UploadFolder
from server.objects.object_folder import ObjectFolder
from server.store.writer import RecordWriter
died = Path(sys.argv.pop(1))

def die(where):
    once = died / where
    if not once.exists():
        once.touch()
        os.kill(os.getpid(), signal.SIGKILL)

def after(owner, name):
    real = getattr(owner, name)
    def called(*arguments):
        value = real(*arguments)
        die(name)
        return value
    setattr(owner, name, called)

def after_waiting(owner, name):
    real = getattr(owner, name)
    async def called(*arguments):
        value = await real(*arguments)
        die(name)
        return value
    setattr(owner, name, called)

after(UploadFolder, "write_on")
after(UploadFolder, "_sync")
after(ObjectFolder, "take")
after_waiting(RecordWriter, "store_object")
after(UploadFolder, "forget")
after_waiting(RecordWriter, "store_events")
from wutong.cli import main
main()
"""
"""A center that dies once at each of these: what they do is done, and nobody was told of it yet."""
MOMENTS = {"write_on", "_sync", "take", "store_object", "forget", "store_events"}


def spawned(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


@contextlib.asynccontextmanager
async def dying_center(died: Path, config: Path, port: int) -> AsyncIterator[list[int]]:
    """It is started again as systemd would; the exit codes so far."""
    ends: list[int] = []
    command = [sys.executable, "-c", DYING, str(died), "server", "--config", str(config)]

    async def keep() -> None:
        while True:
            process = spawned(command)
            try:
                ends.append(await asyncio.to_thread(process.wait))
            except asyncio.CancelledError:
                process.terminate()
                await asyncio.to_thread(process.wait, 20)
                raise

    task = asyncio.create_task(keep())
    try:
        async with httpx.AsyncClient() as http:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    await http.get(f"http://127.0.0.1:{port}/api/session")
                    break
                await asyncio.sleep(0.05)
        yield ends
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_center_that_is_killed_between_disk_and_answer_loses_and_doubles_nothing(
    tmp_path: Path, broker_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_module, "MAX_PAUSE_S", 0.2)
    monkeypatch.setattr(uploads_module, "PIECE_BYTES", 20_000)
    data, died, port = tmp_path / "center", tmp_path / "died", free_port()
    died.mkdir()
    config = tmp_path / "center.toml"
    config.write_text(config_text(data, broker_port, port))
    await enroll_at(config, [ADDRESS])
    address = BrokerAddress("127.0.0.1", broker_port, "room")
    async with (
        dying_center(died, config, port) as ends,
        sending_room(data, tmp_path / "room", address) as room,
        uploading(ADDRESS, RoomPaths(tmp_path / "room"), room.log, port, token=TOKENS[ADDRESS]) as uploads,
    ):
        await until(lambda: room.line.connected, 60)
        room.open("h1")
        media = os.urandom(70_000)
        layout = RoomPaths(tmp_path / "room")
        file = layout.track("h1", "bench") / "00000.mp4"
        file.parent.mkdir(parents=True)
        file.write_bytes(media)
        sha256 = hashlib.sha256(media).hexdigest()
        stored = data / "objects" / sha256[:2] / sha256
        body = {"track": "bench", "index": 0, "file": "bench/00000.mp4", "bytes": len(media), "sm3": ""}
        room.say("segment", "h1", **body, sha256=sha256, from_ns=0, to_ns=1, fragments=1, mime="video/mp4")
        uploads.kick()
        await until(lambda: uploads.last_receipt_utc_ns is not None and room.log.pending_count() == 0, 300)
        assert {one.name for one in died.iterdir()} == MOMENTS
        assert ends == [-9] * len(MOMENTS)
        assert stored.read_bytes() == media
        assert stored_at(data) == room.digests()
        await until(lambda: not list((data / "uploads").iterdir()), 60)
        assert uploads.refused == "", "no file was asked for again"
