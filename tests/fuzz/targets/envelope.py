"""The header before live media, and what an init message says."""

from __future__ import annotations

from collections.abc import Iterator

from sync.errors import EnvelopeError
from sync.media.envelope import Envelope, Kind, pack_init, unpack_init
from tests.fuzz.seed_media import init_segments


def target(data: bytes) -> None:
    try:
        envelope = Envelope.unpack(data)
        again = Envelope.unpack(envelope.pack())
        assert again == envelope
        if envelope.kind is Kind.INIT:
            mime, segment = unpack_init(envelope.payload)
            assert pack_init(mime, segment) == envelope.payload
    except EnvelopeError:
        return


def seeds() -> Iterator[bytes]:
    for init in init_segments():
        yield Envelope(Kind.INIT, 1, 0, 0, 0, 0, pack_init("video/mp4", init)).pack()
    yield Envelope(Kind.FRAGMENT, 2**32 - 1, 2**32 - 1, -(2**63), 2**63 - 1, 2**32 - 1, b"x", True, True).pack()
    yield Envelope(Kind.THUMBNAIL, 1, 1, 10**12, 10**18, 0, b"\xff\xd8\xff").pack()
