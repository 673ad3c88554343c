"""A room sends what has grown of many files together; to who takes no pieces it sends by tus, and asks again."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from server import copyserver
from server.ingest.uploads import upload_files
from server.ingest.uploads.pieces_api import PieceDoor
from sync.errors import CenterError
from sync.http.rights.machine_door import MachineDoor
from sync.http.serve import serving
from sync.media.fmp4 import index_file
from sync.room.event_log import RoomLog
from sync.room.paths import RoomPaths
from sync.uplink.files import uploads as uploads_module
from sync.uplink.files.pieces import PieceStretch
from sync.uplink.files.tus import TusClient
from sync.uplink.files.uploads import Uploads
from tests.support.peers.uplink_peers import BreakingLine, until
from tests.support.peers.uploading_room import Confirm, uploading

ROOM, TOKEN = "court1/c03", "token-of-room-c03-0123456789abcdef"
HEARING = "20261122-093000-00c0ffee"
TRACKS = ("bench", "mics", "mix")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads_module, "GROW_S", 0.1)
    monkeypatch.setattr(uploads_module, "MAX_PAUSE_S", 0.2)


class Keeper:
    """A real machine that keeps files of rooms, in this process; with pieces, or as it was before."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.data = folder
        monkeypatch.setattr(copyserver, "RESERVE_BYTES", 0)
        rooms = copyserver.CopiedRooms({hashlib.sha256(TOKEN.encode()).hexdigest(): ROOM}, {})
        door = MachineDoor(secure=False, origins=None)
        self.app: FastAPI = copyserver.build(folder, copyserver.open_uploads(folder), rooms, door)
        (self._route,) = (r for r in self.app.router.routes if getattr(r, "path", "") == "/api/pieces")
        cells = [cell.cell_contents for cell in self._route.endpoint.__closure__]  # type: ignore[attr-defined]
        (self.door,) = (one for one in cells if isinstance(one, PieceDoor))
        self.requests: list[list[PieceStretch]] = []
        write = self.door._writer.write

        async def noted(room: str, stretches: list[PieceStretch]) -> Any:
            self.requests.append(stretches)
            return await write(room, stretches)

        monkeypatch.setattr(self.door._writer, "write", noted)

    def forget_pieces(self) -> None:
        """It is of before."""
        self.app.router.routes.remove(self._route)

    def learn_pieces(self) -> None:
        """It was updated."""
        self.app.router.routes.append(self._route)

    def kept(self, track: str, index: int = 0) -> Path:
        return self.data / ROOM / HEARING / track / f"{index:05}.mp4"

    def growing(self) -> dict[str, bytes]:
        """track -> what there is of its segment that still grows."""
        folder = self.data / ".uploads"
        found = {}
        for partial in self.door._uploads._index.of_room(ROOM):
            found[partial.metadata.track] = (folder / partial.uid).read_bytes()
        return found


@pytest.fixture
def keeper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keeper:
    return Keeper(tmp_path / "kept", monkeypatch)


@contextlib.asynccontextmanager
async def sending(
    layout: RoomPaths, log: RoomLog, port: int, *, hearing: str | None = None, confirm: Confirm | None = None
) -> AsyncIterator[Uploads]:
    """To who believes the line and not a signature, unless `confirm` hands over otherwise."""

    def hand_over(tus: TusClient) -> Confirm:
        return confirm or tus.confirm

    async with uploading(ROOM, layout, log, port, token=TOKEN, hearing=hearing, hand_over=hand_over) as uploads:
        yield uploads


def file_of(layout: RoomPaths, track: str, index: int = 0) -> Path:
    file = layout.track(HEARING, track) / f"{index:05}.mp4"
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def finished(log: RoomLog, track: str, data: bytes, index: int = 0) -> None:
    body = {"track": track, "index": index, "file": f"{track}/{index:05}.mp4", "bytes": len(data), "sm3": ""}
    body |= {"sha256": hashlib.sha256(data).hexdigest(), "from_ns": 0, "to_ns": 1, "fragments": 1, "mime": "video/mp4"}
    log.append("segment", body, hearing=HEARING, room_ns=1, utc_ns=1)


async def test_all_tracks_grow_by_one_request_and_end_as_the_room_has_them(
    layout: RoomPaths, room_log: RoomLog, keeper: Keeper, moving_file: Path
) -> None:
    data = moving_file.read_bytes()
    half = len(data) // 2
    for track in TRACKS:
        file_of(layout, track).write_bytes(data[:half])
    whole = index_file(file_of(layout, "bench"), salvage=True).end
    async with serving(keeper.app, "127.0.0.1", 0) as port:
        async with sending(layout, room_log, port, hearing=HEARING):
            await until(lambda: keeper.growing() == dict.fromkeys(TRACKS, data[:whole]))
            first = keeper.requests[0]
            assert [one.header.track for one in first] == sorted(TRACKS)
            assert [one.bytes for one in first] == [whole] * len(TRACKS), "whole fragments, all in one request"
            for track in TRACKS:
                file_of(layout, track).write_bytes(data)
            await until(lambda: keeper.growing() == dict.fromkeys(TRACKS, data))
        # Killed here: a new process asks how far the center is, and sends nothing twice.
        sent = len(keeper.requests)
        async with sending(layout, room_log, port, hearing=HEARING) as uploads:
            for track in TRACKS:
                finished(room_log, track, data)
            uploads.kick()
            await until(lambda: all(keeper.kept(track).exists() for track in TRACKS))
            await until(lambda: uploads.pending_bytes == 0)
            assert uploads.refused == ""
        assert sum(one.bytes for request in keeper.requests[sent:] for one in request) == 0
    assert all(keeper.kept(track).read_bytes() == data for track in TRACKS)
    assert keeper.growing() == {}


async def test_small_files_of_a_backlog_share_a_request(layout: RoomPaths, room_log: RoomLog, keeper: Keeper) -> None:
    contents = [os.urandom(1000 + index) for index in range(20)]
    for index, data in enumerate(contents):
        file_of(layout, "bench", index).write_bytes(data)
        finished(room_log, "bench", data, index)
    file_of(layout, "bench", 20).write_bytes(b"")
    finished(room_log, "bench", b"", 20)
    async with serving(keeper.app, "127.0.0.1", 0) as port, sending(layout, room_log, port):
        await until(lambda: all(keeper.kept("bench", index).exists() for index in range(21)))
    assert [keeper.kept("bench", index).read_bytes() for index in range(21)] == [*contents, b""]
    assert len(keeper.requests) == 1


async def test_a_large_file_goes_by_several_requests_and_small_ones_do_not_wait_for_it(
    layout: RoomPaths, room_log: RoomLog, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_module, "PIECE_BYTES", 20_000)
    large, small = os.urandom(500_000), os.urandom(500)
    for index, data in enumerate((large, small)):
        file_of(layout, "bench", index).write_bytes(data)
        finished(room_log, "bench", data, index)
    async with serving(keeper.app, "127.0.0.1", 0) as port, sending(layout, room_log, port) as uploads:
        await until(lambda: keeper.kept("bench", 1).exists())
        assert not keeper.kept("bench", 0).exists()
        await until(lambda: uploads.last_receipt_utc_ns and uploads.pending_bytes == 0)
    assert keeper.kept("bench", 0).read_bytes() == large
    assert max(sum(one.bytes for one in request) for request in keeper.requests) <= 80_000


async def test_a_center_of_before_is_sent_to_by_tus_which_is_said_once_and_asked_again(
    layout: RoomPaths, room_log: RoomLog, keeper: Keeper, moving_file: Path
) -> None:
    data = moving_file.read_bytes()
    file_of(layout, "bench").write_bytes(data[: len(data) // 2])
    keeper.forget_pieces()
    with capture_logs() as logs:
        async with serving(keeper.app, "127.0.0.1", 0) as port:
            pass
        async with sending(layout, room_log, port, hearing=HEARING) as uploads:
            async with serving(keeper.app, "127.0.0.1", port):
                await until(lambda: keeper.growing())
                file_of(layout, "mics").write_bytes(data)
                await until(lambda: keeper.growing().get("mics") == data)
                assert keeper.requests == []
            await until(lambda: not uploads.reachable)
            keeper.learn_pieces()
            async with serving(keeper.app, "127.0.0.1", port):
                file_of(layout, "bench").write_bytes(data)
                await until(lambda: keeper.growing() == {"bench": data, "mics": data})
                for track in ("bench", "mics"):
                    finished(room_log, track, data)
                uploads.kick()
                await until(lambda: keeper.kept("bench").exists() and keeper.kept("mics").exists())
    assert keeper.requests
    assert [one["event"] for one in logs].count("center_takes_no_pieces") == 1


async def test_a_center_that_loses_the_route_while_it_answers_is_gone_on_with_by_tus(
    layout: RoomPaths, room_log: RoomLog, keeper: Keeper, moving_file: Path
) -> None:
    data = moving_file.read_bytes()
    file_of(layout, "bench").write_bytes(data[: len(data) // 2])
    async with serving(keeper.app, "127.0.0.1", 0) as port, sending(layout, room_log, port, hearing=HEARING):
        await until(lambda: keeper.growing())
        keeper.forget_pieces()
        sent = len(keeper.requests)
        file_of(layout, "bench").write_bytes(data)
        await until(lambda: keeper.growing() == {"bench": data})
        assert len(keeper.requests) == sent


async def test_a_file_that_finds_no_place_holds_up_no_other(
    layout: RoomPaths, room_log: RoomLog, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper.door._uploads, "_quota_bytes", 5000)
    for index, data in enumerate((b"x" * 9000, b"y" * 900, b"z" * 90)):
        file_of(layout, "bench", index).write_bytes(data)
        finished(room_log, "bench", data, index)
    async with serving(keeper.app, "127.0.0.1", 0) as port, sending(layout, room_log, port) as uploads:
        await until(lambda: keeper.kept("bench", 1).exists() and keeper.kept("bench", 2).exists())
        await until(lambda: "full" in uploads.refused)
        assert uploads.reachable
        monkeypatch.setattr(keeper.door._uploads, "_quota_bytes", 50_000)
        await until(lambda: keeper.kept("bench", 0).exists())
        await until(lambda: uploads.refused == "")


async def test_what_the_center_lost_is_sent_again(
    layout: RoomPaths, room_log: RoomLog, keeper: Keeper, moving_file: Path
) -> None:
    data = moving_file.read_bytes()
    file_of(layout, "bench").write_bytes(data[: len(data) // 2])
    async with serving(keeper.app, "127.0.0.1", 0) as port, sending(layout, room_log, port, hearing=HEARING) as uploads:
        await until(lambda: keeper.growing())
        for partial in keeper.door._uploads._index.all():
            keeper.door._uploads.forget(partial.uid)
        file_of(layout, "bench").write_bytes(data)
        await until(lambda: keeper.growing() == {"bench": data})
        for partial in keeper.door._uploads._index.all():
            keeper.door._uploads.forget(partial.uid)
        finished(room_log, "bench", data)
        uploads.kick()
        await until(lambda: keeper.kept("bench").exists())
    assert keeper.kept("bench").read_bytes() == data


async def test_other_bytes_at_the_center_are_sent_again_from_the_start(
    layout: RoomPaths, room_log: RoomLog, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = os.urandom(10_000)
    file_of(layout, "bench").write_bytes(data)
    finished(room_log, "bench", data)
    spoiled: list[bytes] = []
    write = upload_files.UploadFiles.write_on

    def spoil(files: Any, partial: Any, chunk: bytes) -> None:
        if not spoiled:
            spoiled.append(chunk)
            chunk = b"?" + chunk[1:]
        write(files, partial, chunk)

    monkeypatch.setattr(upload_files.UploadFiles, "write_on", spoil)
    async with serving(keeper.app, "127.0.0.1", 0) as port, sending(layout, room_log, port):
        await until(lambda: keeper.kept("bench").exists())
    assert spoiled
    assert keeper.kept("bench").read_bytes() == data


async def test_a_claim_that_is_refused_rests_longer_each_time(
    layout: RoomPaths, room_log: RoomLog, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_module, "MAX_PAUSE_S", 60.0)
    data = os.urandom(1000)
    file_of(layout, "bench").write_bytes(data)
    finished(room_log, "bench", data)

    async def refuse(claim: Mapping[str, Any]) -> int:
        raise CenterError("the center takes nothing that this device did not sign", code="not-enrolled")

    async with serving(keeper.app, "127.0.0.1", 0) as port, sending(layout, room_log, port, confirm=refuse) as uploads:
        await until(lambda: any(retry.pause_s >= 2.0 for retry in uploads._retries.values()))
        assert "sign" in uploads.refused
    assert sum(one.bytes for request in keeper.requests for one in request) == 1000, "the bytes were sent once"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_line_that_is_cut_at_random_only_delays(
    layout: RoomPaths, room_log: RoomLog, keeper: Keeper, seed: int
) -> None:
    contents = [os.urandom(2_500_000), os.urandom(900_000)]
    for index, data in enumerate(contents):
        file_of(layout, "bench", index).write_bytes(data)
        finished(room_log, "bench", data, index)
    async with serving(keeper.app, "127.0.0.1", 0) as port:
        line = BreakingLine(port, cuts=6, seed=seed)
        async with line.running() as broken, sending(layout, room_log, broken):
            await until(lambda: keeper.kept("bench", 0).exists() and keeper.kept("bench", 1).exists(), 60)
    assert line.done > 0
    assert [keeper.kept("bench", index).read_bytes() for index in range(2)] == contents


async def test_a_center_that_answers_all_the_time_is_not_asked_besides_whether_it_is_there(
    layout: RoomPaths, room_log: RoomLog, keeper: Keeper, moving_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pings = []
    ping = TusClient.ping

    async def noted(self: TusClient) -> None:
        pings.append(self)
        await ping(self)

    monkeypatch.setattr(TusClient, "ping", noted)
    file_of(layout, "bench").write_bytes(moving_file.read_bytes())
    async with (
        serving(keeper.app, "127.0.0.1", 0) as port,
        sending(layout, room_log, port, hearing=HEARING) as uploads,
    ):
        await until(lambda: keeper.growing() and uploads.reachable)
        asked = len(pings)
        for number in range(3):
            event = room_log.append("mark", {"id": f"m{number}"}, hearing=HEARING, room_ns=1, utc_ns=1)
            uploads.kick()
            await until(lambda event=event: uploads.store.scanned == event.number)  # type: ignore[misc]
        assert len(pings) == asked <= 1
        monkeypatch.setattr(uploads_module, "QUIET_S", 0.1)
        uploads.kick()
        await until(lambda: len(pings) >= asked + 3)
