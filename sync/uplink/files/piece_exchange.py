"""Brings many files of a room forward by one request: what of each goes next, and what the center said of it.

Keeps how far the center has each file, as it said itself; what it has not said since the room runs is asked, by pieces
without bytes, before anything is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sync.errors import StorageError
from sync.uplink.files.piece_client import PieceClient
from sync.uplink.files.pieces import MAX_PIECES, PieceAnswer, PieceHeader, pack_piece
from sync.uplink.files.tus_way import read_piece
from sync.uplink.files.upload_store import Upload, UploadStore
from sync.uplink.token_bucket import TokenBucket

MOST_FILES = MAX_PIECES // 4
"""In one request; more would wait long for the answer to the first."""
_LEAST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Forward:
    """How far a file is to be sent."""

    upload: Upload
    until: int
    length: int | None
    """Of the whole file, once it is known."""


@dataclass(slots=True)
class Exchanged:
    """What came of one request, by the keys of its files."""

    answered: bool = False
    """Whether the center was asked and said something."""
    moved: set[str] = field(default_factory=set)
    """The center has more of them than it was known to have, or has said how far it is."""
    gone: set[str] = field(default_factory=set)
    """The center had them once, and has no upload of them now: they are stored, or begin anew."""
    failed: dict[str, str] = field(default_factory=dict)
    """Why others did not get on."""

    @property
    def told(self) -> bool:
        """Whether anything was learnt of any file."""
        return bool(self.moved or self.gone or self.failed)


class PieceExchange:
    """All methods belong to one event loop, one `exchange` at a time."""

    def __init__(
        self, client: PieceClient, store: UploadStore, pace: TokenBucket, path_of: Callable[[Upload], Path]
    ) -> None:
        """`path_of`: where a file lies; `StorageError` for one that is not sent."""
        self._client = client
        self._store = store
        self._pace = pace
        self._path_of = path_of

    async def exchange(self, files: Sequence[Forward], held: dict[str, int], *, piece_bytes: int) -> Exchanged:
        """Send the next of each file, in their order, as far as one request goes. `held`: key -> bytes that the center
        has, kept up to date here. `piece_bytes`: of one of many files; the whole has four times as much at most.

        `CenterError` and `httpx.HTTPError` when nothing is known of any of them.
        """
        result = Exchanged()
        files = files[:MOST_FILES]
        asked = [one for one in files if one.upload.upload is not None and one.upload.key not in held]
        shares = [(one, 0, 0) for one in asked] or self._shares(files, held, piece_bytes)
        pieces = await asyncio.to_thread(self._read, shares, result)
        if not pieces:
            return result
        await self._pace.take(sum(header.bytes for _, header, _ in pieces))
        answers = await self._client.send([(header, data) for _, header, data in pieces])
        result.answered = True
        named: dict[str, str | None] = {}
        for (one, header, _), answer in zip(pieces, answers, strict=True):
            self._learn(one.upload, header, answer, held, result)
            if answer.upload and answer.upload != one.upload.upload:
                named[one.upload.key] = answer.upload
        if named:
            await asyncio.to_thread(self._name, named)
        return result

    def _shares(
        self, files: Sequence[Forward], held: dict[str, int], piece_bytes: int
    ) -> list[tuple[Forward, int, int]]:
        """(file, from where, how many bytes) of a request; a slow line gets a second of its own."""
        left = min(4 * piece_bytes, max(_LEAST_BYTES, int(self._pace.bytes_per_s)))
        each = max(left // max(len(files), 1), min(piece_bytes, left))
        shares = []
        for one in files:
            offset = held.get(one.upload.key, 0)
            count = min(one.until - offset, each, left)
            if count > 0 or (one.until == offset == 0):
                shares.append((one, offset, max(count, 0)))
                left -= count
            if left <= 0:
                break
        return shares

    def _read(
        self, shares: Sequence[tuple[Forward, int, int]], result: Exchanged
    ) -> list[tuple[Forward, PieceHeader, bytes]]:
        pieces = []
        for one, offset, count in shares:
            try:
                header = _header(one, offset, count)
                data = read_piece(self._path_of(one.upload), offset, count)
                pieces.append((one, header, data))
            except (StorageError, OSError) as error:
                result.failed[one.upload.key] = str(error)
        return pieces

    def _learn(
        self, upload: Upload, header: PieceHeader, answer: PieceAnswer, held: dict[str, int], result: Exchanged
    ) -> None:
        key = upload.key
        if answer.code in ("", "offset", "cut"):
            # Where nothing moves, the file rests before it is tried again.
            if header.bytes == 0 or answer.offset != header.offset:
                result.moved.add(key)
            else:
                result.failed[key] = "the center did not take what it was sent; it will be tried again"
            held[key] = answer.offset
            return
        held.pop(key, None)
        if answer.code != "gone":
            result.failed[key] = _WHY[answer.code]
        elif upload.upload is None:
            result.failed[key] = "the center has lost what it was sent; it is sent again"
        else:
            result.gone.add(key)

    def _name(self, named: dict[str, str | None]) -> None:
        for key, upload in named.items():
            self._store.set_upload(key, upload)


_WHY = {
    "refused": "the center does not take this file; it waits in the room",
    "full": "the center's disk, or what this room may have there, is full; it is tried again",
    "busy": "the center is busy with this file; it is tried again",
}


def _header(one: Forward, offset: int, count: int) -> PieceHeader:
    upload = one.upload
    said = {"hearing": upload.hearing, "kind": upload.kind, "track": upload.track, "index": upload.index}
    try:
        header = PieceHeader.model_validate(
            {**said, "name": upload.file, "offset": offset, "bytes": count, "length": one.length}
        )
        pack_piece(header)
    except ValueError as error:
        raise StorageError(f"{upload.file} has a name that cannot be sent; the file waits") from error
    return header
