"""The tables inside `moov` and `moof`, each alone."""

from __future__ import annotations

from collections.abc import Iterator

from sync.errors import MediaError
from sync.media.fmp4 import parse_fragment, parse_init
from sync.media.prft import ReferenceTime
from sync.media.sample_tables import MAX_SAMPLES
from tests.fuzz.seed_media import fragments, init_segments


def target(data: bytes) -> None:
    """The first byte says what the rest is."""
    kind, rest = data[:1], data[1:]
    try:
        if kind == b"i":
            init = parse_init(rest)
            assert init.timescale > 0
            assert init.mime
        elif kind == b"r":
            ReferenceTime.parse(rest)
        else:
            fragment = parse_fragment(rest, parse_init(_INITS[len(kind) and kind[0] % len(_INITS)]))
            assert 0 < len(fragment.sizes) <= MAX_SAMPLES
            assert min(fragment.sizes) > 0
    except MediaError:
        return


_INITS = tuple(init_segments())


def seeds() -> Iterator[bytes]:
    for init in _INITS:
        yield b"i" + init
    for number, data in enumerate(fragments()):
        yield bytes([number % len(_INITS)]) + data
    yield b"r" + ReferenceTime(1, 1_795_000_000_000_000_000, 90_000).pack()[8:]
