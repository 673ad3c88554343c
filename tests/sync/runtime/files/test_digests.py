"""The two check values are those of the standards."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sync.runtime.files.digests import Digests, checks_of


def test_sm3_gives_the_examples_of_gb_t_32905() -> None:
    abc = Digests()
    abc.update(b"abc")
    assert abc.checks().sm3 == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    long = Digests()
    for _ in range(16):
        long.update(b"abcd")
    assert long.checks().sm3 == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"


def test_piece_by_piece_and_as_a_file_are_the_same(tmp_path: Path) -> None:
    data = bytes(range(256)) * 10_000
    (tmp_path / "file").write_bytes(data)
    pieces = Digests()
    for start in range(0, len(data), 77_777):
        pieces.update(data[start : start + 77_777])
        pieces.checks()  # asking in between changes nothing
    assert pieces.checks() == checks_of(tmp_path / "file")
    assert pieces.checks().sha256 == hashlib.sha256(data).hexdigest()
