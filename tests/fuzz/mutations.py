"""Bytes near to honest ones, by hypothesis: pieces of a seed are replaced, taken out, repeated, or put into another."""

from __future__ import annotations

from hypothesis import strategies as st

_ODD = [b"", b"\0", b"\xff" * 4, b"\x7f\xff\xff\xff", b"\0" * 8, b"\xff" * 8, b"9" * 25, b"1e999", b"NaN", b"[" * 60,
        b"\n", b'"', b",", b"\\ud800", b"\xe2\x80\xae", b"-9223372036854775809"]  # fmt: skip


@st.composite
def _changed(draw: st.DrawFn, seeds: list[bytes], most: int) -> bytes:
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.integers(0, 24)))
        other = draw(st.sampled_from(seeds))
        place = draw(st.integers(0, len(other)))
        pieces = st.sampled_from([*_ODD, data[at:end] * 2, other[place : place + 64]])
        piece = draw(st.binary(max_size=12) | pieces)
        data = data[:at] + piece + data[end:]
    return data[:most]


def mutated(seeds: list[bytes], most: int = 8192) -> st.SearchStrategy[bytes]:
    """Changed seeds, and now and then bytes at random; at most `most` of them."""
    return _changed(seeds, most) | st.binary(max_size=300)
