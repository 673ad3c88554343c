"""Pieces of many files in one request: each judged by itself, written once, told only when it is on disk."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.ingest.objects_api import KINDS
from server.ingest.uploads import pieces_api, upload_files
from server.ingest.uploads.pieces_api import PieceDoor
from sync.errors import AccessError, CenterError
from sync.uplink.files.piece_client import PieceClient
from sync.uplink.files.pieces import MAGIC, MAX_BODY_BYTES, MAX_PIECES, pack_piece, pack_pieces
from tests.support.peers.center_peers import TOKENS, Served, metadata, until
from tests.support.peers.piece_peers import ROOM, PieceLine, brief, claim_of, piece

MIB = 2**20


def files(served: Served) -> list[Path]:
    return [path for path in (served.data / "uploads").iterdir() if len(path.name) == 32]


def door_of(served: Served) -> PieceDoor:
    route = next(r for r in served.center.app.router.routes if getattr(r, "path", "") == "/api/pieces")
    return next(cell.cell_contents for cell in route.endpoint.__closure__ if isinstance(cell.cell_contents, PieceDoor))


async def test_many_files_grow_by_one_request_and_become_objects(served: Served) -> None:
    parts = {track: os.urandom(1000) for track in ("bench", "plaintiff", "mics", "mix")}
    async with served.uploader() as (tus, http):
        client = PieceClient(http)
        assert await client.is_offered()
        first = await client.send([piece(data[:600], track=track) for track, data in parts.items()])
        assert brief(first) == [("", 600)] * 4
        assert len({answer.upload for answer in first}) == 4
        rest = [piece(data[600:], 600, track=track, length=1000) for track, data in parts.items()]
        second = await client.send(rest)
        assert brief(second) == [("", 1000)] * 4
        assert [a.upload for a in first] == [a.upload for a in second]
        for answer, (track, data) in zip(second, parts.items(), strict=True):
            assert await tus.confirm(claim_of(answer, data, track=track)) > 0
    assert list((served.data / "uploads").iterdir()) == []


async def test_the_same_piece_again_is_answered_and_nothing_is_doubled(served: Served) -> None:
    data = os.urandom(3000)
    async with served.uploader() as (tus, http):
        client = PieceClient(http)
        assert brief(await client.send([piece(data[:1000])])) == [("", 1000)]
        assert brief(await client.send([piece(data[:1000])])) == [("", 1000)]
        # A part of it is there: what is missing is added, what is there passed over.
        assert brief(await client.send([piece(data[500:2000], 500)])) == [("", 2000)]
        twice = [piece(data[2000:], 2000), piece(data[2000:], 2000), piece(b"", 0)]
        answers = await client.send(twice)
        assert brief(answers) == [("", 3000)] * 3
        assert files(served)[0].read_bytes() == data
        assert await tus.confirm(claim_of(answers[0], data)) > 0
        # The answer to the claim was lost: the file is gone as an upload, and the claim is answered as before.
        again = await client.send([piece(b"", 3000, length=3000)])
        assert brief(again) == [("gone", 0)]
        assert await tus.confirm(claim_of(answers[0], data)) > 0


async def test_one_bad_file_holds_up_no_other(served: Served) -> None:
    async with served.uploader() as (tus, http):
        client = PieceClient(http)
        await client.send([piece(b"12345", index=1), piece(b"123", index=2)])
        stored = await tus.create(metadata(7))
        async with served.center.uploads.lock(stored):
            answers = await client.send(
                [
                    piece(b"x", 9, index=1),  # leaves a hole
                    piece(b"x", 5, index=3),  # nothing is known of what comes before
                    piece(b"x", kind="log"),  # nothing here could claim it
                    piece(b"toolong", 3, index=2, length=5),
                    piece(b"x", index=7),  # somebody else writes to it
                    piece(b"good", index=4),
                    piece(b"", index=5),  # a question
                    piece(b"", index=6, length=0),
                ]
            )
    assert brief(answers) == [
        ("offset", 5), ("gone", 0), ("refused", 0), ("refused", 3), ("busy", 0), ("", 4), ("gone", 0), ("", 0),
    ]  # fmt: skip
    assert sorted(path.stat().st_size for path in files(served)) == [0, 0, 3, 4, 5]


async def test_a_file_that_is_longer_here_than_in_the_room_begins_anew(served: Served) -> None:
    async with served.uploader() as (tus, http):
        client = PieceClient(http)
        first = await client.send([piece(b"of a disk that lost power")])
        assert brief(await client.send([piece(b"", 0, length=5)])) == [("gone", 0)]
        assert files(served) == []
        again = await client.send([piece(b"short", 0, length=5)])
        assert brief(again) == [("", 5)]
        assert again[0].upload != first[0].upload
        assert await tus.confirm(claim_of(again[0], b"short")) > 0


async def test_what_began_by_tus_goes_on_by_pieces_and_back(served: Served) -> None:
    """A room that is updated in the middle of a hearing, and put back."""
    async with served.uploader() as (tus, http):
        upload = await tus.create(metadata(0))
        await tus.append(upload, 0, b"by tus ")
        (answer,) = await PieceClient(http).send([piece(b"and by pieces ", 7)])
        assert (answer.upload, answer.offset) == (upload, 21)
        assert await tus.offset(upload) == 21
        whole = b"by tus and by pieces and by tus"
        assert await tus.append(upload, 21, whole[21:], length=len(whole)) == len(whole)
        assert await tus.confirm(claim_of(answer, whole)) > 0
        (begun,) = await PieceClient(http).send([piece(b"pieces first", index=1)])
        assert await tus.append(begun.upload, 12, b", then tus") == 22


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic x"}])
async def test_without_a_token_nothing_is_written(served: Served, headers: dict[str, str]) -> None:
    async with httpx.AsyncClient(base_url=served.url) as http:
        answer = await http.post("/api/pieces", headers=headers, content=pack_pieces([piece(b"x")]))
    assert answer.status_code == 401
    assert files(served) == []


async def test_another_room_has_files_of_its_own_alone(served: Served) -> None:
    """The same names reach another file: a header has no word for whose it is."""
    async with served.uploader() as (tus, http), served.uploader("court1/c04") as (foreign, other):
        (mine,) = await PieceClient(http).send([piece(b"mine")])
        (theirs,) = await PieceClient(other).send([piece(b"theirs, longer")])
        assert mine.upload != theirs.upload
        assert brief(await PieceClient(http).send([piece(b"", 0)])) == [("", 4)]
        with pytest.raises(CenterError):
            await foreign.confirm(claim_of(mine, b"mine"))
        header = {"hearing": "h1", "kind": "segment", "track": "bench", "offset": 4, "bytes": 1, "room": ROOM}
        text = json.dumps(header).encode()
        body = MAGIC + len(text).to_bytes(2) + text + b"!"
        said = (await other.post("/api/pieces", content=body)).json()["pieces"]
        assert said == [{"upload": theirs.upload, "offset": 14, "code": ""}]
        assert await tus.offset(mine.upload) == 4


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"WTP",
        b"no pieces at all",
        MAGIC + b"\0\0",
        MAGIC + b"\xff\xff" + b"x" * 100_000,
        MAGIC + pack_piece(piece(b"ab")[0]) + b"abcdefghijkl",  # it says two bytes, and more follow
        MAGIC + (pack_piece(piece(b"x")[0]) + b"x") * 1000,
        MAGIC + (pack_piece(piece(b"x")[0]) + b"x") * (MAX_BODY_BYTES // 200),
    ],
    ids=lambda body: repr(body[:12]) + str(len(body)),
)
async def test_what_is_no_body_of_pieces_is_refused_and_nothing_of_it_kept(served: Served, body: bytes) -> None:
    async with served.uploader() as (_, http):
        answer = await http.post("/api/pieces", content=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
        assert files(served) == []
        assert brief(await PieceClient(http).send([piece(b"good")])) == [("", 4)]


async def test_as_many_pieces_as_there_may_be_are_taken(served: Served) -> None:
    async with served.uploader() as (_, http):
        many = [piece(b"x", n, index=0) for n in range(MAX_PIECES)]
        answers = await PieceClient(http).send(many)
        # In one stretch of time, so each finds all that came before it, and is told what is there in the end.
        assert {answer.code for answer in answers} == {""}
        assert files(served)[0].read_bytes() == b"x" * MAX_PIECES


async def test_a_header_that_promises_more_than_comes_counts_as_far_as_it_came(served: Served) -> None:
    async with served.uploader() as (_, http):
        body = MAGIC + pack_piece(piece(b"whole")[0]) + b"whole" + pack_piece(piece(b"x" * 1000, index=1)[0]) + b"part"
        said = (await http.post("/api/pieces", content=body)).json()["pieces"]
        assert [(one["code"], one["offset"]) for one in said] == [("", 5), ("cut", 4)]
        assert brief(await PieceClient(http).send([piece(b"and the rest", 4, index=1)])) == [("", 16)]


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_beyond_what_is_taken_is_refused(served: Served, chunked: bool) -> None:
    data = pack_pieces([piece(bytes(6 * MIB)), piece(bytes(6 * MIB), index=1)])

    async def pieces() -> Any:
        for at in range(0, len(data), MIB):
            yield data[at : at + MIB]

    async with served.uploader() as (_, http):
        answer = await http.post("/api/pieces", content=pieces() if chunked else data)
        assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
        if not chunked:
            assert brief(await PieceClient(http).send([piece(b"", index=1)])) == [("gone", 0)]


async def test_disk_and_quota_are_asked_before_a_byte_and_while_they_come(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = served.center.uploads
    async with served.uploader() as (tus, http):
        client = PieceClient(http)
        monkeypatch.setattr(uploads, "_quota_bytes", MIB)
        with pytest.raises(CenterError, match="full"):
            await client.send([piece(bytes(2 * MIB))])
        assert files(served) == []
        # Of a body that may come, a file that finds no place leaves the others theirs.
        monkeypatch.setattr(uploads, "_quota_bytes", 1000)
        answers = await client.send([piece(bytes(900)), piece(bytes(900), index=1), piece(bytes(90), index=2)])
        assert brief(answers) == [("", 900), ("full", 0), ("", 90)]
        assert uploads.outstanding(ROOM) == 990
        monkeypatch.setattr(uploads, "free_bytes", lambda: 100)
        monkeypatch.setattr(uploads, "_reserve_bytes", 101)
        assert brief(await client.send([piece(b"x", 900), piece(b"", 0, index=2)])) == [("full", 900), ("", 90)]
        assert brief(await client.send([piece(b"new", index=9)])) == [("full", 0)]
        # Full or not, what is whole is claimed, and its room has place again.
        (whole,) = await client.send([piece(b"", 900, length=900)])
        assert await tus.confirm(claim_of(whole, bytes(900))) > 0
        assert uploads.outstanding(ROOM) == 90


async def test_a_disk_that_is_full_in_the_middle_of_a_request_keeps_what_it_took(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the system's own word, when no reserve told before: a part of a file is written, and counts."""
    data, real, left = os.urandom(3000), os.pwrite, [1500]

    def full(fd: int, chunk: bytes, at: int) -> int:
        if not left[0]:
            raise OSError(28, "No space left on device")
        taken = real(fd, chunk[: left[0]], at)
        left[0] -= taken
        return taken

    async with served.uploader() as (tus, http):
        client = PieceClient(http)
        with monkeypatch.context() as patched:
            patched.setattr(os, "pwrite", full)
            answers = await client.send([piece(data[:1000]), piece(data[1000:2000], index=1), piece(data, index=2)])
        assert brief(answers) == [("", 1000), ("full", 500), ("full", 0)]
        again = await client.send(
            [piece(data[1000:], 1000), piece(data[1000:], 0, index=1), piece(data, index=2, length=3000)]
        )
        assert brief(again) == [("", 3000), ("", 2000), ("", 3000)]
        for answer, whole, index in zip(again, (data, data[1000:], data), range(3), strict=True):
            assert await tus.confirm(claim_of(answer, whole, index=index)) > 0


async def test_what_the_disk_does_not_sync_is_not_told_and_is_sent_again(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = os.fdatasync

    def refuse(fd: int) -> None:
        if os.fstat(fd).st_size == 3:
            raise OSError(5, "Input/output error")
        synced(fd)

    async with served.uploader() as (_, http):
        client = PieceClient(http)
        with monkeypatch.context() as patched:
            patched.setattr(os, "fdatasync", refuse)
            assert brief(await client.send([piece(b"bad"), piece(b"good", index=1)])) == [("gone", 0), ("", 4)]
        assert brief(await client.send([piece(b"bad")])) == [("", 3)]


async def test_a_newer_request_of_a_room_ends_one_that_still_comes(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The room has another line by now; nobody has told the center that the old one is dead."""
    monkeypatch.setattr(pieces_api, "FLUSH_BYTES", 1)
    body = pack_pieces([piece(b"o" * 5000)])
    old = await PieceLine.begin(served.url, len(body))
    await old.say(body[:-1000])
    await until(lambda: served.center.uploads.outstanding(ROOM) == 4000)
    async with served.uploader() as (_, http):
        (answer,) = await PieceClient(http).send([piece(b"o" * 1000, 4000)])
        assert (answer.code, answer.offset) == ("", 5000)
    status, said = await old.answer()
    assert (status, json.loads(said)["pieces"][0]["code"]) == (200, "cut")
    assert files(served)[0].read_bytes() == b"o" * 5000
    old.writer.close()


async def test_requests_of_one_room_at_once_double_nothing_and_are_all_answered(served: Served) -> None:
    data = os.urandom(50_000)
    async with served.uploader() as (tus, http):

        async def send() -> str:
            try:
                (answer,) = await PieceClient(http).send([piece(data)])
                return answer.code
            except CenterError as error:
                return error.code

        codes = await asyncio.gather(*(send() for _ in range(10)))
        assert set(codes) <= {"", "cut", "center"}
        assert "" in codes
        (answer,) = await PieceClient(http).send([piece(b"", 0)])
        assert await tus.confirm(claim_of(answer, data)) > 0


async def test_another_room_is_not_held_up_by_one_that_is_slow(served: Served) -> None:
    body = pack_pieces([piece(b"s" * 5000)])
    slow = await PieceLine.begin(served.url, len(body))
    await slow.say(body[:100])
    await until(lambda: door_of(served)._reading)
    async with served.uploader("court1/c04") as (_, http):
        assert brief(await PieceClient(http).send([piece(b"quick")])) == [("", 5)]
    assert door_of(served)._reading
    await slow.cut()


async def test_a_slow_sender_is_told_how_far_it_came_when_its_time_is_over(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces_api, "FLUSH_BYTES", 1)
    door, now = door_of(served), asyncio.get_running_loop().time
    body = pack_pieces([piece(b"s" * 5000)])
    line, begun = await PieceLine.begin(served.url, len(body)), now()
    await line.say(body[:-4000])
    await until(lambda: served.center.uploads.outstanding(ROOM) == 1000)
    await until(lambda: door._reading)
    ends = door._reading[ROOM].when()
    assert ends is not None
    assert begun < ends <= now() + pieces_api.BODY_S
    door._reading[ROOM].reschedule(now())  # as the loop does it then
    status, said = await line.answer()
    (one,) = json.loads(said)["pieces"]
    assert (status, one["code"], one["offset"]) == (200, "cut", 1000)
    line.writer.close()
    async with served.uploader() as (_, http):
        assert brief(await PieceClient(http).send([piece(b"s" * 4000, 1000)])) == [("", 5000)]


async def test_a_device_that_is_revoked_while_it_sends_adds_nothing_more(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces_api, "FLUSH_BYTES", 1)
    door = door_of(served)
    body = pack_pieces([piece(b"r" * 5000)])
    line = await PieceLine.begin(served.url, len(body))
    await line.say(body[:-3000])
    await until(lambda: served.center.uploads.outstanding(ROOM) == 2000)
    await until(lambda: door._reading)

    def revoked(request: object) -> str:
        raise AccessError("this room's device was revoked; enroll it again", code="not-enrolled")

    monkeypatch.setattr(door._tokens, "room", revoked)
    await line.say(body[-3000:])
    status, said = await line.answer()
    assert (status, json.loads(said)["code"]) == (401, "not-enrolled")
    assert files(served)[0].stat().st_size == 2000
    line.writer.close()


async def test_memory_holds_no_more_of_a_room_than_it_may(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces_api, "FLUSH_BYTES", 256 * 1024)
    written: list[int] = []
    door = door_of(served)
    write = door._writer.write

    async def counted(room: str, stretches: Any) -> Any:
        written.append(sum(one.bytes for one in stretches))
        return await write(room, stretches)

    monkeypatch.setattr(door._writer, "write", counted)
    data = os.urandom(4 * MIB)
    async with served.uploader() as (tus, http):
        answers = await PieceClient(http).send([piece(data, length=len(data)), piece(b"small", index=1)])
        assert brief(answers) == [("", 4 * MIB), ("", 5)]
        assert await tus.confirm(claim_of(answers[0], data)) > 0
    assert max(written) < MIB
    assert sum(written) == 4 * MIB + 5


async def test_a_room_with_as_many_uploads_as_it_may_goes_on_with_those(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_files, "MOST_UPLOADS", 2)
    async with served.uploader() as (_, http):
        answers = await PieceClient(http).send([piece(b"a", index=n) for n in range(3)])
        assert brief(answers) == [("", 1), ("", 1), ("full", 0)]
        assert brief(await PieceClient(http).send([piece(b"b", 1)])) == [("", 2)]


def test_every_kind_that_can_be_claimed_can_be_sent() -> None:
    for kind in KINDS:
        assert piece(b"", kind=kind)[0].kind == kind
    assert set(TOKENS) == {ROOM, "court1/c04"}
