"""What an init segment says of how long its media is."""

from __future__ import annotations

from sync.media.sample_tables import children


def no_duration(media: bytes) -> None:
    """The `moov` at the beginning of these bytes says none, in any of its places."""
    movie = next((at, end) for name, at, end in children(media, 0, init_bytes(media)) if name == b"moov")
    inside = {name: media[at:end] for name, at, end in children(media, *movie)}
    head = inside[b"mvhd"]
    said = head[24:32] if head[0] == 1 else head[16:20]
    assert said == bytes(len(said))
    at = media.index(inside[b"mvex"])
    assert [name for name, _, _ in children(media, at, at + len(inside[b"mvex"]))] == [b"trex"]


def init_bytes(media: bytes) -> int:
    """How long the init segment is with which these bytes begin."""
    at = media.index(b"moov") - 4
    return at + int.from_bytes(media[at : at + 4], "big")
