"""The body of `POST /api/pieces`: in whatever cut it comes, its stretches are the same, and no more than was fed."""

from __future__ import annotations

from collections.abc import Iterator

from sync.uplink.files.pieces import MAGIC, MAX_PIECES, PieceHeader, PieceReader, PiecesError, pack_pieces


def _read(data: bytes, cut: int) -> list[tuple[int, int, bytes]] | None:
    reader = PieceReader(lambda header: header.kind != "log")
    found: dict[int, tuple[int, bytes]] = {}
    try:
        for part in (data[:cut], data[cut:]):
            reader.feed(part)
            assert reader.held_bytes <= len(data)
            for one in reader.take():
                offset, before = found.get(one.number, (one.offset, b""))
                assert one.offset == offset + len(before)
                found[one.number] = offset, before + b"".join(one.data)
    except PiecesError:
        return None
    assert reader.count <= MAX_PIECES
    return [(number, *one) for number, one in sorted(found.items())]


def target(data: bytes) -> None:
    assert _read(data, 0) == _read(data, len(data) // 2)


def _header(count: int, **more: object) -> PieceHeader:
    said = {"hearing": "h1", "kind": "segment", "track": "bench", "index": 0, "name": "bench/00000.mp4"}
    return PieceHeader.model_validate({**said, "offset": 0, "bytes": count, **more})


def seeds() -> Iterator[bytes]:
    yield MAGIC
    yield pack_pieces([(_header(5), b"first"), (_header(0, offset=7, length=7), b"")])
    yield pack_pieces([(_header(3, kind="log"), b"log"), (_header(3, kind="page", name="页图"), b"abc")])
    yield pack_pieces([(_header(9), b"cut")])
